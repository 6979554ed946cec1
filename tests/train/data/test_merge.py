"""Several manifests become one: what looks alike in two of them shares a group and a split."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.cards.reader import Card, Rule
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.resplit import merge
from train.data.scan.scan import scan
from train.data.splits import torn_groups, torn_look_alikes

Draw = Callable[..., Image.Image]


def scanned(folder: Path, label: str, split: str | None = None) -> Manifest:
    rule = Rule("*.jpg", label, "camera" if label == "real" else "sdxl", source=folder.name, split=split)
    manifest, skipped = scan(folder, Card(folder.name, folder.name, (rule,)), manifest_path=folder / "manifest.csv")
    assert not skipped
    write_manifest(manifest, folder / "manifest.csv")
    return read_manifest(folder / "manifest.csv")


@pytest.fixture
def two(tmp_path: Path, draw: Draw) -> tuple[Manifest, Manifest]:
    """A folder of reals, all for training, and one of fakes, all for test, of which three look like reals."""
    for name, seeds in (("reals", range(12)), ("fakes", (*range(100, 108), 0, 1, 2))):
        (tmp_path / name).mkdir()
        for seed in seeds:
            quality = 92 if name == "reals" else 80
            draw(seed).save(tmp_path / name / f"{seed:03}.jpg", quality=quality)
    return scanned(tmp_path / "reals", "real", "train"), scanned(tmp_path / "fakes", "fake", "test")


def test_a_dataset_of_one_class_can_be_scanned_and_merged(two: tuple[Manifest, Manifest], tmp_path: Path) -> None:
    merged = merge(two, tmp_path / "all")
    assert merged.frame.height == 23
    assert merged.frame["path"].is_sorted()
    for row in merged.frame.iter_rows(named=True):
        assert merged.picture_path(row["path"]).resolve().exists()
    write_manifest(merged, tmp_path / "all" / "manifest.csv")
    assert read_manifest(tmp_path / "all" / "manifest.csv").sha256 == merged.sha256


def test_look_alikes_of_two_datasets_share_group_and_split(two: tuple[Manifest, Manifest], tmp_path: Path) -> None:
    merged = merge(two, tmp_path)
    assert torn_groups(merged).is_empty()
    assert torn_look_alikes(merged).is_empty()
    by_name = {Path(row["path"]).stem + row["source"]: row for row in merged.frame.iter_rows(named=True)}
    for twin in ("000", "001", "002"):
        real, fake = by_name[f"{twin}reals"], by_name[f"{twin}fakes"]
        assert real["group"] == fake["group"]
        # What was trained on stays so; its look-alike cannot be test.
        assert real["split"] == fake["split"] == "train"
    alone = merged.frame.filter(pl.col("path").str.contains("fakes/1"))
    assert alone["split"].to_list() == ["test"] * 8


def test_the_order_of_manifests_does_not_matter(two: tuple[Manifest, Manifest], tmp_path: Path) -> None:
    assert merge(two, tmp_path).sha256 == merge(two[::-1], tmp_path).sha256


def test_the_same_picture_cannot_stand_twice(two: tuple[Manifest, Manifest], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"reals/000\.jpg is in two of the manifests"):
        merge((*two, two[0]), tmp_path)


def test_a_group_in_two_manifests_gets_one_split(two: tuple[Manifest, Manifest], tmp_path: Path) -> None:
    reals, fakes = two
    named = [Manifest(one.frame.with_columns(group=pl.lit("club:17")), one.folder) for one in (reals, fakes)]
    merged = merge(named, tmp_path)
    assert set(merged.frame["split"]) == {"train"}
