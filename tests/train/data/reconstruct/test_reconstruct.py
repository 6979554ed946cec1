"""reconstruct: pairs that differ in the autoencoder alone, the same bytes after any interruption, bad input told."""

import errno
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from train.common.atomic import write_bytes
from train.common.errors import DataError
from train.data.manifest import COLUMNS, SCHEMA, Manifest, check_frame, read_manifest
from train.data.reconstruct.autoencoder import Autoencoder
from train.data.reconstruct.originals import assigned, even_quotas, select_reals
from train.data.reconstruct.plan import reduced_size
from train.data.reconstruct.reconstruct import MANIFEST, PAIRS, Reconstructed, reconstruct
from train.data.reconstruct.regions import paste, region_mask, turned_back
from train.data.reconstruct.save_alike import encode_alike
from train.data.reconstruct.tiles import in_tiles
from train.data.resplit import merge
from train.data.scan.measure import Measured, measure_file
from train.image.view import Eyes, turn_upright


def autoencoder(name: str, brighter: int = 9) -> Autoencoder:
    """One that makes pixels brighter: quick, exact, and no picture depends on another."""
    return Autoencoder(
        name, f"{brighter:064x}", lambda pixels: np.clip(pixels.astype(int) + brighter, 0, 255).astype("u1")
    )


BOTH = (autoencoder("one"), autoencoder("two", 30))


def add(folder: Path, name: str, seed: int, size: tuple[int, int], *, source: str, **options: Any) -> dict[str, Any]:
    small = np.random.default_rng(seed).integers(20, 200, (5, 5, 3)).astype(np.uint8)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path, **options)
    measured = measure_file(path)
    assert isinstance(measured, Measured)
    about = {"path": name, "label": "real", "generator": "camera", "family": "camera", "source": source}
    face = {"faces": 1, "eye_x": size[0] * 0.5, "eye_y": size[1] * 0.4, "eye_distance": size[0] * 0.25}
    return dict.fromkeys(COLUMNS) | asdict(measured) | about | face | {"group": f"group {seed}", "split": "val"}


def manifest_of(folder: Path, rows: list[dict[str, Any]]) -> Manifest:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    check_frame(frame, "test")
    return Manifest(frame, folder)


@pytest.fixture
def reals(tmp_path: Path) -> Manifest:
    """Nine small JPEG of one source, three larger ones and a PNG of another."""
    folder = tmp_path / "reals"
    rows = [add(folder, f"a/{n}.jpg", n, (64, 64), source="a", quality=80) for n in range(9)]
    rows += [add(folder, f"b/{n}.jpg", 20 + n, (200, 120), source="b", quality=90, subsampling=0) for n in range(3)]
    rows.append(add(folder, "b/9.png", 40, (64, 48), source="b"))
    return manifest_of(folder, rows)


