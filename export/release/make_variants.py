"""The variants of a run: each converted, checked and scored, then compared with its Keras state and the float one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from export.artifacts.description import Description
from export.artifacts.metadata import attach
from export.benchmark.latency import Latency
from export.parity.heatmap_similarity import compare_maps
from export.quantize.describe import describe
from export.quantize.states import KerasState
from export.release.scoring import score_and_map
from export.release.variants import Variant
from export.tflite.checks import Requirements, check_detector
from export.tflite.convert import Arithmetic, convert
from export.tflite.gpu_delegate import gpu_note
from export.tflite.intermediates import wrong_planes
from train.backbones.table import BACKBONES
from train.common.errors import ExportError
from train.common.progress import LogCallback
from train.common.tf import load_tensorflow
from train.data.store import Store
from train.evaluate.flips import count_flips
from train.evaluate.metrics import compute_metrics
from train.evaluate.report.build import Scored
from train.evaluate.scores import write_scores
from train.evaluate.selection import (
    Pair,
    reported,
    rows_in_training,
    without_reconstructions,
)
from train.fit.run_folder import Run

SOURCES: dict[str, tuple[str, Arithmetic]] = {
    "float32": ("float", "float32"),
    "float16": ("float", "float16"),
    "dynamic": ("float", "dynamic"),
    "ptq-int8": ("ptq", "int8"),
    "qat-int8": ("qat", "int8"),
}
"""Each variant: the Keras state it comes from and the converter's arithmetic. float32 comes first: the heatmaps of the
others are compared with its own."""
_PROBES = 8
"""Views on which the front end inside a file is compared with its reference."""


@dataclass(frozen=True)
class MadeVariant:
    """A variant before it is described to the end: the converted model and what it made of the evaluated rows.

    `sealed` is the file `raw` with `description`, which has no figures yet.
    """

    name: str
    state: KerasState
    raw: bytes
    description: Description
    sealed: bytes
    partitions: int
    scored: Scored
    heatmaps: np.ndarray


def make_variants(
    run: Run,
    store: Store,
    rows: pl.DataFrame,
    seen: tuple[Pair, ...],
    states: Mapping[str, KerasState],
    log: LogCallback,
) -> list[MadeVariant]:
    """Convert, check and score every variant whose Keras state is there, but those that spoil their front end.

    The scores of each are written into the run folder. Raises ExportError where a variant breaks a requirement.
    """
    made = []
    probes = store.pixels[rows["row"].to_numpy()[:: max(1, rows.height // _PROBES)][:_PROBES]]
    for name, (state_name, arithmetic) in SOURCES.items():
        if state_name not in states:
            continue
        log(f"converting and scoring {name}")
        state = states[state_name]
        raw = convert(state.parts, arithmetic)
        description = describe(run, seen, name, state)
        sealed = attach(raw, description)
        facts = check_detector(sealed, name, _requirements(run, state, arithmetic))
        wrong = wrong_planes(sealed, state.parts.front_end.text, probes, name)
        if wrong and arithmetic in ("float16", "dynamic"):
            log(f"leaving out {name}: {wrong:.2%} of its front end's planes are not those of the reference")
            continue
        if wrong:
            raise ExportError(
                f"{name}: {wrong:.2%} of the planes of its front end {state.parts.front_end.text} differ from the "
                "reference; fix the graph or the reference first."
            )
        scores, heatmaps = score_and_map(store, rows, sealed)
        write_scores(scores, run.folder / "scores" / f"{name}.csv")
        scored = Scored(name, scores, state.points)
        made.append(MadeVariant(name, state, raw, description, sealed, facts.partitions, scored, heatmaps))
    return made


def _requirements(run: Run, state: KerasState, arithmetic: Arithmetic) -> Requirements:
    """What is required of a variant: XNNPACK takes it in one piece, behind a front end in two.

    float16 has one more, which unpacks the weights; of `dynamic` it takes no depthwise convolution, so that none is
    required, nor of backbones that the table says it of.
    """
    pieces = (1 if state.parts.front_end.text == "rgb" else 2) + (arithmetic == "float16")
    in_pieces = arithmetic == "dynamic" or not BACKBONES[run.recipe.model.backbone].in_one_piece
    return Requirements(
        int8_convolutions=_convolutions(state.parts.backbone) if arithmetic == "int8" else None,
        partitions=None if in_pieces else pieces,
        depthwise=run.recipe.quantize.depthwise,
    )


def _convolutions(backbone: Any) -> int:
    """How many convolutions a flat, fake-quantised backbone has: 27 for MobileNet V1."""
    layers = load_tensorflow().keras.layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D)
    return sum(isinstance(getattr(layer, "layer", None), kinds) for layer in backbone.layers)


def compare_made(
    one: MadeVariant, base: MadeVariant, keras: Mapping[str, Scored], latency: tuple[Latency, ...]
) -> Variant:
    scores, points = one.scored.scores, one.scored.points
    # What chooses thresholds chooses the variant, too.
    splits: tuple[Literal["val", "test"], ...] = ("val", "test")
    seen = {split: without_reconstructions(rows_in_training(scores, split)) for split in splits}
    aucs = {
        split: compute_metrics(
            (part["label"] == "fake").to_numpy(), part["probability"].to_numpy(), points.balanced
        ).auc
        for split, part in seen.items()
    }
    origin, reference = keras[one.state.name], keras["float"]
    against_keras = count_flips(origin.scores, scores, points, names=(origin.name, one.name))
    against_float = count_flips(
        reference.scores, scores, points, names=(reference.name, one.name), first_points=reference.points
    )
    return Variant(
        name=one.name,
        state=one.state.name,
        bytes=len(one.raw),
        partitions=one.partitions,
        latency=latency,
        validation_auc=aucs["val"].value,
        auc=aucs["test"],
        against_float=against_float,
        against_keras=against_keras,
        heatmaps=compare_maps(*_called_fake(base, one)),
        gpu=gpu_note(one.raw),
    )


def _called_fake(base: MadeVariant, one: MadeVariant) -> tuple[np.ndarray, np.ndarray]:
    """The heatmaps of two variants where both call a picture fake that was not trained or validated on."""
    outside = reported(base.scored.scores).to_numpy()
    both = outside.copy()
    for made in (base, one):
        both &= made.scored.scores["probability"].to_numpy() >= made.scored.points.balanced
    return base.heatmaps[both], one.heatmaps[both]
