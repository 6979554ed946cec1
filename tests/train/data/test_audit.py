"""audit: what makes a score worthless is found."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from PIL import Image
from rich.console import Console

from train.data.audit import Limits, audit
from train.data.audit_table import render_audit
from train.data.cards import usual_layout
from train.data.manifest import Manifest
from train.data.null_model import fit_null_model
from train.data.scan import Skipped, scan

Draw = Callable[..., Image.Image]


@pytest.fixture
def clean(tree: Path) -> Manifest:
    """Every split has both classes, and the file says nothing."""
    manifest = scan(tree, usual_layout(), manifest_path=tree / "m.csv")[0]
    splits = pl.int_range(pl.len()).over("label") % 3
    frame = manifest.frame.with_columns(
        split=splits.replace_strict({0: "train", 1: "val", 2: "test"}, return_dtype=pl.String),
        bytes=pl.int_range(pl.len()).over("label") + 5000,
    )
    return Manifest(frame, manifest.folder)


@pytest.fixture
def without_null_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save its seconds where it is not what is tested."""
    monkeypatch.setattr("train.data.audit.fit_null_model", lambda frame, seed: None)


def change(manifest: Manifest, row: int, **values: object) -> Manifest:
    at = pl.int_range(pl.len()) == row
    columns = [pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
    return Manifest(manifest.frame.with_columns(columns), manifest.folder)


def test_a_clean_manifest_passes(clean: Manifest) -> None:
    result = audit(clean)
    assert result.failures == ()
    assert result.null_model is not None
    assert result.null_model.low <= result.null_model.auc <= result.null_model.high
    assert sum(count.pictures for count in result.counts) == 60
    assert result.formats == {"real": {"JPEG": 30}, "fake": {"JPEG": 30}}
    widths = [spread for spread in result.spreads if spread.measure == "width"]
    assert {(s.lower, s.median, s.upper) for s in widths} == {(96.0, 96.0, 96.0)}


def test_it_is_json_and_the_same_each_time(clean: Manifest) -> None:
    once = audit(clean, [Skipped("a", "b")], seed=3)
    assert json.loads(json.dumps(asdict(once)))["skipped"] == [{"path": "a", "reason": "b"}]
    assert audit(clean, [Skipped("a", "b")], seed=3) == once


@pytest.mark.usefixtures("without_null_model")
def test_a_near_duplicate_in_another_split_is_a_leak(clean: Manifest) -> None:
    one, other = clean.frame.row(0, named=True), clean.frame.row(1, named=True)
    assert one["split"] != other["split"]
    result = audit(change(clean, 1, phash=one["phash"]))
    assert result.leaks.count == 1
    assert result.leaks.examples == ((one["path"], other["path"]),)
    assert any(failure.startswith("1 near-duplicates in different splits") for failure in result.failures)
    assert audit(change(clean, 1, phash=one["phash"]), limits=Limits(leaks=1)).failures == ()


@pytest.mark.usefixtures("without_null_model")
def test_a_torn_group_is_a_leak(clean: Manifest) -> None:
    assert audit(change(clean, 1, group=clean.frame["group"][0])).leaks.count == 1


@pytest.mark.usefixtures("without_null_model")
def test_one_content_with_both_labels_is_a_conflict(clean: Manifest) -> None:
    real = clean.frame.filter(label="real")["sha256"][0]
    result = audit(change(clean, 0, sha256=real))
    assert result.conflicts.count == 1
    assert result.exact_duplicates.count == 1
    assert any("labelled both real and fake" in failure for failure in result.failures)


@pytest.mark.usefixtures("without_null_model")
def test_a_mixed_group_is_told_and_fails_only_if_asked(clean: Manifest) -> None:
    real = clean.frame.filter(label="real", split="train")["group"][0]
    mixed = change(clean, 0, group=real)
    assert any("with real and fake" in finding for finding in audit(mixed).findings)
    assert any("with real and fake" in failure for failure in audit(mixed, limits=Limits(mixed_groups=0)).failures)


@pytest.mark.usefixtures("without_null_model")
def test_a_class_or_a_split_that_is_empty_fails(clean: Manifest) -> None:
    frame = clean.frame.filter(~((pl.col("label") == "fake") & (pl.col("split") == "val")))
    assert "No fake picture is in split val: add pictures." in audit(Manifest(frame, clean.folder)).failures
    result = audit(Manifest(clean.frame.filter(label="real"), clean.folder))
    assert "No picture is fake: add some." in result.failures
    assert result.null_model is None


@pytest.mark.parametrize("column", ["width", "jpeg_quality", "bytes", "format"])
def test_a_file_format_shortcut_is_found(clean: Manifest, column: str) -> None:
    value = pl.lit("PNG") if column == "format" else pl.col(column) // 2
    shortcut = pl.when(pl.col("label") == "fake").then(value)
    frame = clean.frame.with_columns(shortcut.otherwise(pl.col(column)).alias(column))
    result = audit(Manifest(frame, clean.folder))
    assert result.null_model is not None
    assert result.null_model.low > 0.9
    assert any("any score on this manifest is suspect" in failure for failure in result.failures)


@pytest.mark.usefixtures("without_null_model")
def test_too_many_pictures_left_out_fail(clean: Manifest) -> None:
    skipped = [Skipped(f"{number}.jpg", "broken") for number in range(10)]
    assert any("10 pictures (14.3%)" in failure for failure in audit(clean, skipped).failures)
    assert audit(clean, skipped[:1]).failures == ()


@pytest.mark.usefixtures("without_null_model")
def test_tables_show_numbers_and_failures(clean: Manifest) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    for part in render_audit(audit(clean, [Skipped(f"[red]{n}.jpg", "broken") for n in range(20)])):
        console.print(part)
    text = console.export_text()
    for expected in ("stylegan2", "96 (96 to 96)", "JPEG 30", "[red]3.jpg", "and 10 more", "20 pictures (25.0%)"):
        assert expected in text


def test_a_folder_without_any_jpeg_is_audited() -> None:
    frame = pl.DataFrame(
        {
            "width": [64] * 40,
            "height": [64] * 40,
            "format": ["PNG"] * 40,
            "jpeg_quality": pl.Series([None] * 40, dtype=pl.Int64),
            "bytes": [5000 + index for index in range(40)],
            "label": ["real", "fake"] * 20,
            "group": [str(index) for index in range(40)],
        }
    )
    found = fit_null_model(frame)
    assert found is not None
    assert 0 <= found.low <= found.auc <= found.high <= 1
