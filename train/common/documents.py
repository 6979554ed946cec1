"""Files as data from anywhere: regular files of a bounded size, read whole, as bytes, text, JSON, TOML or a table.

Everything that Fauxlens reads besides pictures and detector files comes in here, so that a device, a pipe, a file
without end, a byte order mark, bytes that are no UTF-8, nesting without end and numbers of thousands of digits are met
in one place. `error` is the exception to raise, `remedy` what its sentence ends with.
"""

import hashlib
import io
import json
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.common.errors import FauxlensError

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 64 << 20
"""Of a document. The largest that Fauxlens writes, a report of robustness, has about 2 MB."""
MAX_TABLE_BYTES = 4 << 30
"""Of a table: a manifest of a million pictures has about 300 MB."""

MAX_ROWS = 20_000_000
"""Of a table in Parquet."""
_PARQUET, _ZIP = b"PAR1", b"PK\3\4"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Problem = type[FauxlensError]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file of any size, as 64 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bytes(path: Path, *, error: Problem, remedy: str, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most `limit` bytes; FileNotFoundError goes on, all else is an `error`."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise error(f"{path} is a folder: {remedy}.")
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{path} is a device or a pipe, not a file: {remedy}.")
        if status.st_size > limit:
            raise error(f"{path} has {status.st_size:,} bytes, more than the {limit:,} that are read: {remedy}.")
        with path.open("rb") as file:
            # Some files of the system (/proc) say that they are empty.
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as trouble:
        reason = getattr(trouble, "strerror", None) or trouble
        raise error(f"{path} cannot be read ({reason}): {remedy}.") from None
    if len(data) > limit:
        raise error(f"{path} has more than the {limit:,} bytes that are read: {remedy}.")
    return data


def read_text(path: Path, *, error: Problem, remedy: str, limit: int = MAX_BYTES) -> str:
    """Read UTF-8, with or without a byte order mark; else as `read_bytes`."""
    data = read_bytes(path, error=error, remedy=remedy, limit=limit)
    if _is_utf_16(data):
        raise error(f"{path} is a text in UTF-16: save it in UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path} is not UTF-8 text: {remedy}.") from None


def read_json(path: Path, *, error: Problem, remedy: str) -> Any:
    """Read a JSON document, in which NaN and Infinity may stand as Python writes them; else as `read_text`."""
    text = read_text(path, error=error, remedy=remedy)
    try:
        return parse_json(text, strict=False)
    except ValueError as trouble:
        raise error(f"{path} is not JSON ({_short(trouble)}): {remedy}.") from None


def read_json_object(path: Path, *, error: Problem, remedy: str) -> dict[str, Any]:
    """Read a JSON document that is an object; else as `read_json`."""
    found = read_json(path, error=error, remedy=remedy)
    if not isinstance(found, dict):
        raise error(f"{path} does not hold a JSON object: {remedy}.")
    return found


def parse_json(text: str, *, strict: bool = True) -> Any:
    """Read JSON; ValueError for what is none, nested too deeply, or holds a whole number of thousands of digits.

    Strictly it is JSON as RFC 8259 has it, and each key once: Python's reader also takes NaN, and of a repeated key the
    last value.
    """
    try:
        if not strict:
            return json.loads(text)
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_toml(path: Path, *, error: Problem, remedy: str) -> dict[str, Any]:
    """Read a TOML document; else as `read_text`."""
    text = read_text(path, error=error, remedy=remedy)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{path} is nested too deeply: {remedy}.") from None
    except ValueError as trouble:
        # Also of whole numbers with thousands of digits.
        raise error(f"{path} is not TOML ({_short(trouble)}): {remedy}.") from None


def read_table(
    path: Path, *, error: Problem, remedy: str, schema: "Mapping[str, pl.DataType] | None" = None
) -> "pl.DataFrame":
    """Read CSV that `table_bytes` wrote, or that another program wrote with commas, or Parquet; else as `read_bytes`.

    The columns of `schema` have its types, the others are text; without a schema all are. Parquet, known by its first
    bytes, has the types it has, but text without a schema; of more than MAX_ROWS rows it is refused.
    """
    import polars as pl

    # The content, not the path: Polars takes brackets, stars and question marks in a path for a pattern.
    data = read_bytes(path, error=error, remedy=remedy, limit=MAX_TABLE_BYTES)
    if data.startswith(_PARQUET):
        return _from_parquet(data, path, error, remedy, schema)
    if not data.strip(b"\xef\xbb\xbf \r\n\t"):
        raise error(f"{path} is empty: {remedy}.")
    if _is_utf_16(data):
        raise error(f"{path} is a table in UTF-16: save it in UTF-8, with commas.")
    if data.startswith(_ZIP):
        raise error(f"{path} is a spreadsheet or another archive, not a table in text: save it as CSV, with commas.")
    data = _with_plain_lines(data)
    head = data.partition(b"\n")[0]
    for mark, called in ((b";", "semicolons"), (b"\t", "tabs"), (b"|", "vertical bars")):
        if b"," not in head and mark in head:
            raise error(f"{path} uses {called} as separator: save it with commas.")
    try:
        kinds = None if schema is None else dict(schema)
        frame = pl.read_csv(io.BytesIO(data), infer_schema=schema is not None, schema_overrides=kinds)
    except pl.exceptions.PolarsError as trouble:
        if "utf-8" in str(trouble):
            raise error(f"{path} is not a table in UTF-8: save it in UTF-8, with commas.") from None
        raise error(f"{path} is not a CSV table ({_short(trouble)}): {remedy}.") from None
    quoted = pl.col(pl.String).str.replace(_QUOTED, "$1")
    if not any(kind == pl.String for kind in frame.dtypes):
        return frame
    frame = frame.with_columns(quoted)
    if head.lstrip(b"\xef\xbb\xbf").startswith(b'"'):
        # Some programs put quotes around every cell, also around one that is empty.
        frame = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))
    # Spreadsheets leave empty lines at the end.
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _with_plain_lines(data: bytes) -> bytes:
    """A table without the line by which a spreadsheet was told its separator, and with lines that end in a newline."""
    if b"\n" not in data:
        # As programs of old Macs, and some of today for them, end lines.
        data = data.replace(b"\r", b"\n")
    names_separator = data.removeprefix(b"\xef\xbb\xbf")[:4].lower() == b"sep="
    return data.partition(b"\n")[2] if names_separator else data


