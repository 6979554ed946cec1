"""Members of a bundle's zip: taken out one by one, as text and as JSON. `name` is what errors call the bundle."""

import json
from typing import Any

from train.common.documents import parse_json
from train.common.errors import ExportError


def take_member(members: dict[str, bytes], member: str, name: str) -> bytes:
    """Take a member out of what is left of a bundle. Raises ExportError where it is missing."""
    if member not in members:
        raise ExportError(f"{name} lacks the member {member}; export it again.")
    return members.pop(member)


def json_bytes(value: object) -> bytes:
    """JSON as bundles hold it: sorted keys, UTF-8; the same value gives the same bytes."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def read_json_member(data: bytes, member: str, name: str) -> Any:
    """The value of a member of JSON. Raises ExportError where it is none."""
    try:
        return parse_json(member_text(data, member, name))
    except ValueError as error:
        raise ExportError(f"{name}: {member} is not JSON ({error}); export it again.") from error


def member_text(data: bytes, member: str, name: str) -> str:
    """The text of a member. Raises ExportError where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ExportError(f"{name}: {member} is not UTF-8; export it again.") from error
