"""Which pictures a bundle carries: such as every runtime sees as they were stored."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from export.artifacts.bundle import read_bundle
from export.artifacts.vouched import SHIPPED
from export.parity.references import choose_references, eyes_are_found
from train.common.errors import ExportError
from train.data.cards.reader import read_card
from train.data.faces.find import find_faces
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.scan import scan
from train.image.face_finder.finder import blazeface_detector

CARDS = Path(__file__).parents[3] / "datasets"
REDUCED = "reduced"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Portraits with the eyes that the face finder sees, and reduced copies of them with these eyes scaled."""
    folder = tmp_path_factory.mktemp("references")
    pictures = read_bundle(SHIPPED / "bundle.zip").references.pictures[:12]
    for number, data in enumerate(pictures):
        place = folder / "set" / ("real" if number % 2 else "fake/gan-like")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.jpg").write_bytes(data)
    found, _ = scan(folder / "set", read_card(CARDS / "drawn-sample.toml"), manifest_path=folder / "manifest.csv")
    found = find_faces(found, blazeface_detector(), folder / "cache.jsonl", workers=1)
    rows = found.frame.filter(pl.col("faces") == 1).to_dicts()
    assert rows
    for row in list(rows):
        path = found.picture_path(row["path"])
        with Image.open(path) as picture:
            # So odd a factor that no eye falls on the finder's own grid again.
            small = picture.resize((picture.width * 7 // 11, picture.height * 7 // 11), Image.Resampling.LANCZOS)
        target = path.with_name(f"{REDUCED}-{path.name}")
        small.save(target, quality=95)
        factor = small.width / picture.width
        scaled = {key: round(row[key] * factor, 2) for key in ("eye_x", "eye_y", "eye_distance")}
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        name = str(Path(row["path"]).with_name(target.name))
        rows.append(row | scaled | {"path": name, "sha256": digest, "width": small.width, "height": small.height})
    frame = pl.DataFrame(rows, schema=found.frame.schema).sort("path")
    write_manifest(Manifest(frame, found.folder), folder / "manifest.csv")
    return read_manifest(folder / "manifest.csv")


def marked(manifest: Manifest) -> pl.DataFrame:
    return manifest.frame.with_columns(seen=pl.lit(False)).with_row_index("row")


def test_pictures_whose_eyes_were_scaled_are_no_references(manifest: Manifest) -> None:
    rows = manifest.frame.to_dicts()
    found = np.array([eyes_are_found(manifest, row) for row in rows])
    reduced = np.array([REDUCED in row["path"] for row in rows])
    assert found[~reduced].all()
    assert not found[reduced].all()
    chosen = choose_references(marked(manifest), suits=lambda row: eyes_are_found(manifest, row))
    assert sorted(chosen) == sorted(np.flatnonzero(found))


def test_without_the_condition_they_would_be(manifest: Manifest) -> None:
    chosen = choose_references(marked(manifest))
    assert any(REDUCED in manifest.frame["path"][row] for row in chosen)


def test_the_choice_is_by_hash_and_even_in_labels(manifest: Manifest) -> None:
    chosen = choose_references(marked(manifest), 4)
    rows = [manifest.frame.row(row, named=True) for row in chosen]
    for label in ("real", "fake"):
        digests = sorted(manifest.frame.filter(pl.col("label") == label)["sha256"])
        assert [row["sha256"] for row in rows if row["label"] == label] == digests[:2]


def test_none_is_one_sentence_with_a_remedy(manifest: Manifest) -> None:
    with pytest.raises(ExportError, match=r"face finder find the eyes .* --references"):
        choose_references(marked(manifest), suits=lambda row: False)
    with pytest.raises(ExportError, match=r"no picture outside training .* --references"):
        choose_references(marked(manifest).filter(pl.col("path") == ""))