def made(reals: Manifest, folder: Path, **options: Any) -> Reconstructed:
    return reconstruct(reals, select_reals(reals), BOTH, folder, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_pair_differs_in_the_autoencoder_alone(reals: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = made(reals, out, scale=100)
    assert not result.skipped
    assert len(result.pairs) == 13
    rows = {row["path"]: row for row in read_manifest(out / MANIFEST).frame.iter_rows(named=True)}
    originals = {row["sha256"]: row for row in reals.frame.iter_rows(named=True)}
    assert sum(row["label"] == "real" for row in rows.values()) == 3
    for pair in result.pairs:
        fake, twin = rows[pair.fake], measure_file(out / pair.real)
        assert isinstance(twin, Measured)
        original = next(row for sha256, row in originals.items() if sha256[:24] in pair.fake)
        assert (fake["label"], fake["generator"], fake["family"]) == ("fake", pair.autoencoder, "reconstruction")
        assert fake["source"] == f"{original['source']}/{pair.autoencoder}"
        assert (fake["group"], fake["split"], fake["faces"]) == (original["group"], original["split"], 1)
        for fact in ("width", "height", "format", "jpeg_quality"):
            assert fake[fact] == getattr(twin, fact)
        assert max(fake["width"], fake["height"]) <= 100
        assert fake["eye_x"] == pytest.approx(0.5 * fake["width"])
        assert fake["eye_distance"] == pytest.approx(0.25 * fake["width"])
        with Image.open(out / pair.real) as real, Image.open(out / pair.fake) as other:
            difference = np.asarray(other, np.float64) - np.asarray(real, np.float64)
        assert difference.mean() == pytest.approx(9 if pair.autoencoder == "one" else 30, abs=1.5)
        if original["width"] <= 100:
            assert (out / pair.real).resolve() == reals.picture_path(original["path"]).resolve()
        else:
            assert rows[pair.real] | dict.fromkeys(COLUMNS) == dict.fromkeys(COLUMNS)
            assert rows[pair.real]["source"] == "b"
            assert rows[pair.real]["eye_x"] == fake["eye_x"]


def test_attributes_come_along(reals: Manifest, tmp_path: Path) -> None:
    known = Manifest(reals.frame.with_columns(age=pl.col("path")), reals.folder)
    frame = made(known, tmp_path / "out", scale=100).manifest.frame
    assert frame["age"].null_count() == 0
    assert frame.filter(pl.col("path").str.starts_with("real/"))["age"].str.starts_with("b/").all()


def test_its_manifest_merges_with_that_of_the_originals(reals: Manifest, tmp_path: Path) -> None:
    result = made(reals, tmp_path / "out", scale=100)
    merged = merge([reals, result.manifest], tmp_path)
    assert merged.frame.height == 13 + 13 + 3
    check_frame(merged.frame, "merged")
    assert merged.frame.group_by("group").agg(pl.col("split").n_unique())["split"].max() == 1


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 5])
def test_a_killed_run_goes_on_to_the_same_bytes(reals: Manifest, tmp_path: Path, after: int) -> None:
    def kill(done: int, _: int) -> None:
        if done == after:
            raise _Killed

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    made(reals, whole, scale=100, region="mouth")
    with pytest.raises(_Killed):
        made(reals, broken, scale=100, region="mouth", on_progress=kill)
    assert not (broken / MANIFEST).exists()
    # What a kill in the middle of writing may leave.
    partial = next(broken.rglob("*.jpg"))
    partial.write_bytes(partial.read_bytes()[:300])
    made(reals, broken, scale=100, region="mouth")
    first, second = contents(whole), contents(broken)
    # The originals lie elsewhere, but both folders are beside each other.
    assert first == second
    assert any(name.startswith("mask/") for name in first)


def test_what_is_there_is_not_made_again_and_more_adds_to_less(reals: Manifest, tmp_path: Path) -> None:
    runs: list[str] = []

    def counted(one: Autoencoder) -> Autoencoder:
        def run(pixels: np.ndarray) -> np.ndarray:
            runs.append(one.name)
            return one.reconstruct(pixels)

        return Autoencoder(one.name, one.sha256, run)

    counting = [counted(one) for one in BOTH]
    out = tmp_path / "out"
    for count, expected in ((4, 4), (4, 4), (9, 9)):
        result = reconstruct(reals, select_reals(reals, count=count), counting, out)
        assert (len(result.pairs), len(runs)) == (count, expected)
    assert set(runs) == {"one", "two"}


def test_the_number_of_threads_does_not_matter(reals: Manifest, tmp_path: Path) -> None:
    made(reals, tmp_path / "one", workers=1)
    made(reals, tmp_path / "five", workers=5)
    assert contents(tmp_path / "one") == contents(tmp_path / "five")


def test_selection_is_even_over_sources_and_grows() -> None:
    sizes = {"a": 3, "b": 100, "c": 40, "d": 9}
    assert even_quotas(sizes, 40) == {"a": 3, "d": 9, "c": 14, "b": 14}
    assert even_quotas(sizes, 1000) == sizes
    before = dict.fromkeys(sizes, 0)
    for count in range(153):
        quotas = even_quotas(sizes, count)
        assert sum(quotas.values()) == count
        assert all(quotas[name] >= before[name] for name in sizes)
        before = quotas


