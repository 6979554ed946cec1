from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from export.artifacts.description import Description
from export.benchmark.latency import BenchmarkMachine
from export.explain.localisation import Localisation
from export.release.model_card import RECONSTRUCTIONS, Learned, render_card
from export.release.variants import COLUMNS, Variant, VariantComparison, variant_cells
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.metrics import Interval
from train.fit.average import Averaged

if TYPE_CHECKING:
    from tests.export.conftest import Describe

POINTS = OperatingPoints(0.5, 0.75, 0.875, 0.375)
GROUPS = [
    ("real", "camera", "camera", "studio", True, 0.1),
    ("real", "camera", "camera", "web|new", False, 0.7),
    ("fake", "checker", "gan", "drawn", True, 0.9),
    ("fake", "un_seen*", "diffusion", "other", False, 0.2),
]


def evaluated(groups: list[tuple[str, str, str, str, bool, float]]) -> Evaluation:
    rng = np.random.default_rng(0)
    rows = []
    for label, generator, family, source, seen, centre in groups:
        for number, p in enumerate(np.clip(rng.normal(centre, 0.05, 40), 0.01, 0.99)):
            path, logit = f"{source}/{generator}/{number}", float(np.log(p / (1 - p)))
            rows.append((path, label, generator, family, source, "test", seen, logit, float(p)))
    columns = ["path", "label", "generator", "family", "source", "split", "seen", "log_odds", "probability"]
    return evaluate_scores(pl.DataFrame(rows, columns, orient="row"), POINTS, name="tiny", resamples=50)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluated(GROUPS)


Render = Callable[..., str]


@pytest.fixture(scope="module")
def render(variant: Callable[..., Variant]) -> Render:
    """Renders a card with some of its parts changed."""

    def card(description: Description, evaluation: Evaluation, *, why: str = "so", **changes: Any) -> str:
        rows = (variant("float32"), variant("ptq-int8", flips=0.025), variant("qat-int8", heatmaps=None))
        parts: dict[str, Any] = {
            "comparison": VariantComparison(rows, "ptq-int8", why, "per-channel", BenchmarkMachine("Engine", 2, 0.5)),
            "learned": (
                Learned("studio", "camera", "real", 700, 150, 160),
                Learned("drawn", "checker", "fake", 1, 2, 3),
            ),
            "baseline": "File metadata alone says nothing.",
            "recipe_text": 'title = "x"\n',
            "recipe_sha256": "a" * 64,
        }
        return render_card(description, evaluation, **(parts | changes))

    return card


def test_the_card_names_what_a_user_must_know(render: Render, evaluation: Evaluation, describe: Describe) -> None:
    one = describe("ptq-int8")
    card = render(one, evaluation, why="it is the only candidate")
    for text in (
        one.view.replace("|", "\\|"),
        one.training_sha256,
        "CC0-1.0",
        "checker",
        'title = "x"',
        "| balanced | 0.5000 | 0.3750 |",
        "it is the only candidate",
        "File metadata alone says nothing.",
        "| real | camera | studio | 700 | 150 | 160 |",
        "per-channel",
        "a" * 64,
        "fauxlens train recipe.toml",
        "2 processors Engine at a load of 0.5",
        "fauxlens 0.1.0",
    ):
        assert text in card
    for group in evaluation.generators:
        auc = group.metrics.auc
        assert f"{auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})" in card


def test_the_card_has_the_table_of_all_variants(
    render: Render, evaluation: Evaluation, describe: Describe, variant: Callable[..., Variant]
) -> None:
    table = render(describe("ptq-int8"), evaluation).split("## Variants")[1].split("\n## ")[0]
    assert all(column.replace("|", "\\|") in table for column in COLUMNS)
    for row in (variant("float32"), variant("ptq-int8", flips=0.025), variant("qat-int8", heatmaps=None)):
        assert f"| {' | '.join(variant_cells(row))} |" in table
    assert table.count("  - ") == 3


def test_the_card_tells_how_well_heatmaps_point(render: Render, evaluation: Evaluation, describe: Describe) -> None:
    found = Localisation("called fake", 40, Interval(0.6, 0.45, 0.74), 0.2, 0.36, 0.15)
    card = render(describe(), evaluation, localisation=(found,))
    assert "| called fake | 40 | 60% \\[45%, 74%\\] | 20% | 0.36 | 0.15 |" in card
    assert "Heatmap localisation" not in render(describe(), evaluation)


def test_a_card_without_a_baseline_says_so(render: Render, evaluation: Evaluation, describe: Describe) -> None:
    assert "too few pictures to tell" in render(describe(), evaluation, baseline=None)