def _from_parquet(
    data: bytes, path: Path, error: Problem, remedy: str, schema: "Mapping[str, pl.DataType] | None"
) -> "pl.DataFrame":
    import polars as pl

    try:
        # A few bytes of Parquet can stand for any number of equal rows.
        rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
        if rows > MAX_ROWS:
            raise error(f"{path} has {rows:,} rows, more than the {MAX_ROWS:,} that are read: {remedy}.")
        frame = pl.read_parquet(io.BytesIO(data))
        kinds = dict.fromkeys(frame.columns, pl.String()) if schema is None else schema
        return frame.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items() if name in frame.columns)
    # On some damaged files Polars' Rust part panics, which is no PolarsError and no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as trouble:
        raise error(f"{path} is not a Parquet table ({_short(trouble)}): {remedy}.") from None


def parquet_bytes(frame: "pl.DataFrame") -> bytes:
    """Write a table as Parquet, with its types and its texts as they are."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def table_bytes(frame: "pl.DataFrame") -> bytes:
    """Write a table as CSV whose text no spreadsheet computes: what it might take for a formula gets a `'` before it.

    `read_table` takes it away again. OWASP, "CSV Injection", names the first characters: = + - @, tab and return.
    """
    import polars as pl

    quoted = pl.col(pl.String).str.replace(_FORMULA, "'$1")
    return frame.with_columns(quoted).write_csv().encode("utf-8") if frame.width else b""


def quote_formula(text: str) -> str:
    """One cell as `table_bytes` writes it."""
    return f"'{text}" if text.lstrip("'")[:1] in _FIRST else text


def unquote_formula(text: str) -> str:
    """One cell as `read_table` reads it."""
    return text[1:] if text[:1] == "'" and text.lstrip("'")[:1] in _FIRST else text


_FIRST = tuple("=+-@\t\r")
# Texts that begin so after apostrophes get one more, so that taking one away gives back every text.
_FORMULA = r"^('*[=+\-@\t\r])"
_QUOTED = r"^'('*[=+\-@\t\r])"


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise ValueError("a key occurs twice")
    return plain


def _is_utf_16(data: bytes) -> bool:
    return data.startswith(_UTF_16) and len(data) > 2 and len(data) % 2 == 0


def _short(trouble: BaseException) -> str:
    return (str(trouble).splitlines() or [""])[0][:200].rstrip(".") or type(trouble).__name__