def test_selection_by_count_share_and_source(reals: Manifest) -> None:
    few, more = select_reals(reals, count=4), select_reals(reals, count=8)
    assert few.group_by("source").len().sort("source").rows() == [("a", 2), ("b", 2)]
    assert set(few["path"]) < set(more["path"])
    assert select_reals(reals, share=0.5, sources=["b"]).height == 2
    with pytest.raises(DataError, match="No real picture has the source 'x': name one of a, b"):
        select_reals(reals, sources=["x"])
    fakes = Manifest(reals.frame.with_columns(label=pl.lit("fake")), reals.folder)
    with pytest.raises(DataError, match="has no real picture"):
        select_reals(fakes)


def test_autoencoders_get_about_equally_many() -> None:
    names = ["a", "b", "c", "d"]
    counts = [sum(assigned(f"{n:064x}", names) == name for n in range(4000)) for name in names]
    assert min(counts) > 900


def test_a_grey_picture_stays_grey(tmp_path: Path) -> None:
    folder = tmp_path / "reals"
    row = add(folder, "grey.png", 1, (64, 64), source="a")
    with Image.open(folder / "grey.png") as image:
        image.convert("L").convert("RGB").save(folder / "grey.png")
    measured = measure_file(folder / "grey.png")
    assert isinstance(measured, Measured)
    manifest = manifest_of(folder, [row | asdict(measured)])
    tint = Autoencoder("tint", "0" * 64, lambda pixels: pixels // 2 + np.array([9, 0, 0], np.uint8))
    result = reconstruct(manifest, manifest.frame, [tint], tmp_path / "out")
    with Image.open(tmp_path / "out" / result.pairs[0].fake) as image:
        pixels = np.asarray(image)
    assert (pixels == pixels[..., :1]).all()


def test_reduced_size() -> None:
    assert reduced_size(1024, 1280, 512) == (410, 512)
    assert reduced_size(1280, 853, 512) == (512, 341)
    assert reduced_size(512, 300, 512) == (512, 300)
    assert reduced_size(3000, 2, 512) == (512, 1)
    assert reduced_size(3000, 2, None) == (3000, 2)


@pytest.mark.parametrize("region", ["face", "eyes", "mouth", "random"])
def test_only_the_region_is_replaced(reals: Manifest, tmp_path: Path, region: Any) -> None:
    frame = reals.frame.filter(pl.col("format") == "PNG")
    out = tmp_path / "out"
    result = reconstruct(reals, frame, [autoencoder("one", 40)], out, region=region)
    ((pair),) = result.pairs
    assert pair.mask is not None
    assert result.manifest.frame["source"].to_list() == [f"b/one-{region}"]
    assert result.manifest.frame["generator"].to_list() == ["one"]
    with Image.open(out / pair.real) as real, Image.open(out / pair.fake) as fake, Image.open(out / pair.mask) as mask:
        difference, share = np.asarray(fake, int) - np.asarray(real, int), np.asarray(mask, int)
    assert share.shape == difference.shape[:2]
    assert share.max() == 255
    assert (difference[share == 0] == 0).all()
    assert (difference[share == 255] == 40).all()
    assert (np.abs(difference - 40 * share[..., None] / 255) <= 0.5).all()


def test_masks_lie_where_the_eyes_say() -> None:
    eyes = Eyes(50.0, 40.0, 20.0)
    for region, inside, outside in (
        ("eyes", (40, 40), (65, 50)),
        ("mouth", (62, 50), (40, 50)),
        ("face", (60, 50), (95, 50)),
    ):
        mask = region_mask(region, 100, 110, eyes, "0" * 64)  # type: ignore[arg-type]
        assert (mask[inside], mask[outside]) == (255, 0)
    one, other = (region_mask("random", 90, 60, None, seed * 64) for seed in "12")
    assert (one != other).any()
    assert (one == region_mask("random", 90, 60, None, "1" * 64)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_are_turned_as_the_picture_is_stored(orientation: int) -> None:
    upright = np.random.default_rng(0).integers(0, 256, (7, 11)).astype(np.uint8)
    stored = turned_back(upright, orientation)
    np.testing.assert_array_equal(turn_upright(stored[..., None], orientation)[..., 0], upright)


def test_paste_is_exact() -> None:
    original, other = np.full((1, 3, 3), 10, np.uint8), np.full((1, 3, 3), 250, np.uint8)
    found = paste(original, other, np.array([[0, 128, 255]], np.uint8))
    assert found[0, :, 0].tolist() == [10, round((10 * 127 + 250 * 128) / 255), 250]


def nobody_looked(reals: Manifest) -> Manifest:
    unknown = {name: pl.lit(None, SCHEMA[name]) for name in ("faces", "eye_x", "eye_y", "eye_distance")}
    return Manifest(reals.frame.with_columns(**unknown), reals.folder)


def test_regions_need_eyes(reals: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"faces have not been detected yet in 13 of 13 pictures.*data faces"):
        made(nobody_looked(reals), tmp_path / "out", region="eyes")
    assert len(made(nobody_looked(reals), tmp_path / "random", region="random").pairs) == 13
    none = {"faces": pl.lit(0, pl.Int64)} | {
        name: pl.lit(None, pl.Float64) for name in ("eye_x", "eye_y", "eye_distance")
    }
    faceless = reals.frame.with_columns(
        **{name: pl.when(pl.col("source") == "b").then(value).otherwise(name) for name, value in none.items()}
    )
    result = made(Manifest(faceless, reals.folder), tmp_path / "mixed", region="eyes")
    assert len(result.pairs) == 9
    assert "shows no face that was found" in result.skipped[0].reason


def test_pictures_that_cannot_be_used_are_told(reals: Manifest, tmp_path: Path) -> None:
    frame = reals.frame
    changed, missing, damaged = frame["path"][:3]
    for path in (changed, damaged):
        reals.picture_path(path).write_bytes(reals.picture_path(path).read_bytes()[:200])
    reals.picture_path(missing).unlink()
    frame = frame.with_columns(
        sha256=pl.when(pl.col("path") == damaged)
        .then(pl.lit(measured_sha256(reals.picture_path(damaged))))
        .otherwise("sha256")
    )
    needs_more = [Autoencoder(one.name, one.sha256, one.reconstruct, min_side=50) for one in BOTH]
    manifest = Manifest(frame, reals.folder)
    result = reconstruct(manifest, select_reals(manifest), needs_more, tmp_path / "out")
    reasons = {one.path: one.reason for one in result.skipped}
    assert set(reasons) == {changed, missing, damaged, "b/9.png"}
    assert "has changed since the scan" in reasons[changed]
    assert "does not exist" in reasons[missing]
    assert "is damaged" in reasons[damaged]
    assert "is 64 x 48 pixels here, and" in reasons["b/9.png"]
    assert len(result.pairs) == 9


def test_what_is_not_written_here_is_skipped(reals: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = reals.frame.with_columns(
        format=pl.when(pl.col("path") == "a/0.jpg").then(pl.lit("AVIF")).otherwise("format")
    )
    cannot = reals.frame["sha256"][1]

    def encode(pixels: np.ndarray, encoding: Any) -> bytes:
        if not fails.isdisjoint({hashlib.sha256(pixels.tobytes()).hexdigest()}):
            raise DataError("It cannot be saved like the original (broken): save the original again and rescan.")
        return encode_alike(pixels, encoding)

    with Image.open(reals.picture_path(reals.frame["path"][1])) as image:
        brighter = [one.reconstruct(np.asarray(image)) for one in BOTH]
    fails = {hashlib.sha256(pixels.tobytes()).hexdigest() for pixels in brighter}
    monkeypatch.setattr("train.data.reconstruct.reconstruct.encode_alike", encode)
    manifest = Manifest(frame, reals.folder)
    result = reconstruct(manifest, select_reals(manifest), BOTH, tmp_path / "out")
    reasons = {one.path: one.reason for one in result.skipped}
    assert set(reasons) == {"a/0.jpg", reals.frame["path"][1]}
    assert "is AVIF, which is not written here" in reasons["a/0.jpg"]
    assert "cannot be saved like the original" in reasons[reals.frame["path"][1]]
    assert len(result.pairs) == 11
    assert not [path for path in (tmp_path / "out").rglob("*") if cannot[:24] in path.name]


def measured_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_network_that_gives_no_numbers_makes_no_picture(reals: Manifest, tmp_path: Path) -> None:
    """As large autoencoders in half precision do for some pictures: cast to bytes that would be a black one."""

    def run(given: np.ndarray) -> np.ndarray:
        return np.where(given.shape[2] > 100, np.float32(np.nan), given).astype(np.float32)

    half = Autoencoder("half", "0" * 64, lambda pixels: in_tiles(run, pixels))
    result = reconstruct(reals, select_reals(reals), [half], tmp_path / "out")
    assert {one.path: one.reason for one in result.skipped} == {
        f"b/{n}.jpg": f"b/{n}.jpg does not go through half: what comes back are not finite numbers: take another "
        "autoencoder, or the same in full precision."
        for n in range(3)
    }
    assert len(result.pairs) == reals.frame.height - 3
    assert not list((tmp_path / "out").rglob("fake/half/b/*.jpg"))


def test_none_left_is_an_error(reals: Manifest, tmp_path: Path) -> None:
    large = [Autoencoder("large", "0" * 64, lambda pixels: pixels, min_side=512)]
    with pytest.raises(DataError, match=r"No picture could be reconstructed \(.*needs 512 a side"):
        reconstruct(reals, select_reals(reals), large, tmp_path / "out")


def test_another_folder_is_refused(reals: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(reals, out)
    before = contents(out)
    for options in ({"scale": 100}, {"region": "face"}):
        with pytest.raises(DataError, match="contains reconstructions with other settings"):
            made(reals, out, **options)
    with pytest.raises(DataError, match="contains reconstructions with other settings"):
        reconstruct(reals, select_reals(reals), [autoencoder("one", 8)], out)
    assert contents(out) == before
    with pytest.raises(DataError, match="contains other files"):
        made(reals, reals.folder)
    (out / "reconstructed.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        made(reals, out)


def test_a_full_disk_leaves_nothing_half_written(
    reals: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    written: list[Path] = []

    def full(write: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
        def wrapped(path: Path, data: bytes) -> None:
            if len(written) == 5:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            write(path, data)
            written.append(path)

        return wrapped

    with monkeypatch.context() as patched:
        patched.setattr("train.data.reconstruct.reconstruct.write_bytes", full(write_bytes))
        with pytest.raises(OSError, match="No space left"):
            made(reals, out, workers=1)
    assert {path.name for path in out.rglob("*") if path.is_file()} == {
        "reconstructed.json",
        # The lock under which one process at a time works there.
        ".lock",
        *(path.name for path in written),
    }
    assert len(made(reals, out).pairs) == 13


def test_the_pairs_are_listed(reals: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = made(reals, out)
    table = pl.read_csv(out / PAIRS, infer_schema=False)
    assert table.columns == ["fake", "real", "autoencoder", "mask"]
    assert table["fake"].to_list() == [pair.fake for pair in result.pairs]
    assert all((out / path).is_file() for column in ("fake", "real") for path in table[column])
    settings = json.loads((out / "reconstructed.json").read_text())
    assert settings["autoencoders"] == {one.name: one.sha256 for one in BOTH}
