"""audit: what makes a score worthless is found, told in words, and fails the audit where a limit is broken."""

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from sklearn.metrics import roc_auc_score

from train.data.audit.audit import Audit, AuditLimits, audit, baseline_verdict
from train.data.audit.duplicates import find_duplicates
from train.data.audit.file_statistics import parts, with_measures
from train.data.audit.findings import Finding
from train.data.audit.metadata_baseline import (
    MetadataBaseline,
    fit_framing,
    fit_metadata_baseline,
    fit_pairs,
    weighted_aucs,
)
from train.data.audit.table import render_audit
from train.data.manifest import COLUMNS, SCHEMA, SPLITS, Manifest, check_frame
from train.data.scan.skipped import Skipped
from train.image.jpeg_quality import estimate_quality

SHARED = Path(__file__).parents[5] / "shared" / "faces"


def manifest_of(rows: int = 240, seed: int = 0) -> Manifest:
    """Three sources without any shortcut, split evenly, no picture like another."""
    rng = np.random.default_rng(seed)
    hashes = [int(np.packbits(rng.permutation(np.arange(64) < 32)).view(">u8")[0]) for _ in range(rows)]
    kinds = [
        ("real", "camera", "camera", "ffhq"),
        ("fake", "stylegan2", "gan", "sg2"),
        ("fake", "sdxl", "diffusion", "xl"),
    ]
    table = []
    for row, value in enumerate(hashes):
        label, generator, family, source = kinds[(0, 1, 0, 2)[row % 4]]
        table.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": f"{source}/{row:04}.jpg",
                "sha256": f"{value:064x}",
                "phash": f"{value:016x}",
                "width": 256,
                "height": 256,
                "format": "JPEG",
                "jpeg_quality": 90,
                "bytes": int(rng.integers(9000, 11000)),
                "label": label,
                "generator": generator,
                "family": family,
                "source": source,
                "group": f"{row:016x}",
                "split": SPLITS[row // 4 % 3],
            }
        )
    frame = pl.DataFrame(table, schema=SCHEMA)
    check_frame(frame, "test")
    return Manifest(frame, Path("somewhere"))


@pytest.fixture
def clean() -> Manifest:
    return manifest_of()


