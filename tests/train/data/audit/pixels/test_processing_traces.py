"""traces: what was saved before or resampled is named, what was saved once is not."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.fft import idctn

from train.common.errors import DataError
from train.data.audit.pixels.double_jpeg import DoubleCompression, guess_double_compression
from train.data.audit.pixels.processing_traces import (
    Trace,
    find_processing_traces,
    fine_detail,
    processing_traces_findings,
)
from train.data.manifest import SCHEMA, Manifest
from train.image.jpeg_quality import luminance_table

SHARED = Path(__file__).parents[6] / "shared" / "faces"


def photo(seed: int, side: int = 256) -> Image.Image:
    """Noise whose amplitude falls with frequency as that of photographs does (1 / f, Field 1987)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
    radius = np.maximum(np.hypot(rows, columns), 1 / side)
    planes = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * rng.random(radius.shape))
        plane = np.fft.irfft2(phases / radius, (side, side))
        planes.append(128 + 45 * plane / plane.std())
    luma = planes[0]
    channels = [luma + 0.2 * (plane - luma) for plane in planes]
    return Image.fromarray(np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8))


def saved(image: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


def resized(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor),) * 2, Image.Resampling.BICUBIC)


def guess(image: Image.Image, quality: int | None) -> DoubleCompression:
    return guess_double_compression(np.asarray(image.convert("L"), np.float32), quality)


