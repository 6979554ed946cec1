"""Write the golden files beside this package."""

import json
from pathlib import Path

from train.common.atomic import write_bytes

from .finding import draw_group
from .pictures import draw_pictures
from .sealing import packed, sealed_files
from .values import golden_values

FOLDER = Path(__file__).parents[1]


def main() -> None:
    """Draw the pictures if there are none, and make all the rest from them."""
    pictures = FOLDER / "pictures"
    if not any(pictures.glob("*.*")):
        draw_pictures(pictures)
    if not (group := FOLDER / "face_finder" / "group.png").exists():
        draw_group(group)
    for name, cases in golden_values(pictures).items():
        lines = ",\n".join(json.dumps(case, allow_nan=False, sort_keys=True) for case in cases)
        write_bytes(FOLDER / name, f"[\n{lines}\n]\n".encode())
        print(f"{name}: {len(cases)} cases")
    files = sealed_files()
    write_bytes(FOLDER / "sealed.zip.gz", packed(files))
    print(f"sealed.zip.gz: {len(files)} files")


if __name__ == "__main__":
    main()
