"""One epoch: learn from every batch, then evaluate on the validation rows. Training and fine-tuning share it."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.common.errors import TrainError
from train.fit.batches import Batch, SplitRows


@dataclass(frozen=True)
class BatchProgress:
    """One batch done, for a progress bar; `epoch` and `batch` count from 1, `loss` is the mean of the epoch so far.

    done, total: batches of all stages together, should none of them end early.
    """

    stage: str
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    done: int
    total: int


_DIVERGED = "The training loss is NaN or infinite: lower learning_rate in the recipe."

BatchCallback = Callable[[BatchProgress], None]


def batch_reporter(
    on_batch: BatchCallback, stage: str, epoch: int, epochs: int, batches: int, others: tuple[int, int] = (0, 0)
) -> Callable[[int, float], None]:
    """Dress an epoch's bare (batches done, mean loss) up as a BatchProgress; `epoch` counts from 0 here.

    others: batches of the stages before this one, and of those before and after it.
    """
    before, beside = others[0] + epoch * batches, others[1] + epochs * batches

    def report(batch: int, loss: float) -> None:
        on_batch(BatchProgress(stage, epoch + 1, epochs, batch, batches, loss, before + batch, beside))

    return report


Step = Callable[[int, Batch, float], float]
"""Take one optimizer step: the batch's number in the epoch, the batch, the learning rate -> the mean loss."""


def keras_step(model: Any) -> Step:
    """The step of a compiled Keras model on one worker."""

    def step(number: int, batch: Batch, rate: float) -> float:
        x, y, weight = batch
        model.optimizer.learning_rate.assign(rate)
        return float(model.train_on_batch(x, y, sample_weight=weight))

    return step


def learn_epoch(
    step: Step,
    batches: Iterable[Batch],
    rate: Callable[[int], float],
    on_batch: Callable[[int, float], None],
    after_step: Callable[[], None] = lambda: None,
) -> float:
    """Take one optimizer step a batch and return the mean loss.

    `rate` gives the learning rate of batch 0, 1, ...; `on_batch` hears the number of batches done and the mean loss,
    and `after_step` is called before it. Raises TrainError when the loss stops being a number.
    """
    total = 0.0
    done = 0
    for batch in batches:
        total += step(done, batch, rate(done))
        done += 1
        after_step()
        if not math.isfinite(total):
            raise TrainError(_DIVERGED)
        on_batch(done, total / done)
    return total / done


def validate_logits(logits: np.ndarray, rows: SplitRows) -> tuple[float, float]:
    """Binary cross-entropy (nats) and AUC of logits [N] of `rows`, both weighted as the rows are.

    Raises TrainError where a logit is no finite number.
    """
    from sklearn.metrics import roc_auc_score

    logits = logits.astype(np.float64)
    if not np.isfinite(logits).all():
        # The last step of an epoch may be the one that ruins the weights.
        raise TrainError(_DIVERGED)
    # -log sigmoid(z) for fakes and -log sigmoid(-z) for reals, without overflow.
    losses = np.logaddexp(0, np.where(rows.is_fake, -logits, logits))
    return float(np.average(losses, weights=rows.weights)), float(
        roc_auc_score(rows.is_fake, logits, sample_weight=rows.weights)
    )
