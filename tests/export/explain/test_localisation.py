"""Heatmaps against masks of local fakes: measures by scikit-learn's, and a detector that has learned to see patches."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import jaccard_score

from export.explain.localisation import (
    Localised,
    check_local_fakes,
    localisation_document,
    mask_overlap,
    masked_cells,
    measure_localisation,
    table_rows,
)
from export.explain.localisation_sheet import caption, draw_localisation_sheet
from export.inference.detector import detector_from
from export.release.pipeline import export_run
from tests.export.conftest import Tiny
from train.common.errors import ExportError
from train.data.manifest import Manifest, rows_frame, write_manifest
from train.fit.run_folder import Run
from train.image.view import parse_view

SIDE, PICTURES = 64, 24


@given(seed=st.integers(0, 2**16), side=st.integers(2, 9))
def test_overlap_is_the_jaccard_score_of_as_many_cells(seed: int, side: int) -> None:
    random = np.random.default_rng(seed)
    scores, inside = random.random((side, side)), random.random((side, side)) < 0.4
    inside[0, 0] = True
    count = int(inside.sum())
    chosen = scores >= np.sort(scores.ravel())[-count]
    assert mask_overlap(scores, inside) == pytest.approx(jaccard_score(inside.ravel(), chosen.ravel()))
    assert mask_overlap(inside.astype(float), inside) == 1.0


def test_cells_are_masked_by_their_share() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4, :2] = 255
    np.testing.assert_array_equal(masked_cells(mask, 2), [[0.5, 0.0], [0.0, 0.0]])


@pytest.fixture(scope="module")
def local_fakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with a checkered quarter, which the tiny detector calls fake, and the quarter's mask."""
    folder = tmp_path_factory.mktemp("local")
    random = np.random.default_rng(3)
    checks = ((np.indices((SIDE, SIDE)) // 4).sum(0) % 2 * 2 - 1)[..., None]
    rows, pairs = [], []
    for number in range(PICTURES):
        pixels = random.uniform(60, 190, 3) + random.normal(0, 12, (SIDE, SIDE, 3))
        mask = np.zeros((SIDE, SIDE), np.uint8)
        top, left = SIDE // 2 * (number % 2), SIDE // 2 * (number // 2 % 2)
        patch = np.s_[top : top + SIDE // 2, left : left + SIDE // 2]
        mask[patch] = 255
        pixels[patch] += checks[patch] * 50
        data = io.BytesIO()
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(data, "PNG")
        (folder / f"{number}.png").write_bytes(data.getvalue())
        Image.fromarray(mask).save(folder / f"{number}.mask.png")
        rows.append(_row(f"{number}.png", number))
        pairs.append({"fake": f"{number}.png", "real": "", "autoencoder": "taesd", "mask": f"{number}.mask.png"})
    write_manifest(Manifest(rows_frame(rows), folder), folder / "manifest.csv")
    pl.DataFrame(pairs).write_csv(folder / "pairs.csv")
    return folder


def _row(path: str, number: int) -> dict[str, object]:
    return {
        "path": path,
        "sha256": f"{number:064x}",
        "phash": f"{number:016x}",
        "width": SIDE,
        "height": SIDE,
        "format": "PNG",
        "bytes": 1,
        "label": "fake",
        "generator": "taesd",
        "family": "reconstruction",
        "source": "drawn/taesd",
        "group": str(number),
        "split": "test",
    }


@pytest.fixture(scope="module")
def found(tiny: Tiny, local_fakes: Path) -> Localised:
    return measure_localisation(detector_from(tiny.sealed["ptq-int8"], "tiny"), local_fakes)


def test_a_detector_that_sees_patches_points_at_them(found: Localised) -> None:
    whole = found.groups[0]
    assert (whole.name, whole.pictures) == ("all", PICTURES)
    # A quarter of the cells is masked.
    assert whole.chance_pointing == pytest.approx(0.25)
    assert whole.pointing.low > whole.chance_pointing
    assert whole.overlap > whole.chance_overlap + 0.1
    called = next(group for group in found.groups if group.name == "called fake")
    assert 0 < called.pictures <= PICTURES


def test_masks_of_elsewhere_are_at_chance(tiny: Tiny, local_fakes: Path, tmp_path: Path) -> None:
    for file in local_fakes.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    # Every picture gets the mask of the next one, which lies in another quarter.
    pairs = pl.read_csv(local_fakes / "pairs.csv")
    pairs.with_columns(mask=pl.col("mask").shift(-1).fill_null("0.mask.png")).write_csv(tmp_path / "pairs.csv")
    wrong = measure_localisation(detector_from(tiny.sealed["ptq-int8"], "tiny"), tmp_path).groups[0]
    assert wrong.pointing.value < wrong.chance_pointing


def test_the_same_seed_gives_the_same_figures(tiny: Tiny, local_fakes: Path, found: Localised) -> None:
    again = measure_localisation(detector_from(tiny.sealed["ptq-int8"], "tiny"), local_fakes)
    assert again.groups == found.groups


def test_figures_are_written_and_drawn(found: Localised) -> None:
    plain = json.loads(json.dumps(localisation_document(found.groups), allow_nan=False))
    assert plain[0]["pictures"] == PICTURES
    assert table_rows(found.groups)[0][1] == str(PICTURES)
    assert f"Of {PICTURES} local fakes" in caption(found)
    sheet = np.asarray(draw_localisation_sheet(found, "tiny"))
    assert (sheet == (80, 200, 255)).all(axis=2).sum() > 8 * SIDE


def test_a_folder_without_masks_is_refused(tiny: Tiny, local_fakes: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes((local_fakes / "manifest.csv").read_bytes())
    detector = detector_from(tiny.sealed["ptq-int8"], "tiny")
    with pytest.raises(ExportError, match=r"pairs\.csv"):
        measure_localisation(detector, tmp_path)
    (tmp_path / "pairs.csv").write_text("fake,real,autoencoder,mask\n0.png,,taesd,\n")
    with pytest.raises(ExportError, match="has no masks"):
        measure_localisation(detector, tmp_path)


def test_local_fakes_are_refused_before_the_work_of_an_export(local_fakes: Path, tmp_path: Path) -> None:
    check_local_fakes(local_fakes, needs_eyes=False)
    with pytest.raises(ExportError, match="has a face that the view could show"):
        check_local_fakes(local_fakes, needs_eyes=True)
    # Nothing else of a run is looked at.
    run = cast(Run, SimpleNamespace(view=parse_view("upright|square|resize(32)")))
    with pytest.raises(ExportError, match=r"pairs\.csv"):
        export_run(run, tmp_path / "out", local_fakes=tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(local_fakes, copy)
    name = pl.read_csv(copy / "pairs.csv")["mask"].drop_nulls()[0]
    (copy / name).unlink()
    with pytest.raises(ExportError, match=f"{name}, of .*, is missing"):
        export_run(run, tmp_path / "out", local_fakes=copy)
    assert not (tmp_path / "out").exists()
