"""What `evaluate` knows of one model: its scores, what it was shown, and what else can be asked of it."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from train.data.store import Store
from train.evaluate.report.build import Scored
from train.evaluate.report.html import Illustration
from train.evaluate.robustness.apply import Probabilities
from train.image.view import Unclear, View


@dataclass(frozen=True)
class ScoredModel:
    """A model's scores, what it was shown, what else can be asked of it, and its mean heatmaps if it gives any.

    `marked` are all the rows that its view can show, with `seen`. Scores of another tool come without a model to ask
    more of; `notes` say what became of them.
    """

    scored: Scored
    marked: pl.DataFrame
    view: View
    unclear: Unclear
    open_model: Callable[[], Probabilities] | None
    open_store: Callable[[], Store] | None = None
    illustrations: tuple[Illustration, ...] = ()
    notes: tuple[str, ...] = ()
