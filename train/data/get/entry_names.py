"""Which names in an archive may become files: nothing leaves the folder, nothing lands on something else."""

import re
import unicodedata

from train.common.errors import DataError

# What common file systems take: bytes of one name, and of a path with room left for the folder above it.
_NAME_BYTES = 255
_PATH_BYTES = 1000


def safe_parts(name: str, where: str) -> tuple[str, ...]:
    """Split an entry's name into the names of folders and file, `.` and doubled slashes left out.

    The archive's own folder (`./`) has no parts. Raises DataError, beginning with `where`, for a name that could
    lead out of the folder on any system (absolute, `..`, a drive letter, a backslash) or that no file can have.
    """
    if fault := _fault(name):
        raise DataError(f"{where} {fault}: nothing was unpacked; do not trust this archive.")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if any(_bytes(part) > _NAME_BYTES for part in parts) or _bytes("/".join(parts)) > _PATH_BYTES:
        raise DataError(f"{where} has a name too long for a file: nothing was unpacked; unpack it yourself.")
    return parts


def claim(parts: tuple[str, ...], *, is_folder: bool, taken: dict[str, str], where: str) -> None:
    """Enter an entry and the folders above it into `taken`; a folder may be named again, a file may not.

    `taken` maps a path as the most forgetful file system sees it (no case, one Unicode form) to the path as
    written, with a slash behind folders. Raises DataError, beginning with `where`, if the place is taken.
    """
    if not parts and not is_folder:
        raise DataError(f"{where} has no name: nothing was unpacked; do not trust this archive.")
    folders = len(parts) if is_folder else len(parts) - 1
    for depth in range(1, folders + 1):
        written = "/".join(parts[:depth]) + "/"
        other = taken.setdefault(_forgetful(written[:-1]), written)
        if other != written:
            raise DataError(_clash(where, other))
    if not is_folder:
        path = "/".join(parts)
        if (key := _forgetful(path)) in taken:
            raise DataError(_clash(where, taken[key]))
        taken[key] = path


def _clash(where: str, other: str) -> str:
    return f"{where} would land on {quoted_name(other)}: nothing was unpacked; ask the source for a corrected archive."


def quoted_name(name: str) -> str:
    """The name for a message: quoted, control characters escaped, cut after 120 characters."""
    return repr(name if len(name) <= 120 else f"{name[:120]}...")


def _fault(name: str) -> str:
    if name.startswith("/"):
        return "has an absolute path"
    if "\\" in name:
        return "has a backslash in its name"
    if re.match("[A-Za-z]:", name):
        return "begins with a drive letter"
    if re.search(r"[\x00-\x1f\x7f]", name):
        return "has control characters in its name"
    if ".." in name.split("/"):
        return "points out of the folder"
    return ""


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _forgetful(path: str) -> str:
    return (
        path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
    )
