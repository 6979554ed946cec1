"""What a WebDataset says of its pictures: members of a tar that share a name up to its first dot.

`000012.jpg`, `000012.json` and `000012.cls` are one sample (https://github.com/webdataset/webdataset).
"""

from collections.abc import Mapping
from pathlib import Path

from train.common.documents import parse_json, read_text
from train.common.errors import DataError
from train.data.cards.lookup_tables import as_text
from train.image.files import pictures_below

# Sidecars of one text each, and the column that it becomes.
_TEXTS = {".cls": "cls", ".txt": "text", ".caption": "caption"}
_LARGEST = 1 << 20


def read_samples(folder: Path) -> dict[str, Mapping[str, str | None]]:
    """Return what is said of each picture of an unpacked tar, by its path; without sidecars nothing of any.

    Raises DataError for a sidecar that is not what its name says.
    """
    said: dict[str, Mapping[str, str | None]] = {}
    for picture in pictures_below(folder):
        values: dict[str, str | None] = {}
        stem = folder / picture.parent / picture.name.split(".", 1)[0]
        for suffix, column in _TEXTS.items():
            if (text := _text(stem.with_name(stem.name + suffix))) is not None:
                values[column] = text.strip()
        if (text := _text(stem.with_name(f"{stem.name}.json"))) is not None:
            values |= _fields(text, stem.with_name(f"{stem.name}.json"))
        if values:
            said[picture.as_posix()] = values
    return said


def _text(path: Path) -> str | None:
    try:
        return read_text(path, error=DataError, remedy="get the tar again", limit=_LARGEST)
    except FileNotFoundError:
        return None


def _fields(text: str, path: Path) -> dict[str, str | None]:
    try:
        fields = parse_json(text)
    except ValueError:
        raise DataError(f"{path} is not JSON: get the tar again.") from None
    if not isinstance(fields, dict):
        return {}
    return {name: as_text(value) for name, value in fields.items() if not isinstance(value, dict | list)}
