"""audit: what makes a score worthless is found, told in words, and fails the audit where a limit is broken."""

import io
import json

import polars as pl
import pytest
from rich.console import Console

from tests.train.data.audit.manifests import findings_of, where_fake
from train.data.audit.audit import AuditLimits, audit
from train.data.audit.file_statistics import parts, with_measures
from train.data.audit.findings import Finding
from train.data.audit.table import render_audit
from train.data.manifest import Manifest, check_frame
from train.data.scan.skipped import Skipped

quick = pytest.mark.usefixtures("without_baselines")


def test_a_clean_manifest_passes(clean: Manifest) -> None:
    found = audit(clean)
    assert found.failures == ()
    assert found.baseline is not None
    assert found.baseline.low <= found.baseline.auc <= found.baseline.high
    assert sum(count.pictures for count in found.counts) == clean.frame.height
    assert found.verdict.startswith("All checks passed")
    widths = [spread for spread in found.spreads if spread.measure == "width"]
    assert {(s.of, s.name) for s in widths} == {
        ("class", "real"), ("class", "fake"), ("part", "ffhq"), ("part", "sg2"), ("part", "xl")
    }  # fmt: skip
    assert {(s.low, s.median, s.high) for s in widths} == {(256.0, 256.0, 256.0)}
    assert {pair.verdict for pair in found.pairs} <= {"matched", "unclear"}


def test_it_is_json_and_the_same_each_time(clean: Manifest) -> None:
    once = audit(clean, [Skipped("a", "b")], seed=3)
    document = json.loads(json.dumps(once.document, allow_nan=False))
    assert document["skipped"] == [{"path": "a", "reason": "b"}]
    assert document["passed"] is True
    assert [one["severity"] for one in document["found"]] == [finding.severity for finding in once.found]
    assert audit(clean, [Skipped("a", "b")], seed=3) == once


@quick
def test_failures_come_first_and_decide(clean: Manifest) -> None:
    extra = [Finding("note", "copies", "n"), Finding("failure", "traces", "f", "r", (("a", "b"),))]
    found = audit(clean, extra=extra)
    severities = [finding.severity for finding in found.found]
    assert severities == sorted(severities, key=("failure", "warning", "note").index)
    assert found.failures == ("f r First: a, b.",)
    assert "n" in found.findings
    assert "do not trust" in found.verdict
    assert "traces" in found.verdict


@quick
def test_a_class_or_a_split_that_is_empty_fails(clean: Manifest) -> None:
    frame = clean.frame.filter(~((pl.col("label") == "fake") & (pl.col("split") == "val")))
    assert "No fake picture is in split val. Add pictures." in audit(Manifest(frame, clean.folder)).failures
    found = audit(Manifest(clean.frame.filter(label="real"), clean.folder))
    assert "No picture is fake. Add some." in found.failures


@quick
def test_an_uneven_split_is_told_and_fails_beyond_its_limit(clean: Manifest) -> None:
    few = clean.frame.filter(pl.col("label") == "real").filter(
        (pl.col("split") != "test") | (pl.int_range(pl.len()) < 12)
    )
    uneven = Manifest(pl.concat([few, clean.frame.filter(label="fake")]), clean.folder)
    told = findings_of(audit(uneven), "balance", "warning")
    assert any(
        "fake pictures for each real one" in finding.sentence and "in test" in finding.sentence for finding in told
    )
    assert findings_of(audit(uneven, limits=AuditLimits(class_ratio=2.0)), "balance", "failure")


@quick
def test_generators_with_few_test_pictures_are_named(clean: Manifest) -> None:
    told = findings_of(audit(clean), "balance", "warning")
    assert told[0].sentence == "Fewer than 50 test pictures: sdxl (20), stylegan2 (20)."


@quick
def test_faces_are_counted_where_somebody_has_looked(clean: Manifest) -> None:
    assert findings_of(audit(clean), "faces", "note")[0].sentence == "Faces have not been detected yet."
    faces = pl.Series([0] * 10 + [2] * 20 + [1] * 170 + [None] * 40, dtype=pl.Int64)
    eyes = {name: pl.when(faces > 0).then(9.0) for name in ("eye_x", "eye_y", "eye_distance")}
    looked = Manifest(clean.frame.with_columns(faces=faces, **eyes), clean.folder)
    check_frame(looked.frame, "test")
    found = audit(looked, limits=AuditLimits(no_face_share=0.04))
    text = " ".join(finding.sentence for finding in found.found if finding.topic == "faces")
    assert "10 of 200 pictures (5.0%) show no face" in text
    assert "20 of 200 pictures (10.0%) show several faces" in text
    assert "Faces have not been detected yet in 40 of 240" in text
    assert len(findings_of(found, "faces", "failure")) == 1
    assert sum(part.no_face for part in found.parts) == 10


@quick
def test_too_many_pictures_left_out_fail(clean: Manifest) -> None:
    skipped = [Skipped(f"{number}.jpg", "broken") for number in range(40)]
    assert any("40 pictures (14.3%)" in failure for failure in audit(clean, skipped).failures)
    assert audit(clean, skipped[:1]).failures == ()


def test_a_source_of_several_generators_or_labels_is_told_apart(clean: Manifest) -> None:
    frame = clean.frame.with_columns(source=pl.lit("all"))
    assert [part.name for part in parts(with_measures(frame))] == ["all / camera", "all / sdxl", "all / stylegan2"]
    frame = frame.with_columns(generator=pl.lit("x"))
    found = parts(with_measures(frame))
    assert [(part.name, part.pictures) for part in found] == [("all / x / real", 120), ("all / x / fake", 120)]


def test_the_table_shows_the_essentials_in_80_columns(clean: Manifest) -> None:
    found = audit(
        where_fake(clean, jpeg_quality=pl.lit(75, pl.Int64)), [Skipped(f"[red]{n}.jpg", "broken") for n in range(20)]
    )
    console = Console(width=80, record=True, file=io.StringIO())
    for part in render_audit(found):
        console.print(part)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for expected in ("JPEG q75", "256x256", "JPEG quality alone", "1.00 [1.00, 1.00]", "[red]3.jpg", "and 15 more"):
        assert expected in text
    assert " ".join(found.verdict.split()) in " ".join(text.split())


@quick
def test_the_table_of_a_manifest_that_could_not_be_evaluated(clean: Manifest) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(*render_audit(audit(Manifest(clean.frame.head(3), clean.folder))), sep="\n")
    assert "was not fitted" in console.export_text()