def manifest_of(folder: Path, sources: dict[str, list[Image.Image]], quality: int = 90) -> Manifest:
    rows: list[dict[str, object]] = []
    for source, pictures in sources.items():
        for number, image in enumerate(pictures):
            name = f"{source}-{number:02}.jpg"
            image.save(folder / name, quality=quality)
            row = dict.fromkeys(SCHEMA) | {
                "path": name,
                "sha256": f"{len(rows):064x}",
                "jpeg_quality": quality,
                "label": "real" if source.startswith("real") else "fake",
                "source": source,
            }
            rows.append(row)
    return Manifest(pl.DataFrame(rows, schema=SCHEMA), folder)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Two sources saved once, one cut out of a JPEG, one saved twice, one enlarged."""
    folder = tmp_path_factory.mktemp("sources")
    once = {f"real-{part}": [photo(100 * part + number) for number in range(10)] for part in (1, 2)}
    later = [photo(300 + number, 264) for number in range(10)]
    sources = once | {
        "cut": [saved(image, 75).crop((3, 5, 259, 261)) for image in later],
        "twice": [saved(image, 75) for image in later],
        "enlarged": [resized(image, 1.5) for image in later],
    }
    return manifest_of(folder, sources)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), quality=st.integers(60, 98), reduced=st.sampled_from([1.0, 0.8, 0.5]))
def test_a_picture_saved_once_is_not_accused(seed: int, quality: int, reduced: float) -> None:
    once = saved(resized(photo(seed, 320), reduced), quality)
    assert not guess(once, quality).found


@pytest.mark.parametrize("quality", [75, 80, 90])
def test_a_steep_fall_of_coefficients_is_no_trace(quality: int) -> None:
    """Multiples of the present step, asked for an earlier one of twice its size: the first outweighs the rest."""
    steps = luminance_table(quality).reshape(8, 8)
    coefficients = np.random.default_rng(0).laplace(0, 1.5 * steps, (64, 64, 8, 8))
    coefficients[..., 3:, :] = coefficients[..., 3:] = coefficients[..., 0, 0] = 0
    blocks = 128 + idctn(coefficients, axes=(2, 3), norm="ortho")
    grey = Image.fromarray(np.clip(blocks.swapaxes(1, 2).reshape(512, 512), 0, 255).astype(np.uint8))
    assert not guess(saved(grey, quality), quality).found


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1000),
    qualities=st.sampled_from([(50, 80), (75, 90), (80, 95), (85, 95)]),
    right=st.integers(1, 7),
    down=st.integers(1, 7),
)
def test_an_earlier_grid_is_found_where_it_is(seed: int, qualities: tuple[int, int], right: int, down: int) -> None:
    before, after = qualities
    cut = saved(photo(seed, 320), before).crop((right, down, 320, 320))
    found = guess(saved(cut, after), after)
    assert found.found
    assert ((found.right + right) % 8, (found.down + down) % 8) == (0, 0)
    assert abs(found.quality - before) <= 2


@pytest.mark.parametrize(("before", "after"), [(60, 75), (75, 90), (85, 95)])
def test_an_earlier_save_on_the_same_grid_is_found(before: int, after: int) -> None:
    found = guess(saved(saved(photo(1), before), after), after)
    assert found.found
    assert (found.right, found.down) == (0, 0)
    assert abs(found.quality - before) <= 2


def test_a_format_without_a_grid_tells_the_jpeg_it_was() -> None:
    assert guess(saved(photo(1), 85), None).found
    assert guess(saved(photo(1), 85).crop((3, 5, 256, 256)), None).found
    assert not guess(photo(1), None).found


def test_what_cannot_be_seen_is_not_claimed() -> None:
    """The documented limits: a finer earlier save, and one that was resampled afterwards."""
    assert not guess(saved(saved(photo(1), 95), 75), 75).found
    assert not guess(saved(resized(saved(photo(1), 75), 0.8), 90), 90).found


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (16, 16), (17, 9)])
def test_small_and_flat_pictures_say_nothing(size: tuple[int, int]) -> None:
    flat = Image.new("RGB", size, "grey")
    assert not guess(flat, 90).found
    assert np.isfinite(fine_detail(np.asarray(flat), 60))


def test_detail_falls_with_resampling_and_hardly_depends_on_quality() -> None:
    pictures = [photo(seed) for seed in range(6)]

    def detail(factor: float, quality: int) -> float:
        return float(np.median([fine_detail(np.asarray(saved(resized(one, factor), quality)), 60) for one in pictures]))

    assert detail(1, 90) > detail(1.25, 90) + 3 > detail(1.5, 90) + 3
    assert abs(detail(1, 95) - detail(1, 75)) < 1.5


def test_sources_with_a_past_are_named_and_the_others_are_not(several: Manifest) -> None:
    traces = find_processing_traces(several)
    assert [trace.source for trace in traces] == sorted(set(several.frame["source"]))
    findings = {one.sentence.split(" ")[0]: one for one in processing_traces_findings(traces)}
    assert set(findings) == {"cut", "twice", "enlarged"}
    assert "100% of 10 pictures show the block grid of an earlier JPEG (quality about 75)" in findings["cut"].sentence
    assert "saved before at a lower quality (about 75) on the same grid" in findings["twice"].sentence
    assert "fine detail is" in findings["enlarged"].sentence
    assert all(one.severity == "warning" and one.remedy and one.examples for one in findings.values())
    assert "no trace" in next(trace for trace in traces if trace.source == "real-1").sentence


def test_draws_are_seeded_and_workers_change_nothing(several: Manifest) -> None:
    few = find_processing_traces(several, pictures_per_source=2, seed=3, workers=1)
    assert [trace.pictures for trace in few] == [2] * 5
    assert find_processing_traces(several, pictures_per_source=2, seed=3, workers=3) == few
    # Fewer pictures than a share can be told from accuse nobody.
    assert processing_traces_findings(few) == ()


def test_one_label_alone_is_compared_with_nothing(several: Manifest) -> None:
    (trace,) = find_processing_traces(replace(several, frame=several.frame.filter(source="enlarged")))
    assert trace.softer is None
    assert processing_traces_findings([trace]) == ()


def test_what_both_labels_share_sets_neither_apart(several: Manifest) -> None:
    """Two sources are sharp and fake, one is soft with pictures of both labels: softness does not tell the labels."""
    first = pl.col("path").str.ends_with("0.jpg") | pl.col("path").str.ends_with("1.jpg")
    label = pl.when((pl.col("source") == "enlarged") & first).then(pl.lit("real")).otherwise(pl.lit("fake"))
    frame = several.frame.filter(pl.col("source").is_in(["real-1", "real-2", "enlarged"])).with_columns(label=label)
    traces = find_processing_traces(replace(several, frame=frame))
    assert [(trace.source, trace.label, trace.is_softer) for trace in traces] == [
        ("enlarged", "fake", False),
        ("enlarged", "real", True),
        ("real-1", "fake", False),
        ("real-2", "fake", False),
    ]


def test_a_missing_picture_is_named(several: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        find_processing_traces(replace(several, folder=tmp_path))


def test_a_picture_or_two_is_no_sentence() -> None:
    trace = Trace("web", "real", 40, 0.025, 0.0, 75, -9.0, 60, 1.0, 0.6, ())
    assert trace.sentence == "web (real): no trace that sets it apart."


def test_the_re_saved_sources_of_the_shared_faces_are_found() -> None:
    """The README names stylegan2-e4e, stylegan2-asian and sdxl; web-faces was saved before too, and is not matched."""
    if not SHARED.is_dir():
        pytest.skip("no shared faces beside the project")
    table = pl.read_csv(SHARED / "faces.csv")
    rows: list[dict[str, object]] = []
    sources = ("ffhq-256", "flickr-portraits", "web-faces", "stylegan-256", "sd21-sdfd")
    for source in sorted((*sources, "stylegan2-e4e", "stylegan2-asian", "sdxl")):
        part = table.filter(source=source)
        for path, label in part[:: part.height // 12].head(12).select("path", "label").iter_rows():
            row = dict.fromkeys(SCHEMA) | {"path": path, "sha256": f"{len(rows):064x}"}
            rows.append(row | {"label": label, "source": source})
    traces = find_processing_traces(Manifest(pl.DataFrame(rows, schema=SCHEMA), SHARED))
    named = {one.sentence.split(" ")[0] for one in processing_traces_findings(traces)}
    assert named - {"web-faces"} == {"stylegan2-e4e", "stylegan2-asian", "sdxl"}
    assert next(trace for trace in traces if trace.source == "sdxl").shifted > 0.5
