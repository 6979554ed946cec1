"""`data get`: from a card to a folder of pictures, in one piece or not at all."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from train.common.atomic import made_folders, write_text
from train.common.documents import read_json_object
from train.common.errors import DataError
from train.common.locks import let_go, take
from train.common.progress import ProgressCallback
from train.data.cards.reader import Card
from train.data.get.fetch import USUAL_PATIENCE, RetryPolicy, fetch_file
from train.data.get.hubs import Fetched, fetch_huggingface, fetch_kaggle
from train.data.get.inner import unpack_inner
from train.data.get.unpack import UNFINISHED, USUAL_LIMITS, ArchiveLimits, unpack

PROVENANCE = ".fauxlens-get.json"
_LOCK, _REQUEST = "lock", "wish.json"
# What files on disk call the request.
_KEY = "wish"

# Bytes done, bytes in all (0: not known), and what is being done: "downloading" or "unpacking".
NamedProgressCallback = Callable[[int, int, str], None]


@dataclass(frozen=True)
class DownloadRequest:
    """What a download is recognised by: the card's name and what its [get] says."""

    card: str
    kind: str
    handle: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """What PROVENANCE holds: the request, a hub's name of the version (else empty), when (ISO 8601), how many files."""

    request: DownloadRequest
    version: str
    time: str
    files: int


def get_dataset(
    card: Card,
    folder: Path,
    *,
    now: datetime,
    on_progress: NamedProgressCallback | None = None,
    patience: RetryPolicy = USUAL_PATIENCE,
    limits: ArchiveLimits = USUAL_LIMITS,
) -> Path:
    """Fetch the card's dataset into `folder` and return the folder that holds the pictures, which is `folder`.

    All work is done in a hidden folder `.NAME.get` beside it, on the same disk, and goes on there when called
    again; `folder` appears when everything is there, with a provenance in it, and is then not fetched again. It
    may exist before if it is empty. Archives inside the dataset that the card names are
    unpacked as well (see `unpack_inner`). The hubs' clients show their own progress on standard error; for archives
    `on_progress` is called. Raises DataError when the card's dataset is placed by hand, when `folder` holds
    something else, and for all that can go wrong on the way.
    """
    request = DownloadRequest(card.name, card.get.kind, card.get.handle, card.get.url, card.get.sha256)
    if request.kind == "by-hand":
        raise DataError(_by_hand(card, folder))
    target = folder.resolve()
    if _is_finished(target, request, folder):
        return folder
    if target.is_mount() or target == Path.cwd():
        raise DataError(
            f"{folder} is the current folder or a disk's top folder, which cannot be replaced: name a folder inside it."
        )
    work = target.with_name(f".{target.name}.get")
    with made_folders(work):
        lock = FileLock(work / _LOCK)
        try:
            take(lock, timeout=0)
        except Timeout:
            raise DataError(f"{folder} is in use by another `data get`: wait until it is done.") from None
        try:
            # Another process may have finished between the look above and the lock.
            if not _is_finished(target, request, folder):
                _begin(work, request)
                fetched = _bring(request, work, on_progress, patience, limits)
                unpacking = _named(on_progress, "unpacking")
                unpack_inner(fetched.folder, card.get.unpack, limits=limits, on_progress=unpacking)
                _finish(fetched, request, target, now)
        finally:
            if (target / PROVENANCE).exists() or not _has_begun(work):
                shutil.rmtree(work, ignore_errors=True)
            let_go(lock)
    return folder


def read_provenance(folder: Path) -> Provenance | None:
    """Return the provenance of a finished download, None where there is none; DataError if it is damaged."""
    path = folder / PROVENANCE
    if not folder.is_dir():
        return None
    try:
        table = read_json_object(path, error=DataError, remedy=f"remove {folder} and get it again")
        request = DownloadRequest(**table.pop(_KEY))
        provenance = Provenance(request, **table)
        texts = (provenance.time, request.card, request.kind, request.handle, request.url)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("texts are needed")
        return provenance
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise DataError(f"{path} is damaged: remove {folder} and download it again.") from None


