"""Writes rows.json: the rows of every picture of this folder, without checking signatures; read the difference.

PYTHONPATH=. python tests/golden/marks/write_rows.py
"""

import json
from dataclasses import asdict
from pathlib import Path

from train.image.decode import decode
from train.image.marks.read import read_marks
from train.image.marks.thumbnail import thumbnail_row

HERE = Path(__file__).parent
SUFFIXES = (".avif", ".gif", ".heic", ".jpg", ".png", ".webp")


def main() -> None:
    """Read the pictures in the order of their names."""
    files: dict[str, dict[str, object]] = {}
    for path in sorted(path for path in HERE.iterdir() if path.suffix in SUFFIXES):
        marks = read_marks(path.read_bytes(), check=False, hidden=True)
        # Rows that need the decoded picture as well.
        seen = thumbnail_row(marks.thumbnail, decode(path).pixels) if marks.thumbnail else None
        files[path.name] = {"container": marks.container, "rows": [asdict(row) for row in marks.rows]}
        files[path.name] |= {"pixel_rows": [asdict(seen)]} if seen else {}
    document = {"format": 1, "files": files}
    (HERE / "rows.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