@pytest.fixture
def without_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save their seconds where they are not what is tested."""
    monkeypatch.setattr("train.data.audit.audit.fit_metadata_baseline", lambda frame, seed: None)
    monkeypatch.setattr("train.data.audit.audit.fit_features_alone", lambda frame, seed: ())
    monkeypatch.setattr("train.data.audit.audit.fit_pairs", lambda frame, seed: ())


quick = pytest.mark.usefixtures("without_baselines")


def change(manifest: Manifest, row: int, **values: object) -> Manifest:
    at = pl.int_range(pl.len()) == row
    columns = [pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
    return Manifest(manifest.frame.with_columns(columns), manifest.folder)


def where_fake(manifest: Manifest, **values: pl.Expr) -> Manifest:
    """Put values in where the label is fake."""
    columns = [
        pl.when(pl.col("label") == "fake").then(value).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return Manifest(manifest.frame.with_columns(columns), manifest.folder)


def of(found: Audit, topic: str, severity: str) -> list[Finding]:
    return [finding for finding in found.found if (finding.topic, finding.severity) == (topic, severity)]


# Whole audits


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


# Duplicates


@quick
def test_a_near_duplicate_in_another_split_is_a_leak(clean: Manifest) -> None:
    one, other = clean.frame.row(0, named=True), clean.frame.row(4, named=True)
    assert one["split"] != other["split"]
    torn = change(clean, 4, phash=f"{int(one['phash'], 16) ^ 0b1001:016x}")
    found = audit(torn)
    assert found.duplicates.leaks.count == 1
    assert found.duplicates.leaks.examples == ((one["path"], other["path"]),)
    assert of(found, "leak", "failure")[0].sentence == "1 group of 2 pictures stand in more than one split."
    assert audit(torn, limits=AuditLimits(leaks=1)).failures == ()
    assert of(audit(torn, limits=AuditLimits(leaks=None)), "leak", "warning")


@quick
def test_a_torn_group_is_a_leak(clean: Manifest) -> None:
    found = audit(change(clean, 4, group=clean.frame["group"][0]))
    assert found.duplicates.leaks.count == 1
    assert set(found.members["why"]) == {"group"}


@quick
def test_one_content_with_both_labels_is_a_conflict(clean: Manifest) -> None:
    found = audit(change(clean, 1, sha256=clean.frame["sha256"][0]))
    assert found.duplicates.conflicts.count == found.duplicates.exact.count == 1
    assert of(found, "conflict", "failure")


@quick
def test_reconstructions_beside_their_originals_are_no_conflict(clean: Manifest) -> None:
    made = {"family": "reconstruction", "generator": "taesd", "source": "ffhq/taesd"}
    pair = change(clean, 1, phash=clean.frame["phash"][0], group=clean.frame["group"][0], **made)
    found = audit(pair, limits=AuditLimits(mixed_groups=0, source_overlaps=0))
    assert found.failures == ()
    assert (found.duplicates.mixed_groups.count, found.duplicates.declared_pairs.count) == (0, 1)
    assert found.duplicates.source_overlaps.count == 0
    # Of another source, in another group, or made otherwise it is what it looks like.
    assert audit(change(pair, 1, source="other/taesd")).duplicates.source_overlaps.count == 1
    assert audit(change(pair, 1, group="ffff")).duplicates.mixed_groups.count == 1
    assert audit(change(pair, 1, family="edit")).duplicates.mixed_groups.count == 1


@quick
def test_look_alikes_with_both_labels_are_told_unless_a_card_declares_them(clean: Manifest) -> None:
    mixed = change(clean, 1, phash=clean.frame["phash"][0])
    assert audit(mixed).duplicates.mixed_groups.count == 1
    assert of(audit(mixed), "conflict", "warning")
    assert of(audit(mixed, limits=AuditLimits(mixed_groups=0)), "conflict", "failure")
    declared = change(change(mixed, 0, group="face-7"), 1, group="face-7")
    found = audit(declared, limits=AuditLimits(mixed_groups=0))
    assert found.failures == ()
    assert (found.duplicates.mixed_groups.count, found.duplicates.declared_pairs.count) == (0, 1)
    assert audit(change(declared, 1, group="face-8")).duplicates.mixed_groups.count == 1


@quick
def test_one_picture_in_two_sources_is_an_overlap(clean: Manifest) -> None:
    found = audit(
        change(change(clean, 3, sha256=clean.frame["sha256"][1], phash=clean.frame["phash"][1]), 3, split="train")
    )
    assert found.duplicates.source_overlaps.count == 1
    assert of(found, "overlap", "warning")
    assert found.duplicates.source_overlaps.examples == ((clean.frame["path"][1], clean.frame["path"][3]),)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 8), st.sampled_from(SPLITS), st.sampled_from("ab"), st.booleans()),
        min_size=1,
        max_size=24,
    )
)
def test_duplicates_are_those_of_brute_force(rows: list[tuple[int, int, str, str, bool]]) -> None:
    base = manifest_of(len(rows) + 9).frame
    apart = base["phash"].to_list()  # unlike each other
    frame = base.head(len(rows)).with_columns(
        sha256=pl.Series([f"{content:064x}" for content, *_ in rows]),
        phash=pl.Series([apart[look] for _, look, *_ in rows]),
        split=pl.Series([split for _, _, split, *_ in rows]),
        source=pl.Series([source for *_, source, _ in rows]),
        label=pl.Series(["fake" if fake else "real" for *_, fake in rows]),
    )
    found, members = find_duplicates(frame)
    clusters: list[set[int]] = []
    for row, (content, look, *_) in enumerate(rows):
        alike = [c for c in clusters if any(rows[o][0] == content or rows[o][1] == look for o in c)]
        clusters = [c for c in clusters if c not in alike] + [set.union({row}, *alike)]
    several = [[rows[row] for row in cluster] for cluster in clusters if len(cluster) > 1]
    assert found.near.count == sum(len({row[0] for row in cluster}) > 1 for cluster in several)
    assert found.leaks.count == sum(len({row[2] for row in cluster}) > 1 for cluster in several)
    assert found.source_overlaps.count == sum(len({row[3] for row in cluster}) > 1 for cluster in several)
    assert found.leaks.largest == max((len(c) for c in several if len({row[2] for row in c}) > 1), default=0)
    contents = [[row for row in rows if row[0] == content] for content in range(6)]
    assert found.exact.count == sum(len(same) > 1 for same in contents)
    assert found.conflicts.count == sum(len({row[4] for row in same}) > 1 for same in contents)
    assert members.height == sum(map(len, several))


def test_a_dense_cluster_stays_small_in_the_report(clean: Manifest) -> None:
    frame = clean.frame.with_columns(phash=pl.lit(clean.frame["phash"][0]))
    found, members = find_duplicates(frame)
    assert (found.near.count, found.near.largest, members.height) == (1, 240, 240)
    assert sum(map(len, found.near.examples)) == 5


# Balance, faces, files left out


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
    told = of(audit(uneven), "balance", "warning")
    assert any(
        "fake pictures for each real one" in finding.sentence and "in test" in finding.sentence for finding in told
    )
    assert of(audit(uneven, limits=AuditLimits(class_ratio=2.0)), "balance", "failure")


@quick
def test_generators_with_few_test_pictures_are_named(clean: Manifest) -> None:
    told = of(audit(clean), "balance", "warning")
    assert told[0].sentence == "Fewer than 50 test pictures: sdxl (20), stylegan2 (20)."


@quick
def test_faces_are_counted_where_somebody_has_looked(clean: Manifest) -> None:
    assert of(audit(clean), "faces", "note")[0].sentence == "Faces have not been detected yet."
    faces = pl.Series([0] * 10 + [2] * 20 + [1] * 170 + [None] * 40, dtype=pl.Int64)
    eyes = {name: pl.when(faces > 0).then(9.0) for name in ("eye_x", "eye_y", "eye_distance")}
    looked = Manifest(clean.frame.with_columns(faces=faces, **eyes), clean.folder)
    check_frame(looked.frame, "test")
    found = audit(looked, limits=AuditLimits(no_face_share=0.04))
    text = " ".join(finding.sentence for finding in found.found if finding.topic == "faces")
    assert "10 of 200 pictures (5.0%) show no face" in text
    assert "20 of 200 pictures (10.0%) show several faces" in text
    assert "Faces have not been detected yet in 40 of 240" in text
    assert len(of(found, "faces", "failure")) == 1
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


# Metadata baselines


@pytest.mark.parametrize("column", ["width", "jpeg_quality", "bytes", "format"])
def test_a_file_format_shortcut_is_found_and_named(clean: Manifest, column: str) -> None:
    found = audit(where_fake(clean, **{column: pl.lit("PNG") if column == "format" else pl.col(column) // 2}))
    assert found.baseline is not None
    assert found.baseline.low > 0.9
    assert any("any score on this manifest is suspect" in failure for failure in found.failures)
    words = {"width": "Width", "jpeg_quality": "JPEG quality", "bytes": "file size", "format": "File format"}[column]
    assert any(f"{words} alone separates the classes at AUC 1.00" in failure for failure in found.failures)
    assert {pair.verdict for pair in found.pairs} == {"apart"}
    assert all(column in pair.telling for pair in found.pairs)
    assert of(found, "pairs", "warning")


def test_a_feature_that_tells_in_the_middle_of_its_range_is_found(clean: Manifest) -> None:
    reals = pl.when(pl.int_range(pl.len()) % 8 < 4).then(128).otherwise(1024)
    frame = clean.frame.with_columns(width=pl.when(pl.col("label") == "real").then(reals).otherwise(512).cast(pl.Int64))
    alone = {one.feature: one.model for one in audit(Manifest(frame, clean.folder)).features_alone}
    assert alone["width"].low > 0.95
    assert alone["height"].auc == pytest.approx(0.5)


def test_framing_is_evaluated_apart_from_files(clean: Manifest) -> None:
    rng = np.random.default_rng(5)
    jitter = rng.normal(0, 4, clean.frame.height)
    eyes = clean.frame.with_columns(
        faces=pl.lit(1, pl.Int64), eye_x=pl.lit(128.0), eye_y=pl.lit(110.0), eye_distance=pl.Series(60 + jitter)
    )
    framed = where_fake(Manifest(eyes, clean.folder), eye_distance=pl.col("eye_distance") + 30)
    model = fit_framing(framed.frame)
    assert model is not None
    assert model.low > 0.9
    found = audit(framed)
    assert {pair.verdict for pair in found.pairs} == {"apart"}
    assert of(found, "framing", "warning")
    assert of(audit(framed, limits=AuditLimits(framing_auc=0.6)), "framing", "failure")
    assert not of(audit(Manifest(eyes, clean.folder)), "framing", "warning")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40), st.integers(0, 99))
def test_the_auc_is_that_of_scikit_learn(rows: list[tuple[bool, int]], seed: int) -> None:
    is_fake, scores = (np.array(column) for column in zip(*rows, strict=True))
    groups = np.arange(len(rows)) // 2
    found = weighted_aucs(is_fake, scores.astype(float), groups, np.random.default_rng(seed))
    if is_fake.all() or not is_fake.any():
        assert not len(found)
        return
    assert found[0] == pytest.approx(roc_auc_score(is_fake, scores))
    # The resamples are those that the generator draws, one group weight after another.
    weights = np.random.default_rng(seed).poisson(1.0, (300, groups.max() + 1))[:, groups]
    expected = [
        roc_auc_score(is_fake, scores, sample_weight=weight)
        for weight in weights[:5]
        if weight[is_fake].any() and weight[~is_fake].any()
    ]
    assert found[1 : 1 + len(expected)] == pytest.approx(expected)


def test_a_folder_without_any_jpeg_is_audited(clean: Manifest) -> None:
    found = fit_metadata_baseline(
        clean.frame.with_columns(format=pl.lit("PNG"), jpeg_quality=pl.lit(None, pl.Int64)),
    )
    assert found is not None
    assert 0 <= found.low <= found.auc <= found.high <= 1


def test_too_few_groups_are_not_evaluated(clean: Manifest) -> None:
    frame = clean.frame.with_columns(group=pl.col("label"))
    found = audit(Manifest(frame, clean.folder))
    assert (found.baseline, found.features_alone, found.pairs) == (None, (), ())


@pytest.mark.parametrize(
    ("low", "words"), [(0.98, "any score on this manifest is suspect"), (0.6, "says something"), (0.5, "does not")]
)
def test_the_verdict_on_a_metadata_baseline(low: float, words: str) -> None:
    assert words in baseline_verdict(MetadataBaseline(low + 0.01, low, low + 0.02, 100), AuditLimits())


def test_reconstructions_are_compared_with_their_originals_only() -> None:
    frame = manifest_of(400).frame
    made = frame.filter(label="real").with_columns(
        path="recon/" + pl.col("path"),
        label=pl.lit("fake"),
        generator=pl.lit("taesd"),
        family=pl.lit("reconstruction"),
        source=pl.lit("ffhq/taesd"),
    )
    reals = frame.filter(label="real")
    other = reals.with_columns(path="b/" + pl.col("path"), source=pl.lit("celeba"), group="b" + pl.col("group"))
    pairs = fit_pairs(pl.concat([frame, made, other]))
    of_made = [(pair.real, pair.fake) for pair in pairs if pair.fake == "ffhq/taesd"]
    assert of_made == [("ffhq", "ffhq/taesd")]
    assert {pair.real for pair in pairs if pair.fake == "sg2"} == {"ffhq", "celeba"}


def test_of_the_shared_faces_only_the_matched_pair_is_matched() -> None:
    """The README of the shared faces names the pair; size, format, quality and bytes are read from the headers."""
    if not SHARED.is_dir():
        pytest.skip("no shared faces beside the project")
    reals = ("ffhq-256", "flickr-portraits", "web-faces")
    fakes = ("stylegan-256", "stylegan2-e4e", "stylegan2-asian", "sd21-sdfd", "sdxl")
    rows = []
    for path in sorted(path for source in (*reals, *fakes) for path in (SHARED / source).iterdir()):
        with Image.open(path) as image:
            width, height, kind = *image.size, str(image.format)
            quality = estimate_quality(getattr(image, "quantization", None))
        rows.append((path.parent.name, width, height, kind, quality, path.stat().st_size))
    names = ("source", "width", "height", "format", "jpeg_quality", "bytes")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names), orient="row").with_columns(
        label=pl.when(pl.col("source").is_in(reals)).then(pl.lit("real")).otherwise(pl.lit("fake")),
        generator=pl.col("source"),
        family=pl.lit("unknown"),
        group=pl.int_range(pl.len()).cast(pl.String),
        **{name: pl.lit(None, pl.Float64) for name in ("eye_x", "eye_y", "eye_distance")},
    )
    pairs = fit_pairs(frame)
    assert len(pairs) == 15
    matched = [pair for pair in pairs if pair.verdict == "matched"]
    assert [(pair.real, pair.fake) for pair in matched] == [("ffhq-256", "stylegan-256")]
    assert matched[0].files.low <= 0.5 <= matched[0].files.high
    # The portraits have the same size, format and quality, so their bytes alone tell a little.
    assert [(pair.real, pair.fake) for pair in pairs if pair.verdict == "close"] == [
        ("flickr-portraits", "stylegan-256")
    ]
    assert all(pair.files.low > 0.95 for pair in pairs if pair.verdict == "apart")


# Limits


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
