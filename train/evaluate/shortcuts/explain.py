"""What else than faces tells real from fake in a manifest, and whether it explains a detector's figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from PIL import Image

from train.data.audit.metadata_baseline import cross_validated, fit_framing
from train.evaluate.shortcuts.bias_score import BiasScore

Kind = Literal["metadata", "framing", "low-frequency"]
WORDS: dict[str, str] = {
    "metadata": "the files' size, format and JPEG quality",
    "framing": "the place and distance of the eyes",
    "low-frequency": "a thumbnail of 16 pixels",
}
SIDE = 16
MOST_ROWS = 4_000
"""Of which the thumbnails take a few seconds, and the interval is about +-0.02."""
NO_FIGURE = 0.55
"""Below this AUC a detector has no figure to explain."""
EXPLAINS, EXPLAINS_MUCH = 0.9, 0.5
"""Shares of a detector's AUC above one half from which a shortcut is said to explain it, or much of it."""


@dataclass(frozen=True)
class ShortcutBaseline:
    """What a classifier that sees one thing only reaches out of fold, AUC with its 95 % interval, all 0..1."""

    kind: Kind
    auc: float
    low: float
    high: float


@dataclass(frozen=True)
class Shortcuts:
    """The baselines, the bias score where it was asked for, and one sentence on which of them explains the figure."""

    baselines: tuple[ShortcutBaseline, ...]
    bias: BiasScore | None
    sentence: str


def framing_baseline(frame: pl.DataFrame) -> ShortcutBaseline | None:
    """What the eyes' place and distance tell, by a decision tree; None where too few rows have eyes."""
    found = fit_framing(frame)
    return None if found is None else ShortcutBaseline("framing", found.auc, found.low, found.high)


def low_frequency_baseline(frame: pl.DataFrame, pixels: np.ndarray, seed: int = 0) -> ShortcutBaseline | None:
    """What a thumbnail of 16 x 16 pixels tells, by logistic regression; None where a class has too few groups.

    frame: manifest rows; pixels: uint8 [N, S, S, 3], the view of each. Of more than 4,000 rows a sample is taken.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    index = np.arange(frame.height)
    if frame.height > MOST_ROWS:
        index = np.sort(np.random.default_rng(seed).choice(frame.height, MOST_ROWS, replace=False))
    thumbnails = np.stack([thumbnail(pixels[one]) for one in index])
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", solver="newton-cholesky")
    )
    found = cross_validated(frame[index], thumbnails, classifier, seed)
    return None if found is None else ShortcutBaseline("low-frequency", found.auc, found.low, found.high)


def thumbnail(view: np.ndarray) -> np.ndarray:
    """The mean colours of a view uint8 [S, S, 3] over 16 x 16 fields, float64 [768]."""
    small = Image.fromarray(view).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float64).ravel()


def explain_auc(
    auc: float, baselines: Sequence[ShortcutBaseline], bias: BiasScore | None, *, aligned: bool = False
) -> Shortcuts:
    """Say which shortcut explains a detector's AUC.

    A baseline's share is how far its AUC is above one half, against the detector's; that of processing is how much of
    the detector's is lost when each class is saved as the other. aligned: the view cuts faces out alike, so that
    framing is not seen and explains nothing.
    """
    # Where pictures were swapped, that is the test itself, and what their files might tell is no longer asked.
    skipped = {"framing"} if aligned else set()
    skipped |= {"metadata"} if bias else set()
    seen = [one for one in baselines if one.kind not in skipped]
    shares = [(one.auc - 0.5, f"{WORDS[one.kind]} alone {_reach(one)} AUC {one.auc:.2f}, where it reaches {auc:.2f}")
              for one in seen]  # fmt: skip
    swapped = ""
    if bias is not None:
        before, after = bias.auc_before.value, bias.auc_after.value
        swapped = (
            f"saved as files of the other class are, the same pictures give AUC {after:.2f} instead of {before:.2f}"
        )
        lost = (before - max(after, 0.5)) / max(before - 0.5, 1e-9)
        shares.append((lost * (auc - 0.5), swapped))
    return Shortcuts(tuple(baselines), bias, _sentence(auc, shares, baselines, swapped))


def _sentence(auc: float, shares: list[tuple[float, str]], baselines: Sequence[ShortcutBaseline], swapped: str) -> str:
    if auc < NO_FIGURE:
        return f"AUC {auc:.2f} is hardly better than guessing: there is nothing to explain by shortcuts."
    if not shares:
        return "No shortcut was tried: there are too few pictures for it."
    gain, found = max(shares)
    share = gain / (auc - 0.5)
    start = f"{found[0].upper()}{found[1:]}"
    if share >= EXPLAINS:
        return f"{start}: that explains the figure, which then says nothing about faces."
    if share >= EXPLAINS_MUCH:
        return f"{start}: that may explain much of the result."
    listed = ", ".join(f"{WORDS[one.kind]} {one.auc:.2f}" for one in baselines)
    alone = f" (AUC of each alone, whether the detector sees it or not: {listed})" if listed else ""
    also = f"; {swapped}" if swapped else ""
    return f"No shortcut that was tried explains AUC {auc:.2f}{alone}{also}."


def _reach(one: ShortcutBaseline) -> str:
    return "reaches" if one.kind == "low-frequency" else "reach"
