"""What a training leaves to watch it by: history.csv, and scalars, pictures and curves for TensorBoard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from train.common.atomic import write_bytes
from train.common.tf import load_tensorflow
from train.fit.batches import Batch, SplitRows
from train.fit.checkpoints import Epoch
from train.fit.run_folder import Run

HISTORY = "history.csv"
_SHOWN = 16
_THRESHOLDS = 201


class RunLog:
    """The log of one training; a resumed one adds to TensorBoard's files and writes history.csv anew as a whole."""

    def __init__(self, run: Run) -> None:
        tf = load_tensorflow()
        self._run = run
        self._board = tf.summary.create_file_writer(str(run.folder / "tensorboard"))

    def begin(self) -> None:
        """Note the recipe as hyper-parameters."""
        from tensorboard.plugins.hparams import api

        with self._board.as_default(step=0):
            api.hparams(_flat(asdict(self._run.recipe)), trial_id=self._run.recipe.sha256)
        self._board.flush()

    def showing(self, batches: Iterable[Batch], step: int) -> Iterator[Batch]:
        """Pass batches on, and draw the first one's pictures as the network gets them."""
        tf = load_tensorflow()
        for number, batch in enumerate(batches):
            planes = batch[0]
            # Cached features are no pictures, and planes beyond the first three have no colour.
            if number == 0 and np.ndim(planes) == 4:
                shown = np.clip((np.asarray(planes)[:_SHOWN, :, :, :3] * 127.5 + 128) / 255, 0, 1)
                with self._board.as_default(step=step):
                    tf.summary.image("training batch", shown, max_outputs=_SHOWN)
            yield batch

    def epoch(self, history: Sequence[Epoch], logits: np.ndarray, rows: SplitRows) -> None:
        """Log the last epoch of a history with what it makes of the validation rows: logits float32 [N]."""
        from tensorboard.plugins.pr_curve import summary as pr_curve

        tf = load_tensorflow()
        probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
        curve = pr_curve.pb("precision and recall", rows.is_fake, probability, _THRESHOLDS, rows.weights)
        with self._board.as_default(step=len(history)):
            for name in ("train_loss", "val_loss", "val_auc", "learning_rate"):
                tf.summary.scalar(name, getattr(history[-1], name))
            tf.summary.experimental.write_raw_pb(curve.SerializeToString())
            tf.summary.text("confusion", confusion(logits, rows.is_fake))
        self._board.flush()
        self.write_history(history)

    def write_history(self, history: Sequence[Epoch]) -> None:
        """Write history.csv: a line an epoch, as progress.json has them, with the stages' names."""
        stages = self._run.recipe.stages
        lines = [asdict(one) | {"stage": stages[one.stage].name, "epoch": one.epoch + 1} for one in history]
        write_bytes(self._run.folder / HISTORY, pl.DataFrame(lines).write_csv().encode())


def confusion(logits: np.ndarray, is_fake: np.ndarray) -> str:
    """The confusion matrix of logits [N] at a probability of 0.5, as a table in Markdown."""
    called = logits > 0
    lines = ["| | called real | called fake |", "|---|---|---|"]
    for name, rows in (("real", ~is_fake.astype(bool)), ("fake", is_fake.astype(bool))):
        lines.append(f"| {name} | {int((rows & ~called).sum())} | {int((rows & called).sum())} |")
    return "\n".join(lines)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, bool | int | float | str]:
    """Dotted keys to values; a list as text."""
    flat: dict[str, bool | int | float | str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            for place, one in enumerate(value):
                flat |= _flat(one, f"{before}{name}.{place}.")
        elif value is not None:
            flat[f"{before}{name}"] = value if isinstance(value, bool | int | float | str) else str(list(value))
    return flat
