"""equalise: afterwards no file fact tells real from fake, two runs write the same bytes, nothing else is touched."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.audit.equalise import MANIFEST, SETTINGS, Target, equalise, propose_target
from train.data.audit.metadata_baseline import fit_metadata_baseline
from train.data.manifest import COLUMNS, SCHEMA, Manifest, check_frame, read_manifest
from train.data.scan.measure import Measured, measure_file

KEPT = ("label", "generator", "family", "source", "group", "split")


def saved(folder: Path, name: str, seed: int, size: tuple[int, int], **options: object) -> dict[str, object]:
    """Save a smooth random picture, as smooth whatever its shape, and return its row."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9, round(9 * size[0] / size[1]), 3)).astype(np.uint8)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(path, **options)  # type: ignore[arg-type]
    return row_of(folder, name, "real" if name.startswith("real") else "fake")


def row_of(folder: Path, name: str, label: str) -> dict[str, object]:
    measured = measure_file(folder / name)
    assert isinstance(measured, Measured)
    return (
        dict.fromkeys(COLUMNS)
        | asdict(measured)
        | {
            "path": name,
            "label": label,
            "generator": "camera" if label == "real" else "../../x y",
            "family": "camera" if label == "real" else "gan",
            "source": "album" if label == "real" else "..",
            "group": f"group {name}",
            "split": "test",
        }
    )


def manifest_of(folder: Path, rows: list[dict[str, object]]) -> Manifest:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    check_frame(frame, "test")
    return Manifest(frame, folder)


@pytest.fixture
def mixed(tmp_path: Path) -> Manifest:
    """30 reals, wide JPEG of quality 95; 30 fakes, square PNG of another size: the files alone tell all."""
    folder = tmp_path / "data"
    rows = [saved(folder, f"real/{n:02}.jpg", n, (160, 120), quality=95) for n in range(30)]
    rows += [saved(folder, f"fake/{n:02}.png", 100 + n, (96, 96)) for n in range(30)]
    return manifest_of(folder, rows)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_file_facts_are_equal_afterwards_and_the_rest_is_kept(mixed: Manifest, tmp_path: Path) -> None:
    before, original = fit_metadata_baseline(mixed.frame), contents(mixed.folder)
    done: list[tuple[int, int]] = []
    found, skipped = equalise(
        mixed, tmp_path / "out", size=64, quality=80, on_progress=lambda count, total: done.append((count, total))
    )
    assert skipped == ()
    assert done == [(count, 60) for count in range(1, 61)]
    assert contents(mixed.folder) == original
    assert found.frame.select(KEPT).equals(mixed.frame.select(KEPT))
    for name, value in {"width": 64, "height": 64, "format": "JPEG", "jpeg_quality": 80}.items():
        assert set(found.frame[name]) == {value}
    assert read_manifest(tmp_path / "out" / MANIFEST).frame.equals(found.frame)
    for row in found.frame.iter_rows(named=True):
        path = (tmp_path / "out" / row["path"]).resolve()
        assert path.is_relative_to((tmp_path / "out").resolve())
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        with Image.open(path) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    after = fit_metadata_baseline(found.frame)
    assert before is not None
    assert after is not None
    assert before.auc > 0.99
    assert after.low < 0.6


def test_the_pixels_are_those_that_pillow_makes(mixed: Manifest, tmp_path: Path) -> None:
    found, _ = equalise(mixed, tmp_path / "out", size=64, quality=80)
    for number in (0, 30):
        with Image.open(mixed.picture_path(mixed.frame["path"][number])) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("RGB").crop((left, top, left + side, top + side))
        expected = io.BytesIO()
        square.resize((64, 64), Image.Resampling.LANCZOS).save(expected, "JPEG", quality=80, subsampling="4:2:0")
        assert found.picture_path(found.frame["path"][number]).read_bytes() == expected.getvalue()


