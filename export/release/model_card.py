"""The model card (Mitchell et al. 2019, "Model Cards for Model Reporting"), filled from what was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from export.artifacts.description import Description
from export.explain.localisation import COLUMNS as LOCALISATION_COLUMNS
from export.explain.localisation import Localisation, table_rows
from export.release.hugging_face import front_matter
from export.release.variants import COLUMNS, NOTES, VariantComparison, variant_cells
from train.common.table_formats import markdown_code, markdown_text
from train.data.reconstruct.autoencoder import NOISE
from train.evaluate.decision import WORDS
from train.evaluate.prior_shift import alarm_sentences
from train.evaluate.thresholds import rates_too_small

if TYPE_CHECKING:
    from jinja2 import Environment

    from train.evaluate.evaluation import Evaluation
    from train.fit.average import Averaged

_WEAK = 0.5
"""A generator is listed under known failures when less than this part of its fakes is called fake."""


_ALARMING = 0.05
"""A source of real pictures is listed there when more than this part of it is called fake."""

RECONSTRUCTIONS = "reconstructions of reals"
"""What `Learned.source` says of reconstructions, which have a source for every source of reals."""


@dataclass(frozen=True)
class Learned:
    """How many pictures of one source and generator, in training, stand in each split of the manifest."""

    source: str
    generator: str
    label: str
    train: int
    val: int
    test: int


def render_card(
    description: Description,
    evaluation: "Evaluation",
    *,
    comparison: VariantComparison,
    learned: Sequence[Learned],
    baseline: str | None,
    localisation: Sequence[Localisation] = (),
    recipe_text: str,
    recipe_sha256: str,
    averaged: "Averaged | None" = None,
) -> str:
    """The model card of a shipped variant as Markdown, with the YAML head that the Hugging Face Hub reads.

    `evaluation` is that of the same variant; `comparison` is the table of all and why this one ships; `learned` is what
    it was trained on; `baseline` is a sentence on what file metadata alone reaches, None where there were too few
    pictures to say; `localisation` is how well its heatmaps point at the masks of local fakes; `recipe_text` is the
    recipe it was trained by, printed whole so that the run can be repeated; `averaged` says what its weights are the
    average of.
    """
    made = sorted({one.generator for one in learned if one.source == RECONSTRUCTIONS})
    template = markdown_environment().get_template("card.md.j2")
    text = template.render(
        d=description,
        j=evaluation,
        c=comparison,
        columns=COLUMNS,
        rows=[variant_cells(variant) for variant in comparison.variants],
        how_to_read=NOTES,
        learned=learned,
        reconstructed=",".join(name for name in made if not name.endswith(NOISE)),
        with_noise=",".join(name.removesuffix(NOISE) for name in made if name.endswith(NOISE)),
        averaged=averaged,
        baseline=baseline,
        localisation=[table_rows([one])[0] for one in localisation],
        localisation_columns=LOCALISATION_COLUMNS,
        weak=[group for group in evaluation.generators if group.called.balanced.value < _WEAK],
        alarming=[source for source in evaluation.real_sources if source.called.balanced.value > _ALARMING],
        recipe=recipe_text.rstrip("\n"),
        recipe_sha256=recipe_sha256,
        fence=_fence(recipe_text),
        prior_shift=alarm_sentences(evaluation),
        words=WORDS,
        small_rates=rates_too_small(sum(one.val for one in learned if one.label == "real")),
        points={
            "balanced": ("balanced", "unsure"),
            "fpr-1%": ("fpr_1", "unsure_fpr_1"),
            "fpr-0.5%": ("fpr_05", "unsure_fpr_05"),
        },
    )
    return front_matter(description, evaluation) + text


def markdown_environment() -> "Environment":
    """Jinja for the templates of this folder, which are Markdown; the filters `cell` and `inline` escape."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("export.release", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, where the filters escape
    )
    environment.filters |= {
        "interval": _interval,
        "percent": _percent,
        "cell": lambda value: markdown_text(str(value)),
        "inline": lambda value: markdown_code(str(value)),
    }
    return environment


def _interval(value: Any) -> str:
    """An Interval as "0.912 (0.890 to 0.931)"."""
    if value is None or math.isnan(value.value):
        return "not measured"
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _percent(value: Any) -> str:
    return f"{100 * value.value:.1f} % ({100 * value.low:.1f} to {100 * value.high:.1f})"


def _fence(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return fence
