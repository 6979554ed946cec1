"""`data get`: from a card to a folder of pictures, in one piece or not at all."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from train.common.atomic import made_folders, write_text
from train.common.documents import read_json_object
from train.common.errors import DataError
from train.common.locks import let_go, take
from train.data.cards.reader import Card
from train.data.get.fetch import USUAL_PATIENCE, Patience, fetch
from train.data.get.hubs import Fetched, fetch_huggingface, fetch_kaggle
from train.data.get.inner import unpack_inner
from train.data.get.unpack import UNFINISHED, USUAL_LIMITS, Limits, unpack

RECEIPT = ".fauxlens-get.json"
_LOCK, _WISH = "lock", "wish.json"

# Bytes done, bytes in all (0: not known), and what is being done: "downloading" or "unpacking".
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Wish:
    """What a download is recognised by: the card's name and what its [get] says."""

    card: str
    kind: str
    handle: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What RECEIPT holds: the wish, the version as a hub names it (else empty), when (ISO 8601), how many files."""

    wish: Wish
    version: str
    time: str
    files: int


def get_dataset(
    card: Card,
    folder: Path,
    *,
    now: datetime,
    on_progress: Progress | None = None,
    patience: Patience = USUAL_PATIENCE,
    limits: Limits = USUAL_LIMITS,
) -> Path:
    """Fetch the card's dataset into `folder` and return the folder that holds the pictures, which is `folder`.

    All work is done in a hidden folder `.NAME.get` beside it, on the same disk, and goes on there when called
    again; `folder` appears when everything is there, with a receipt in it, and is then not fetched again. It
    may exist before if it is empty. Archives inside the dataset that the card names are
    unpacked as well (see `unpack_inner`). The hubs' clients show their own progress on standard error; for archives
    `on_progress` is called. Raises DataError when the card's dataset is placed by hand, when `folder` holds
    something else, and for all that can go wrong on the way.
    """
    wish = Wish(card.name, card.get.kind, card.get.handle, card.get.url, card.get.sha256)
    if wish.kind == "by-hand":
        raise DataError(_by_hand(card, folder))
    target = folder.resolve()
    if _is_finished(target, wish, folder):
        return folder
    if target.is_mount() or target == Path.cwd():
        raise DataError(f"{folder} is a disk's or the current folder, which cannot be replaced: name one inside it.")
    work = target.with_name(f".{target.name}.get")
    with made_folders(work):
        lock = FileLock(work / _LOCK)
        try:
            take(lock, timeout=0)
        except Timeout:
            raise DataError(f"{folder} is being filled by another `data get`: wait until it is done.") from None
        try:
            # Another process may have finished between the look above and the lock.
            if not _is_finished(target, wish, folder):
                _begin(work, wish)
                fetched = _bring(wish, work, on_progress, patience, limits)
                unpacking = _named(on_progress, "unpacking")
                unpack_inner(fetched.folder, card.get.unpack, limits=limits, on_progress=unpacking)
                _finish(fetched, wish, target, now)
        finally:
            if (target / RECEIPT).exists() or not _has_begun(work):
                shutil.rmtree(work, ignore_errors=True)
            let_go(lock)
    return folder


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of a finished download, None where there is none; DataError if it is damaged."""
    path = folder / RECEIPT
    try:
        table = read_json_object(path, error=DataError, remedy=f"remove {folder} and get it again")
        receipt = Receipt(**{**table, "wish": Wish(**table["wish"])})
        wish = receipt.wish
        if not all(isinstance(text, str) for text in (receipt.time, wish.card, wish.kind, wish.handle, wish.url)):
            raise TypeError("a receipt of texts is needed")
        return receipt
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError):
        raise DataError(f"{path} is damaged: remove {folder} and get it again.") from None


def _is_finished(target: Path, wish: Wish, folder: Path) -> bool:
    """Tell whether `target` holds this very download; DataError if it holds anything else."""
    receipt = read_receipt(target)
    if receipt is not None and receipt.wish == wish:
        return True
    if receipt is not None:
        what = "another state of this card" if receipt.wish.card == wish.card else f"card {receipt.wish.card!r}"
        raise DataError(f"{folder} holds {what}, fetched {receipt.time}: name another folder or remove it.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{folder} is there already and holds other things: name another folder.")
    return False


def _begin(work: Path, wish: Wish) -> None:
    """Note in `work` what it is for; DataError if it holds the beginning of something else.

    The beginning of an earlier state of the same card is thrown away: a corrected address brings other bytes. So is
    what a process left that was killed while it unpacked.
    """
    path = work / _WISH
    if _begun_card(path) == wish.card and path.read_bytes() != json.dumps(asdict(wish), indent=1).encode():
        for left in work.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    for left in [*work.rglob(f".*{UNFINISHED}")]:
        shutil.rmtree(left, ignore_errors=True)
    text = json.dumps(asdict(wish), indent=1)
    if _has_begun(work) and not (path.exists() and path.read_bytes() == text.encode()):
        raise DataError(f"{work} holds the beginning of another download: remove it or name another folder.")
    write_text(path, text)


def _begun_card(path: Path) -> str | None:
    """The card whose download was begun; None where nobody has noted one."""
    try:
        begun = read_json_object(path, error=DataError, remedy="remove it")
    except (FileNotFoundError, DataError):
        return None
    return str(begun.get("card"))


def _has_begun(work: Path) -> bool:
    """Tell whether anything worth keeping has come."""
    return any(path.is_file() and path.name not in (_LOCK, _WISH) for path in work.rglob("*"))


def _bring(wish: Wish, work: Path, on_progress: Progress | None, patience: Patience, limits: Limits) -> Fetched:
    if wish.kind == "kaggle":
        return fetch_kaggle(wish.handle, work)
    if wish.kind == "huggingface":
        return fetch_huggingface(wish.handle, work)
    files = work / "files"
    # Left by a stop between unpacking and the end.
    shutil.rmtree(files, ignore_errors=True)
    archive = fetch(
        wish.url, wish.sha256, work / "archive", patience=patience, on_progress=_named(on_progress, "downloading")
    )
    try:
        unpack(archive, files, limits=limits, on_progress=_named(on_progress, "unpacking"))
    except DataError:
        # It is the archive that the card means, so it will never do.
        archive.unlink()
        raise
    return Fetched(files, "")


def _finish(fetched: Fetched, wish: Wish, target: Path, now: datetime) -> None:
    receipt = fetched.folder / RECEIPT
    receipt.unlink(missing_ok=True)
    count = sum(path.is_file() for path in fetched.folder.rglob("*"))
    told = Receipt(wish, fetched.version, now.isoformat(timespec="seconds"), count)
    write_text(receipt, json.dumps(asdict(told), indent=1) + "\n")
    if target.exists():
        target.rmdir()
    fetched.folder.rename(target)


def _by_hand(card: Card, folder: Path) -> str:
    note = f" {card.get.note}" if card.get.note else ""
    page = f" from {card.homepage}" if card.homepage else ""
    return (
        f"Card {card.name!r} cannot be fetched by a program: get it by hand{page}, unpack it into {folder} and run "
        f"`fauxlens data scan` on that.{note}"
    )


def _named(on_progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    if on_progress is None:
        return None
    report = on_progress
    return lambda done, total: report(done, total, what)
