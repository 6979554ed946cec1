"""Writes rows.json: the rows of every picture of this folder, without checking signatures; read the difference.

PYTHONPATH=. python tests/golden/marks/write_rows.py
"""

import json
from dataclasses import asdict
from pathlib import Path

from train.image.marks.read import read_marks

HERE = Path(__file__).parent
SUFFIXES = (".avif", ".heic", ".jpg", ".png", ".webp")


def main() -> None:
    """Read the pictures in the order of their names."""
    files = {}
    for path in sorted(path for path in HERE.iterdir() if path.suffix in SUFFIXES):
        marks = read_marks(path.read_bytes(), check=False)
        files[path.name] = {"container": marks.container, "rows": [asdict(row) for row in marks.rows]}
    document = {"format": 1, "files": files}
    (HERE / "rows.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
