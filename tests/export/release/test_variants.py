from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from export.artifacts.bundle import LINEAGE
from export.artifacts.description import VARIANTS
from export.benchmark.latency import BenchmarkMachine
from export.release.make_variants import SOURCES
from export.release.variants import (
    COLUMNS,
    Variant,
    VariantComparison,
    choose_variant,
    lying,
    reason,
    variant_cells,
    variants_document,
)

Make = Callable[..., Variant]


def rows(variant: Make, ptq: tuple[float, float], qat: tuple[float, float]) -> tuple[Variant, ...]:
    """float32, and two int8 variants of some validation AUC and flips."""
    return (
        variant("float32", validation_auc=0.999, flips=0.0),
        variant("ptq-int8", validation_auc=ptq[0], flips=ptq[1]),
        variant("qat-int8", validation_auc=qat[0], flips=qat[1]),
    )


@pytest.mark.parametrize(
    ("ptq", "qat", "wanted"),
    [
        ((0.9699, 0.02), (0.9704, 0.06), "ptq-int8"),  # within 0.002: fewer flips
        ((0.9699, 0.06), (0.9704, 0.02), "qat-int8"),
        ((0.9650, 0.02), (0.9704, 0.06), "qat-int8"),  # fine-tuning has earned its place
        ((0.9725, 0.06), (0.9704, 0.02), "ptq-int8"),
        ((0.9685, 0.02), (0.9704, 0.06), "ptq-int8"),
    ],
)
def test_the_best_int8_ships_and_says_why(
    variant: Make, ptq: tuple[float, float], qat: tuple[float, float], wanted: str
) -> None:
    table = rows(variant, ptq, qat)
    chosen = choose_variant(table)
    assert chosen.name == wanted
    why = reason(chosen, table)
    assert f"{ptq[0]:.4f}" in why
    assert f"{qat[0]:.4f}" in why
    if "flips" in why:
        assert chosen.against_float.balanced.value == min(ptq[1], qat[1])
        assert f"{ptq[1]:.2%}" in why
    else:
        assert abs(ptq[0] - qat[0]) > 0.002


def test_one_int8_needs_no_comparison(variant: Make) -> None:
    table = (variant("float32", validation_auc=0.999), variant("ptq-int8", validation_auc=0.9))
    assert choose_variant(table).name == "ptq-int8"
    assert reason(choose_variant(table), table) == "it is the only candidate"


def test_what_has_learned_nothing_is_not_called_the_best(variant: Make) -> None:
    table = rows(variant, (0.51, 0.0), (0.54, 0.0))
    why = reason(choose_variant(table), table)
    assert "none has learned anything" in why
    assert "0.54" in why or "0.51" in why
    assert "best" not in why


def test_without_int8_the_best_float_ships(variant: Make) -> None:
    table = (variant("float32", validation_auc=0.97, flips=0.0), variant("dynamic", validation_auc=0.9, flips=0.1))
    assert choose_variant(table).name == "float32"


def test_the_table_has_a_cell_for_every_column_lying_or_standing(variant: Make) -> None:
    table = rows(variant, (0.97, 0.02), (0.97, 0.03))
    assert {len(variant_cells(one)) for one in (*table, variant(heatmaps=None, latency=()))} == {len(COLUMNS)}
    head, body = lying(table)
    assert head == ("variant", "float32", "ptq-int8", "qat-int8")
    assert [row[0] for row in body] == list(COLUMNS[1:])
    assert body[1][1] == "2.50 (2.25 to 3.12)"


def test_the_table_is_plain_json(variant: Make) -> None:
    table = rows(variant, (0.97, 0.02), (0.97, 0.03))
    comparison = VariantComparison(
        (*table, variant("dynamic", heatmaps=None)), "ptq-int8", "so", "per-channel", BenchmarkMachine("x", 2, 0)
    )
    plain = json.loads(json.dumps(variants_document(comparison), allow_nan=False))
    assert [row["name"] for row in plain["variants"]] == ["float32", "ptq-int8", "qat-int8", "dynamic"]
    assert plain["variants"][1]["latency"][1]["median"] == 1.5
    assert plain["variants"][3]["heatmaps"] is None
    assert plain["default"] == "ptq-int8"


def test_every_variant_has_a_source_and_a_lineage() -> None:
    assert set(SOURCES) == set(VARIANTS) == set(LINEAGE)
    assert all(LINEAGE[name] == f"keras-{state}" for name, (state, _) in SOURCES.items())
    assert next(iter(SOURCES)) == "float32", "heatmaps of the others are compared with it"