def test_a_card_says_which_rates_its_validation_photographs_cannot_hold(
    render: Render, evaluation: Evaluation, describe: Describe
) -> None:
    points = render(describe(), evaluation).split("## Operating points")[1].split("\n## ")[0]
    assert "0.5 % of 150 validation photographs is less than one photograph" in points
    many = (Learned("studio", "camera", "real", 700, 200, 160), Learned("drawn", "checker", "fake", 700, 20, 3))
    assert "less than one photograph" not in render(describe(), evaluation, learned=many)


def test_failures_are_told(render: Render, evaluation: Evaluation, describe: Describe) -> None:
    card = render(describe(), evaluation)
    failures = card.split("## Known failures")[1].split("\n## ")[0]
    assert "un\\_seen\\* (not seen in training): only 0.0 %" in failures
    assert "Real pictures of web\\|new (not seen in training): 100.0 %" in failures
    assert "Generators outside training: AUC" in failures
    assert "checker" not in failures
    assert "studio" not in failures


def test_a_card_without_unseen_generators_says_so(render: Render, describe: Describe) -> None:
    card = render(describe(), evaluated([GROUPS[0], GROUPS[2]]))
    assert "No generator outside training was tested" in card


def test_names_cannot_write_markdown_of_their_own(render: Render, evaluation: Evaluation, describe: Describe) -> None:
    evil = "x | y <script> [a](b) `c` # d"
    card = render(
        describe(name=evil, seen=((evil, evil),), licences=(evil,)),
        evaluation,
        why=evil,
        learned=[Learned(evil, evil, "fake", 1, 2, 3)],
        baseline=evil,
        recipe_text="```\n# not a title",
    )
    assert "<script>" not in card
    assert "[a](b)" not in card
    titles = [line for line in card.split("````toml")[0].splitlines() if line.startswith("# ")]
    assert len(titles) == 1
    assert "````toml\n```\n# not a title\n````" in card


def test_every_table_row_has_as_many_cells_as_its_head(
    render: Render, evaluation: Evaluation, describe: Describe
) -> None:
    card = render(describe(name="a|b"), evaluation)
    width = 0
    rows = 0
    for line in card.splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not (cells and width) or cells == width, line
        width, rows = cells, rows + bool(cells)
    assert rows > 20


@pytest.mark.parametrize(
    ("licences", "head"),
    [
        (("SPDX-License-Identifier: CC-BY-NC-4.0", "Of the pictures: mixed."), {"license": "cc-by-nc-4.0"}),
        (("SPDX-License-Identifier: LicenseRef-Mine",), {"license": "other", "license_name": "LicenseRef-Mine"}),
        (("Drawn, by many.", "CC0."), {"license": "other", "license_name": "Drawn, by many. CC0."}),
        ((), {"license": "unknown"}),
    ],
)
def test_the_hub_reads_the_head(
    render: Render, evaluation: Evaluation, describe: Describe, licences: tuple[str, ...], head: dict[str, str]
) -> None:
    """By huggingface_hub's own reader: the model-index gives back the figures, and the text below is untouched."""
    hub = pytest.importorskip("huggingface_hub", reason="the extra `hubs` is not installed")
    name = 'Faces: "all" --- #1 {x}'
    card = hub.ModelCard(render(describe("ptq-int8", name=name, licences=licences), evaluation))
    data = card.data.to_dict()
    assert {key: data.get(key) for key in head} == head
    assert data["pipeline_tag"] == "image-classification"
    results = {one.metric_name: one.metric_value for one in card.data.eval_results}
    assert results["AUC"] == round(evaluation.overall.auc.value, 4)
    assert evaluation.unseen is not None
    assert results["AUC, fakes outside training"] == round(evaluation.unseen.auc.value, 4)
    assert card.data.model_name == name
    assert card.text.lstrip().startswith("# Faces")


def test_the_steps_have_all_kinds_of_reconstructions_and_the_average(
    render: Render, evaluation: Evaluation, describe: Describe
) -> None:
    made = tuple(
        Learned(RECONSTRUCTIONS, name, "fake", 5, 1, 1) for name in ("taesd-noise", "taesd", "taef1-noise", "taesdxl")
    )
    averaged = Averaged("third", "a" * 64, "second.h5", "b" * 64, 0.25)
    card = render(describe(), evaluation, learned=made, averaged=averaged)
    for line in (
        "--out reconstructed --autoencoder taesd,taesdxl\n",
        "--out noisy --autoencoder taef1,taesd --latent-noise NOISE\n",
        "data merge manifest.csv reconstructed/manifest.csv noisy/manifest.csv --out",
        f"average runs/again WEIGHTS.h5 --share 0.25 --out runs/averaged   # WEIGHTS.h5: SHA-256 {'b' * 64}\n",
        "fauxlens quantize runs/averaged\n",
    ):
        assert line in card
    plain = render(describe(), evaluation)
    assert "fauxlens quantize runs/again\n" in plain
    assert not any(word in plain for word in ("reconstruct", "noisy", "data merge", "average runs"))
