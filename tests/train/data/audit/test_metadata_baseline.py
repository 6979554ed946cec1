"""What file facts and framing alone say of real and fake: all together, one by one, and pair by pair of sources."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score

from tests.train.data.audit.manifests import findings_of, manifest_of, where_fake
from train.data.audit.audit import AuditLimits, audit, baseline_verdict
from train.data.audit.metadata_baseline import (
    MetadataBaseline,
    fit_framing,
    fit_metadata_baseline,
    fit_pairs,
    weighted_aucs,
)
from train.data.manifest import Manifest
from train.image.jpeg_quality import estimate_quality

SHARED = Path(__file__).parents[5] / "shared" / "faces"


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
    assert findings_of(found, "pairs", "warning")


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
    assert findings_of(found, "framing", "warning")
    assert findings_of(audit(framed, limits=AuditLimits(framing_auc=0.6)), "framing", "failure")
    assert not findings_of(audit(Manifest(eyes, clean.folder)), "framing", "warning")


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
