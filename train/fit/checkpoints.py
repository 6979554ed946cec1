"""What a training has reached, kept so that a kill at any moment loses at most one epoch.

`progress.json` is the only truth: it names the checkpoint and the best weights that belong to it, and is replaced in
one step after both are on disk. Files that it does not name are left-overs and are swept away.
"""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.errors import TrainError
from train.common.tf import load_tensorflow


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
    """How far training has come: `stage` and `epoch` to do next, best validation loss, epochs since, all history."""

    stage: int = 0
    epoch: int = 0
    best_loss: float = float("inf")
    waited: int = 0
    checkpoint: str = ""
    best_weights: str = ""
    history: tuple[Epoch, ...] = ()


def save_progress(folder: Path, progress: Progress) -> None:
    """Replace progress.json in `folder`, then remove checkpoints and weights that it no longer names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "progress.json", json.dumps(asdict(progress), indent=1))
    for path in folder.iterdir():
        if path.name in ("progress.json", progress.checkpoint, progress.best_weights):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def load_progress(folder: Path) -> Progress:
    """Read progress.json; a folder without one means a fresh start. Raises TrainError when it is damaged."""
    path = folder / "progress.json"
    if not path.exists():
        return Progress()
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Progress(**{**table, "history": tuple(Epoch(**row) for row in table["history"])})
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise TrainError(f"{path} is damaged: delete the folder {folder} and train again.") from error


def save_checkpoint(folder: Path, name: str, model: Any) -> None:
    """Write the model's weights and its optimizer's state into `folder/name`, in one step."""
    tf = load_tensorflow()

    temporary = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder))
    try:
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(temporary / "state"))
        # A folder of this name is the left-over of a kill between here and progress.json.
        shutil.rmtree(folder / name, ignore_errors=True)
        temporary.rename(folder / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def restore_checkpoint(folder: Path, name: str, model: Any) -> None:
    """Bring a compiled model and its optimizer back to a checkpoint; raises TrainError when it cannot be read."""
    tf = load_tensorflow()
    model.optimizer.build(model.trainable_variables)
    try:
        status = tf.train.Checkpoint(model=model, optimizer=model.optimizer).read(str(folder / name / "state"))
        status.assert_existing_objects_matched()
    except (tf.errors.OpError, AssertionError) as error:
        raise TrainError(f"{folder / name}: the checkpoint is damaged: delete {folder} and train again.") from error