def test_two_runs_and_a_run_that_goes_on_write_the_same_bytes(mixed: Manifest, tmp_path: Path) -> None:
    equalise(mixed, tmp_path / "a", size=64, quality=80, workers=1)
    equalise(mixed, tmp_path / "b", size=64, quality=80, workers=3)
    whole = contents(tmp_path / "a")
    assert whole == contents(tmp_path / "b")

    class Stop(Exception):
        pass

    def stop(count: int, total: int) -> None:
        if count == 20:
            raise Stop

    with pytest.raises(Stop):
        equalise(mixed, tmp_path / "c", size=64, quality=80, on_progress=stop)
    assert not (tmp_path / "c" / MANIFEST).exists()
    some = next((tmp_path / "c").rglob("*.jpg"))
    some.write_bytes(some.read_bytes()[:100])  # as a failing disk leaves it
    others = {path: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*.jpg") if path != some}
    equalise(mixed, tmp_path / "c", size=64, quality=80)
    assert contents(tmp_path / "c") == whole
    assert all(path.stat().st_mtime_ns == time for path, time in others.items())


def test_nothing_is_enlarged_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    rows = [
        saved(folder, f"{name}.png", seed, (80, 80)) for seed, name in enumerate(("real", "fake", "fake2", "fake3"))
    ]
    rows.append(saved(folder, "real-small.png", 9, (200, 40)))
    (folder / "fake2.png").write_bytes(b"changed")
    (folder / "fake3.png").unlink()
    found, skipped = equalise(manifest_of(folder, rows), tmp_path / "out", size=64, quality=80)
    assert found.frame["group"].to_list() == ["group real.png", "group fake.png"]
    told = {one.path: one.reason for one in skipped}
    assert "shorter side of 40 pixels, less than 64" in told["real-small.png"]
    assert "changed since the scan" in told["fake2.png"]
    assert "does not exist" in told["fake3.png"]
    with pytest.raises(DataError, match=r"No (real|fake) picture is left at 500 x 500"):
        equalise(manifest_of(folder, rows), tmp_path / "none", size=500, quality=80)


def test_equal_contents_stay_apart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    rows = [saved(folder, name, 1, (64, 64)) for name in ("real/a.png", "real/b.png", "fake/a.png")]
    found, _ = equalise(manifest_of(folder, rows), tmp_path / "out", size=64, quality=80)
    assert found.frame["path"].n_unique() == 3
    assert found.frame["sha256"].n_unique() == 1


def test_a_turned_picture_is_upright_and_its_eyes_go_along(tmp_path: Path, draw: Callable[..., Image.Image]) -> None:
    folder = tmp_path / "data"
    rows = [saved(folder, "real/a.png", 1, (128, 128)), saved(folder, "fake/a.png", 2, (128, 64))]
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = draw(3, 128, 128)
    turned.save(folder / "real" / "turned.png", exif=exif)
    rows.append(row_of(folder, "real/turned.png", "real"))
    for row in rows:
        row.update(faces=1, eye_x=40.0, eye_y=20.0, eye_distance=10.0)
    found, _ = equalise(manifest_of(folder, rows), tmp_path / "out", size=64, quality=95)
    eyes = found.frame.select("faces", "eye_x", "eye_y", "eye_distance").rows()
    assert eyes == [(1, 20.0, 10.0, 5.0), (None,) * 4, (1, 20.0, 10.0, 5.0)]
    with Image.open(found.picture_path(found.frame["path"][2])) as image:
        upright = turned.transpose(Image.Transpose.ROTATE_270).resize((64, 64), Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(image, int) - np.asarray(upright, int)).mean() < 3


def test_a_folder_that_is_not_for_it_is_refused(mixed: Manifest, tmp_path: Path) -> None:
    for inside in (mixed.folder, mixed.folder / "real" / "x", mixed.folder / "new"):
        with pytest.raises(DataError, match="the folder of the pictures"):
            equalise(mixed, inside, size=64, quality=80)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    for full in (tmp_path / "full", tmp_path, tmp_path / "full" / "letter.txt"):
        with pytest.raises(DataError, match="contains other files"):
            equalise(mixed, full, size=64, quality=80)
    out = tmp_path / "out"
    equalise(mixed, out, size=64, quality=80)
    for size, quality in ((48, 80), (64, 81)):
        with pytest.raises(DataError, match="other settings"):
            equalise(mixed, out, size=size, quality=quality)
    (out / SETTINGS).write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        equalise(mixed, out, size=64, quality=80)
    assert contents(tmp_path / "full") == {"letter.txt": b"dear"}


def test_settings_are_written_down(mixed: Manifest, tmp_path: Path) -> None:
    equalise(mixed, tmp_path / "o", size=64, quality=80)
    settings = json.loads((tmp_path / "o" / SETTINGS).read_text())
    assert (settings["format"], settings["size"], settings["quality"]) == (1, 64, 80)


@pytest.mark.parametrize(("size", "quality"), [(7, 80), (4097, 80), (64, 0), (64, 101)])
def test_a_size_or_quality_that_cannot_be_is_refused(mixed: Manifest, tmp_path: Path, size: int, quality: int) -> None:
    with pytest.raises(DataError, match="choose"):
        equalise(mixed, tmp_path / "out", size=size, quality=quality)
    assert not (tmp_path / "out").exists()


def test_the_proposal_is_the_least_that_every_source_has(mixed: Manifest) -> None:
    assert propose_target(mixed.frame) == Target(96, 95)
    # One tiny picture of 30 does not decide, and PNG files have no quality.
    tiny = pl.int_range(pl.len()) == 0
    assert propose_target(mixed.frame.with_columns(height=pl.when(tiny).then(20).otherwise("height"))).size == 96
    assert propose_target(mixed.frame.with_columns(jpeg_quality=pl.lit(None, pl.Int64))).quality == 90
