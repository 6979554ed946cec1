"""The packed store: row i is picture i, and nothing half-written is ever opened."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.data import store
from train.data.cards import usual_layout
from train.data.errors import DataError
from train.data.manifest import Manifest
from train.data.picture import decode
from train.data.scan import scan
from train.data.store import open_store, pack, store_key
from train.data.view import Eyes, apply_view, parse_view

VIEW = parse_view("upright|square|resize(32)")


@pytest.fixture
def manifest(tree: Path) -> Manifest:
    return scan(tree, usual_layout(), manifest_path=tree / "m.csv")[0]


def test_row_i_is_picture_i(manifest: Manifest, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    packed = pack(manifest, VIEW, tmp_path / "s", workers=3, on_progress=lambda done, total: seen.append((done, total)))
    assert packed.pixels.shape == (60, 32, 32, 3)
    assert packed.pixels.dtype == np.uint8
    assert isinstance(packed.pixels, np.memmap)
    for row, path in enumerate(manifest.frame["path"]):
        assert np.array_equal(packed.pixels[row], apply_view(VIEW, decode(manifest.picture_path(path))))
    assert seen[-1] == (60, 60)
    assert [entry.name for entry in (tmp_path / "s").iterdir()] == [store_key(manifest, VIEW)]


def test_a_store_is_packed_once(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(manifest, VIEW, tmp_path)
    monkeypatch.setattr(store, "_write_pixels", None)
    assert pack(manifest, VIEW, tmp_path).pixels.shape == (60, 32, 32, 3)


def test_view_and_manifest_have_stores_of_their_own(manifest: Manifest, tmp_path: Path) -> None:
    fewer = Manifest(manifest.frame.head(3), manifest.folder)
    other = parse_view("upright|square|resize(16)")
    assert len({store_key(m, v) for m in (manifest, fewer) for v in (VIEW, other)}) == 4
    assert pack(fewer, other, tmp_path).pixels.shape == (3, 16, 16, 3)


def test_a_mismatch_is_refused_with_both_views(manifest: Manifest, tmp_path: Path) -> None:
    pack(manifest, VIEW, tmp_path)
    path = tmp_path / store_key(manifest, VIEW)
    with pytest.raises(DataError) as caught:
        open_store(path, manifest, parse_view("resize(32)"))
    assert "'upright|square|resize(32)'" in str(caught.value)
    assert "'resize(32)'" in str(caught.value)
    with pytest.raises(DataError, match="another manifest"):
        open_store(path, Manifest(manifest.frame.head(3), manifest.folder), VIEW)


@pytest.mark.parametrize("damage", ["no facts", "no pixels", "cut", "shape"])
def test_a_store_that_is_not_whole_is_refused(manifest: Manifest, tmp_path: Path, damage: str) -> None:
    pack(manifest, VIEW, tmp_path)
    path = tmp_path / store_key(manifest, VIEW)
    pixels = path / "pixels.npy"
    if damage == "no facts":
        (path / "store.json").write_text("{")
    elif damage == "no pixels":
        pixels.unlink()
    elif damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-100])
    else:
        np.save(pixels, np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(DataError, match=f"remove {path} and pack again"):
        pack(manifest, VIEW, tmp_path)


def test_the_second_of_two_to_finish_uses_the_first(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store._write_pixels

    def write_late(*arguments: Any) -> None:
        monkeypatch.setattr(store, "_write_pixels", write)
        first = pack(manifest, VIEW, tmp_path)
        marker = tmp_path / store_key(manifest, VIEW) / "first"
        marker.touch()
        assert first.pixels.shape == (60, 32, 32, 3)
        write(*arguments)

    monkeypatch.setattr(store, "_write_pixels", write_late)
    pack(manifest, VIEW, tmp_path)
    target = tmp_path / store_key(manifest, VIEW)
    assert (target / "first").exists()
    assert [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_full_disk_leaves_nothing(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write_pixels", full)
    with pytest.raises(OSError, match="No space left"):
        pack(manifest, VIEW, tmp_path / "s")
    assert list((tmp_path / "s").iterdir()) == []


def test_pictures_that_changed_or_went_are_named(manifest: Manifest, tmp_path: Path) -> None:
    picture = manifest.picture_path("real/05.jpg")
    picture.write_bytes(manifest.picture_path("real/06.jpg").read_bytes())
    with pytest.raises(DataError, match=r"05.jpg has changed since the scan"):
        pack(manifest, VIEW, tmp_path / "s")
    picture.unlink()
    with pytest.raises(DataError, match=r"05.jpg does not exist"):
        pack(manifest, VIEW, tmp_path / "s")
    assert list((tmp_path / "s").iterdir()) == []


def test_faces_are_cut_with_the_eyes_of_their_row(manifest: Manifest, tmp_path: Path) -> None:
    view = parse_view("upright|face(2)|resize(16)")
    with pytest.raises(DataError, match=r"00.jpg: The view has face\(2\) but no eyes"):
        pack(manifest, view, tmp_path)
    frame = manifest.frame.head(2).with_columns(eye_x=40.0, eye_y=30.0, eye_distance=12.5)
    faced = Manifest(frame, manifest.folder)
    whole = decode(faced.picture_path(frame["path"][1]))
    assert np.array_equal(pack(faced, view, tmp_path).pixels[1], apply_view(view, whole, Eyes(40.0, 30.0, 12.5)))


def test_the_facts_are_readable(manifest: Manifest, tmp_path: Path) -> None:
    pack(manifest, VIEW, tmp_path)
    facts = json.loads((tmp_path / store_key(manifest, VIEW) / "store.json").read_text())
    assert facts == {"view": VIEW.text, "manifest_sha256": manifest.sha256, "count": 60}
