"""What a training has reached, kept so that a kill at any moment loses at most one epoch.

`progress.json` is the only truth: it names the checkpoint and the best weights that belong to it, and is replaced in
one step after both are on disk. Files that it does not name are left-overs and are swept away.
"""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.documents import read_json_object
from train.common.errors import TrainError
from train.common.tf import load_tensorflow

# What `save_checkpoint` and the loop call theirs, and the unfinished ones of a training that was killed.
_OURS = re.compile(r"epoch-\d{4}|best-\d{4}\.h5|\.(epoch|best)-\d{4}\..+|\.progress\..+\.part\.json")
GUESSING = 0.55
"""Validation AUC up to which a detector has learned nothing worth shipping; 0.5 is guessing."""


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: where it stands, its losses (mean binary cross-entropy) and the validation AUC."""

    stage: int
    epoch: int
    train_loss: float
    val_loss: float
    val_auc: float
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """How far training has come: `stage` and `epoch` to do next, epochs since the best one of this stage, all history.

    `kept` is the place in `history` of the epoch whose weights `best_weights` are: the best one of the last stage that
    was begun.
    """

    stage: int = 0
    epoch: int = 0
    waited: int = 0
    checkpoint: str = ""
    best_weights: str = ""
    kept: int = -1
    history: tuple[Epoch, ...] = ()


def save_progress(folder: Path, progress: Progress) -> None:
    """Replace progress.json in `folder`, then remove checkpoints and weights that it no longer names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "progress.json", json.dumps(asdict(progress), indent=1))
    sweep_checkpoints(folder, keep=(progress.checkpoint, progress.best_weights))


def sweep_checkpoints(folder: Path, keep: Sequence[str] = ()) -> None:
    """Remove checkpoints and best weights of training from `folder`, but for those to `keep`; other files stay."""
    for path in folder.glob("*"):
        if path.name in keep or not _OURS.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def load_progress(folder: Path) -> Progress:
    """Read progress.json; a folder without one means a fresh start. Raises TrainError when it is damaged."""
    path = folder / "progress.json"
    if not path.exists():
        return Progress()
    try:
        table = read_json_object(path, error=TrainError, remedy="train again into another folder")
        # Written until November 2026, when the best epoch was one of all stages.
        table.pop("best_loss", None)
        return Progress(**{**table, "history": tuple(Epoch(**row) for row in table["history"])})
    except (KeyError, TypeError) as error:
        raise TrainError(f"{path} is damaged: train again into another folder.") from error


def save_checkpoint(folder: Path, name: str, model: Any, average: Any) -> None:
    """Write the model's weights, its optimizer's state and the average's into `folder/name`, in one step."""
    tf = load_tensorflow()

    temporary = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder))
    try:
        tf.train.Checkpoint(model=model, optimizer=model.optimizer, average=average).write(str(temporary / "state"))
        # A folder of this name is the left-over of a kill between here and progress.json.
        shutil.rmtree(folder / name, ignore_errors=True)
        temporary.rename(folder / name)
    except tf.errors.OpError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise _of_the_disk(error, folder / name) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _of_the_disk(error: Exception, path: Path) -> Exception:
    """What TensorFlow says of a disk that takes no checkpoint, as Python says it."""
    text = str(error)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES):
        if os.strerror(number) in text:
            return OSError(number, os.strerror(number), str(path))
    return TrainError(f"{path}: the checkpoint cannot be written ({' '.join(text.split())[:150]}): check the disk.")


def restore_checkpoint(folder: Path, name: str, model: Any, average: Any) -> None:
    """Bring a compiled model, its optimizer and the average's state back to a checkpoint.

    Raises TrainError when it cannot be read.
    """
    tf = load_tensorflow()
    model.optimizer.build(model.trainable_variables)
    try:
        kept = tf.train.Checkpoint(model=model, optimizer=model.optimizer, average=average)
        with _plain_path(folder / name) as place:
            status = kept.read(str(place / "state"))
            status.assert_existing_objects_matched()
    except (tf.errors.OpError, AssertionError) as error:
        reason = " ".join(str(error).split())[:150]
        raise TrainError(
            f"{folder / name}: the checkpoint cannot be read ({reason}): check the disk, or train again into another "
            "folder."
        ) from error


@contextmanager
def _plain_path(folder: Path) -> Iterator[Path]:
    """Another path of a folder for TensorFlow, which takes brackets, stars and question marks in one for a pattern."""
    with tempfile.TemporaryDirectory() as place:
        link = Path(place, "checkpoint")
        link.symlink_to(folder.resolve(), target_is_directory=True)
        yield link
