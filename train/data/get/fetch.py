"""Fetch one file by its address: what breaks off is continued, and only the promised content gets the name."""

import ipaddress
import json
import re
import shutil
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from train.common.atomic import naming, write_text
from train.common.documents import file_sha256, read_json_object
from train.common.errors import DataError
from train.common.progress import ProgressCallback

_CHUNK = 1 << 20
_REDIRECTS = 10
# What a server says when it is busy or broken for the moment (RFC 9110, section 15; RFC 6585, section 4).
_PASSING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait for a server and how often to try; the pause doubles from try to try, up to 30 seconds."""

    connect_seconds: float = 15
    read_seconds: float = 60
    tries: int = 8
    pause_seconds: float = 1


USUAL_PATIENCE = RetryPolicy()


@dataclass(frozen=True)
class _Known:
    """What the server said of the file at its beginning: bytes (-1: nothing said) and how to tell it from another."""

    size: int = -1
    etag: str = ""
    modified: str = ""


class _BrokenOff(Exception):
    """A try that another try may mend; the text is the reason."""


def fetch_file(
    url: str,
    sha256: str,
    path: Path,
    *,
    patience: RetryPolicy = USUAL_PATIENCE,
    max_bytes: int = 1 << 40,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Bring the file at `url` to `path` and return `path`; a file there with the right content is not fetched again.

    What has come stands in `path`.part until it is whole and its sha256 (64 lower-case hex digits) is right.
    A connection that breaks is taken up where it broke, in this call up to `patience.tries` times and in the
    next call again; Ctrl-C keeps the part. `on_progress` gets bytes done and bytes in all (0: the server does
    not say). Raises DataError when the address may not be used, the server refuses or keeps breaking off, the
    file is larger than `max_bytes` or than the free disk, or has another sha256 (the part is then removed).
    """
    _check_address(url)
    if path.exists():
        if file_sha256(path) == sha256:
            return path
        raise DataError(f"{path} already exists with different content: move it away.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    _download(url, part, patience, max_bytes, on_progress)
    found = file_sha256(part)
    if found != sha256:
        _forget(part)
        raise DataError(
            f"{_shown(url)} has sha256 {found} but the card says {sha256}: run again; if the error remains, the file "
            "at its source has changed."
        )
    part.replace(path)
    _forget(part)
    return path


def _download(
    url: str, part: Path, patience: RetryPolicy, max_bytes: int, on_progress: ProgressCallback | None
) -> None:
    reason = ""
    with requests.Session() as session:
        for number in range(patience.tries):
            if number:
                time.sleep(min(30.0, patience.pause_seconds * 2 ** (number - 1)))
            try:
                _try_once(session, url, part, patience, max_bytes, on_progress)
                return
            except _BrokenOff as error:
                reason = str(error)
            except requests.exceptions.SSLError:
                reason = "no safe connection; is the clock of this machine right?"
            except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
                reason = "no answer in time"
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
                # Their texts hold the whole address, secrets in its query included.
                reason = "the connection failed"
    kept = part.stat().st_size if part.exists() else 0
    raise DataError(
        f"{_shown(url)} was interrupted {patience.tries} times ({reason}): check the network and run the command "
        f"again; it resumes from {kept:,} bytes."
    )


def _try_once(
    session: requests.Session,
    url: str,
    part: Path,
    patience: RetryPolicy,
    max_bytes: int,
    on_progress: ProgressCallback | None,
) -> None:
    have = part.stat().st_size if part.exists() else 0
    known = _recall(part)
    if have and have == known.size:
        return
    with closing(_ask(session, url, have, known, patience)) as response:
        if response.status_code in (206, 416) and not _continues(response, have, known):
            # Another file by the same address, or a server that cannot count: the part is worth nothing.
            _forget(part)
            raise _BrokenOff("the file changed meanwhile")
        if response.status_code == 416:
            return
        if response.status_code == 200:
            have = 0
            known = _Known(_number(response.headers.get("Content-Length")), *_validators(response))
            part.unlink(missing_ok=True)
            write_text(_facts(part), json.dumps(asdict(known)))
        _check_size(url, part, have, known.size, max_bytes)
        with naming(part), part.open("ab") as file:
            # Not decoded: the sha256 is that of the archive as published, whatever encoding a server claims.
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                have += len(chunk)
                if have > max_bytes or 0 <= known.size < have:
                    break
                file.write(chunk)
                if on_progress is not None:
                    on_progress(have, max(0, known.size))
    if have > max_bytes or 0 <= known.size < have:
        _forget(part)
        raise DataError(
            f"{_shown(url)} sends more than the {_limit(known.size, max_bytes):,} bytes allowed: it was not downloaded."
        )
    if have < known.size:
        raise _BrokenOff(f"{have:,} of {known.size:,} bytes arrived")


def _ask(session: requests.Session, url: str, have: int, known: _Known, patience: RetryPolicy) -> requests.Response:
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # If-Range takes strong validators only (RFC 9110, section 13.1.5).
        if known.etag and not known.etag.startswith("W/"):
            headers["If-Range"] = known.etag
        elif known.modified:
            headers["If-Range"] = known.modified
    address = url
    for _ in range(_REDIRECTS):
        try:
            response = session.get(
                address,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(patience.connect_seconds, patience.read_seconds),
            )
            if not response.is_redirect:
                _check_status(url, response)
                return response
            response.close()
            address = urljoin(address, response.headers["Location"])
        except ValueError:
            raise DataError(
                f"{_shown(url)} is not a web address or redirects to something else: correct it in the card."
            ) from None
        _check_address(address, begun_at=url)
    raise DataError(f"{_shown(url)} redirects more than {_REDIRECTS} times: correct the address in the card.")


def _check_status(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    response.close()
    if status in _PASSING:
        raise _BrokenOff(f"the server answered {status}")
    if status in (401, 403):
        raise DataError(f"{_shown(url)} is not public ({status}): download it yourself from the card's homepage.")
    if status in (404, 410):
        raise DataError(f"{_shown(url)} was not found ({status}): correct the address in the card.")
    raise DataError(f"{_shown(url)} answered {status}, which is not a file: correct the address in the card.")


def _continues(response: requests.Response, have: int, known: _Known) -> bool:
    """Tell whether a partial answer goes on where the part ends, in the same file."""
    etag, modified = _validators(response)
    for said, recalled in ((etag, known.etag), (modified, known.modified)):
        if said and recalled and said != recalled:
            return False
    header = response.headers.get("Content-Range", "")
    if response.status_code == 416:
        # Nothing lies behind the part: right if the part is the whole file.
        return have > 0 and header == f"bytes */{have}"
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", header)
    if match is None or int(match[1]) != have:
        return False
    return known.size < 0 or match[3] in ("*", str(known.size))


def _check_size(url: str, part: Path, have: int, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise DataError(
            f"{_shown(url)} has {size:,} bytes, more than the {max_bytes:,} allowed: it was not downloaded."
        )
    free = shutil.disk_usage(part.parent).free
    if size - have > free:
        raise DataError(
            f"{part.parent} has room for {free:,} bytes and {size - have:,} are to come from {_shown(url)}: "
            "make room or name a folder on another disk."
        )


def _check_address(url: str, begun_at: str = "") -> None:
    """Refuse what is neither https:// nor http:// on this machine, and a way from the first to the second."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise DataError("The card's url is not a web address: correct it in the card.") from None
    if parts.username is not None or parts.password is not None:
        raise DataError(f"{_shown(url)} contains a user name or password: remove it from the address.")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or "") and not begun_at.startswith("https:"):
        return
    raise DataError(f"{_shown(url)} is not an https:// address, and only those are allowed.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: str) -> str:
    """The address without what may be secret: name, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _validators(response: requests.Response) -> tuple[str, str]:
    return response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else -1


def _limit(size: int, max_bytes: int) -> int:
    return max_bytes if size < 0 else min(size, max_bytes)


def _facts(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _recall(part: Path) -> _Known:
    try:
        return _Known(**read_json_object(_facts(part), error=DataError, remedy="remove it"))
    except (OSError, DataError, TypeError):
        return _Known()


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _facts(part).unlink(missing_ok=True)
