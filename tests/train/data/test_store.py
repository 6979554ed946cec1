"""The packed store: row i is picture i, and nothing half-written is ever opened."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from train.common.errors import DataError
from train.data import store
from train.data.cards.reader import usual_layout
from train.data.manifest import Manifest, write_manifest
from train.data.scan.scan import scan
from train.data.store import open_store, pack, store_key
from train.image.decode import decode
from train.image.view import Eyes, Unclear, apply_view, parse_view

ROOT = Path(__file__).parents[3]
VIEW = parse_view("upright|square|resize(32)")
FACE = parse_view("upright|face(2)|resize(16)")


def stores(folder: Path) -> list[str]:
    """All that lies in a folder of stores but the lock of the folder itself."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


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
    assert stores(tmp_path / "s") == [store_key(manifest, VIEW)]


def test_a_store_is_packed_once(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(manifest, VIEW, tmp_path)
    monkeypatch.setattr(store, "write_pixels", None)
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
    write = store.write_pixels

    def write_late(*arguments: Any) -> None:
        monkeypatch.setattr(store, "write_pixels", write)
        first = pack(manifest, VIEW, tmp_path)
        marker = tmp_path / store_key(manifest, VIEW) / "first"
        marker.touch()
        assert first.pixels.shape == (60, 32, 32, 3)
        write(*arguments)

    monkeypatch.setattr(store, "write_pixels", write_late)
    pack(manifest, VIEW, tmp_path)
    assert (tmp_path / store_key(manifest, VIEW) / "first").exists()
    assert not [name for name in stores(tmp_path) if name.startswith(".")]


def test_a_full_disk_leaves_nothing(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_pixels", full)
    with pytest.raises(OSError, match="No space left"):
        pack(manifest, VIEW, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_pictures_that_changed_or_went_are_named(manifest: Manifest, tmp_path: Path) -> None:
    picture = manifest.picture_path("real/05.jpg")
    picture.write_bytes(manifest.picture_path("real/06.jpg").read_bytes())
    with pytest.raises(DataError, match=r"05.jpg has changed since the scan"):
        pack(manifest, VIEW, tmp_path / "s")
    picture.unlink()
    with pytest.raises(DataError, match=r"05.jpg does not exist"):
        pack(manifest, VIEW, tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.fixture
def faced(manifest: Manifest) -> Manifest:
    """Six pictures with 1, 1, 0, 0, 2 and 3 faces."""
    faces = [1, 1, 0, 0, 2, 3]
    eyes = {
        name: pl.Series([value if count else None for count in faces], dtype=pl.Float64)
        for name, value in (("eye_x", 40.0), ("eye_y", 30.0), ("eye_distance", 12.5))
    }
    frame = manifest.frame.head(6).with_columns(faces=pl.Series(faces, dtype=pl.Int64), **eyes)
    return Manifest(frame, manifest.folder)


@pytest.mark.parametrize(
    ("unclear", "rows", "square"),
    [("drop", [0, 1], []), ("centre", range(6), [2, 3, 4, 5]), ("keep", range(6), [2, 3])],
)
def test_unclear_faces_are_packed_as_the_policy_says(
    faced: Manifest, tmp_path: Path, unclear: Unclear, rows: list[int], square: list[int]
) -> None:
    packed = pack(faced, FACE, tmp_path, unclear=unclear)
    assert packed.manifest.frame.equals(faced.frame[list(rows)])
    assert packed.dropped == 6 - len(rows)
    for row, pixels in zip(rows, packed.pixels, strict=True):
        picture = decode(faced.picture_path(faced.frame["path"][row]))
        centre = parse_view("upright|square|resize(16)")
        face = apply_view(FACE, picture, Eyes(40.0, 30.0, 12.5))
        assert np.array_equal(pixels, apply_view(centre, picture) if row in square else face)


def test_every_policy_has_a_store_of_its_own_and_opens_no_other(faced: Manifest, tmp_path: Path) -> None:
    pack(faced, FACE, tmp_path / "s", unclear="drop")
    pack(faced, FACE, tmp_path / "s", unclear="keep")
    pack(faced, FACE, tmp_path / "s", unclear="centre")
    assert len(stores(tmp_path / "s")) == 3
    with pytest.raises(DataError, match="packed with unclear_faces 'keep' but 'centre' is asked for"):
        open_store(tmp_path / "s" / store_key(faced, FACE, "keep"), faced, FACE, "centre")
    assert pack(faced, FACE, tmp_path / "s", unclear="drop").dropped == 4


def test_without_a_face_in_the_view_the_policy_means_nothing(faced: Manifest, tmp_path: Path) -> None:
    for unclear in ("drop", "centre", "keep"):
        packed = pack(faced, VIEW, tmp_path / "s", unclear=unclear)
        assert (len(packed.pixels), packed.dropped) == (6, 0)
    assert stores(tmp_path / "s") == [store_key(faced, VIEW)]


def test_faces_that_nobody_looked_for_and_none_left_are_refused(
    manifest: Manifest, faced: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"in 60 of 60 pictures .* run `fauxlens data faces MANIFEST` first"):
        pack(manifest, FACE, tmp_path / "s", unclear="keep")
    with pytest.raises(DataError, match="choose centre or keep"):
        pack(Manifest(faced.frame[2:], faced.folder), FACE, tmp_path / "s")
    with pytest.raises(DataError, match="Unknown treatment 'guess' of unclear faces"):
        pack(faced, FACE, tmp_path / "s", unclear="guess")  # type: ignore[arg-type]
    assert not (tmp_path / "s").exists()


def test_the_facts_are_readable(manifest: Manifest, tmp_path: Path) -> None:
    pack(manifest, VIEW, tmp_path)
    facts = json.loads((tmp_path / store_key(manifest, VIEW) / "store.json").read_text())
    assert facts == {"view": VIEW.text, "manifest_sha256": manifest.sha256, "count": 60}


PACKER = """
import os, signal, sys
from pathlib import Path
from train.data.manifest import read_manifest
from train.data.store import pack
from train.image.view import parse_view

manifest, folder, view, at, then = sys.argv[1:]

def on_progress(done, total):
    if done == int(at) and then == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if done == int(at) and then == "wait":
        print("waiting", flush=True)
        sys.stdin.readline()

store = pack(read_manifest(Path(manifest)), parse_view(view), Path(folder), on_progress=on_progress)
print(store.pixels.sum(), flush=True)
"""


class Packer:
    """`pack` in a process of its own, which dies or waits for a line when so many pictures are done."""

    def __init__(self, manifest: Manifest, folder: Path, at: int, then: str, view: str = VIEW.text) -> None:
        path = manifest.folder / "m.csv"
        command = [sys.executable, "-c", PACKER, str(path), str(folder), view, str(at), then]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_until_waiting(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "waiting\n"

    def finish(self) -> str:
        """Let it go on, and return the sum of its store's pixels."""
        out, error = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, error
        return out.strip()


@pytest.fixture
def written(manifest: Manifest) -> Manifest:
    write_manifest(manifest, manifest.folder / "m.csv")
    return manifest


@pytest.mark.parametrize("at", [1, 30, 60])
def test_a_kill_in_the_middle_leaves_nothing_wrong(written: Manifest, tmp_path: Path, at: int) -> None:
    folder = tmp_path / "s"
    killed = Packer(written, folder, at, "die")
    assert killed.process.wait(timeout=60) == -signal.SIGKILL
    killed.process.communicate()
    (left,) = stores(folder)
    assert left.startswith(".")
    packed = pack(written, VIEW, folder)
    for row, path in enumerate(written.frame["path"]):
        assert np.array_equal(packed.pixels[row], apply_view(VIEW, decode(written.picture_path(path))))
    assert stores(folder) == [store_key(written, VIEW)]


def test_two_processes_at_once_make_one_store(written: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    # Both are in the middle of it when the first is let go; the second still has half to do when that has finished.
    first, second = (Packer(written, folder, 30, "wait") for _ in range(2))
    first.wait_until_waiting()
    second.wait_until_waiting()
    assert len(stores(folder)) == 2
    one = first.finish()
    inode = (folder / store_key(written, VIEW)).stat().st_ino
    assert second.finish() == one == str(pack(written, VIEW, folder).pixels.sum())
    assert stores(folder) == [store_key(written, VIEW)]
    assert (folder / store_key(written, VIEW)).stat().st_ino == inode


def test_what_the_dead_left_is_removed_and_what_the_living_make_is_not(written: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    living = Packer(written, folder, 5, "wait")
    living.wait_until_waiting()
    (own,) = stores(folder)
    dead = Packer(written, folder, 40, "die", "resize(8)")
    dead.process.communicate(timeout=60)
    assert len(stores(folder)) == 2
    other = parse_view("upright|square|resize(16)")
    pack(written, other, folder)
    assert stores(folder) == sorted([own, store_key(written, other)])
    living.finish()
    assert stores(folder) == sorted([store_key(written, VIEW), store_key(written, other)])