def _is_finished(target: Path, request: DownloadRequest, folder: Path) -> bool:
    """Tell whether `target` holds this very download; DataError if it holds anything else."""
    provenance = read_provenance(target)
    if provenance is not None and provenance.request == request:
        return True
    if provenance is not None:
        other = provenance.request.card
        what = "another state of this card" if other == request.card else f"card {other!r}"
        raise DataError(f"{folder} holds {what}, fetched {provenance.time}: name another folder or remove it.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{folder} already exists and contains other files: name another folder.")
    return False


def _begin(work: Path, request: DownloadRequest) -> None:
    """Note in `work` what it is for; DataError if it holds the beginning of something else.

    A card that was only renamed goes on. The beginning of an earlier state of the same card is thrown away: a corrected
    address brings other bytes. So is what a process left that was killed while it unpacked.
    """
    path = work / _REQUEST
    begun = _begun(path)
    goes_on = begun is not None and replace(begun, card=request.card) == request
    if begun is not None and begun.card == request.card and not goes_on:
        for left in work.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    for left in [*work.rglob(f".*{UNFINISHED}")]:
        shutil.rmtree(left, ignore_errors=True)
    if _has_begun(work) and not goes_on:
        raise DataError(f"{work} contains an unfinished download of something else: remove it or name another folder.")
    write_text(path, json.dumps(asdict(request), indent=1))


def _begun(path: Path) -> DownloadRequest | None:
    """The download that was begun; None where nobody has noted one."""
    try:
        return DownloadRequest(**read_json_object(path, error=DataError, remedy="remove it"))
    except (FileNotFoundError, DataError, TypeError):
        return None


def _has_begun(work: Path) -> bool:
    """Tell whether anything worth keeping has come."""
    return any(path.is_file() and path.name not in (_LOCK, _REQUEST) for path in work.rglob("*"))


def _bring(
    request: DownloadRequest,
    work: Path,
    on_progress: NamedProgressCallback | None,
    patience: RetryPolicy,
    limits: ArchiveLimits,
) -> Fetched:
    if request.kind == "kaggle":
        return fetch_kaggle(request.handle, work)
    if request.kind == "huggingface":
        return fetch_huggingface(request.handle, work)
    files = work / "files"
    # Left by a stop between unpacking and the end.
    shutil.rmtree(files, ignore_errors=True)
    archive = fetch_file(
        request.url, request.sha256, work / "archive", patience=patience, on_progress=_named(on_progress, "downloading")
    )
    try:
        unpack(archive, files, limits=limits, on_progress=_named(on_progress, "unpacking"))
    except DataError:
        # It is the archive that the card means, so it will never do.
        archive.unlink()
        raise
    return Fetched(files, "")


def _finish(fetched: Fetched, request: DownloadRequest, target: Path, now: datetime) -> None:
    path = fetched.folder / PROVENANCE
    path.unlink(missing_ok=True)
    count = sum(path.is_file() for path in fetched.folder.rglob("*"))
    plain = asdict(Provenance(request, fetched.version, now.isoformat(timespec="seconds"), count))
    write_text(path, json.dumps({_KEY: plain.pop("request"), **plain}, indent=1) + "\n")
    if target.exists():
        target.rmdir()
    fetched.folder.rename(target)


def _by_hand(card: Card, folder: Path) -> str:
    note = f" {card.get.note}" if card.get.note else ""
    page = f" from {card.homepage}" if card.homepage else ""
    return (
        f"Card {card.name!r} cannot be fetched automatically: download it yourself{page}, unpack it into {folder} "
        "and run "
        f"`fauxlens data scan` on that.{note}"
    )


def _named(on_progress: NamedProgressCallback | None, what: str) -> ProgressCallback | None:
    if on_progress is None:
        return None
    report = on_progress
    return lambda done, total: report(done, total, what)
