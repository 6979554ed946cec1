"""scan again: only what has changed is read, and the manifest is that of a scan without a cache."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.data.cards.reader import Card, Rule, usual_layout
from train.data.manifest import Manifest
from train.data.scan.scan import Trust, scan
from train.data.scan.scan_cache import scan_cache_path
from train.data.scan.skipped import Skipped

Draw = Callable[..., Image.Image]


def later() -> int:
    """The time as of ten seconds from now: what was written just before is no longer fresh."""
    return time.time_ns() + 10**10


def counted() -> tuple[list[tuple[int, int]], Callable[[int, int], None]]:
    """A list and a function that adds to it what a scan reports of its progress."""
    seen: list[tuple[int, int]] = []
    return seen, lambda done, total: seen.append((done, total))


def test_unchanged_files_are_not_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tree.parent / "m.csv"
    (tree / "real" / "broken.jpg").write_bytes((tree / "real" / "00.jpg").read_bytes()[:900])
    first, skipped = scan(tree, usual_layout(), manifest_path=path, clock=later)

    def read(path: Path) -> bytes:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("train.data.scan.measure.read_picture_file", read)
    seen, on_progress = counted()
    again = scan(tree, usual_layout(), manifest_path=path, previous=first, on_progress=on_progress, clock=later)
    assert again[0].frame.equals(first.frame)
    assert again[1] == skipped
    assert "get the file again" in skipped[0].reason
    assert seen == [(61, 61)]
    # Also from elsewhere, where the folder has another name.
    monkeypatch.chdir(tree)
    elsewhere = scan(Path("real/.."), usual_layout(), manifest_path=Path("../m.csv"), clock=later)
    assert elsewhere[0].frame.equals(first.frame)
    with pytest.raises(AssertionError, match="was read"):
        scan(tree, usual_layout(), manifest_path=path, trust="nothing")


def test_what_was_written_just_before_the_scan_is_read_again(tree: Path) -> None:
    path = tree.parent / "m.csv"
    seen, on_progress = counted()
    for _ in range(2):
        scan(tree, usual_layout(), manifest_path=path, on_progress=on_progress)
    assert seen == [(done, 60) for done in range(1, 61)] * 2


def test_what_cannot_be_read_may_be_readable_later(tree: Path) -> None:
    path = tree.parent / "m.csv"
    (tree / "real" / "link.jpg").symlink_to(tree / "real" / "later.png")
    (tree / "real" / "loop.jpg").symlink_to("loop.jpg")
    _, skipped = scan(tree, usual_layout(), manifest_path=path, clock=later)
    assert [skip.path for skip in skipped] == ["faces/real/link.jpg", "faces/real/loop.jpg"]
    shutil.copy(tree / "real" / "00.jpg", tree / "real" / "later.png")
    frame = scan(tree, usual_layout(), manifest_path=path, clock=later)[0].frame
    assert {"faces/real/link.jpg", "faces/real/later.png"} <= set(frame["path"])


def test_a_scan_that_is_broken_off_is_remembered_as_far_as_it_came(tree: Path) -> None:
    path = tree.parent / "m.csv"

    def stop(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(tree, usual_layout(), manifest_path=path, on_progress=stop, clock=later)
    seen, on_progress = counted()
    resumed = scan(tree, usual_layout(), manifest_path=path, on_progress=on_progress, clock=later)[0]
    assert seen == [(done, 60) for done in range(20, 61)]
    assert resumed.frame.equals(scan(tree, usual_layout(), manifest_path=path, trust="nothing")[0].frame)


def test_a_damaged_cache_is_not_believed(tree: Path) -> None:
    path = tree.parent / "m.csv"
    expected = scan(tree, usual_layout(), manifest_path=path, clock=later)[0].frame
    cache = scan_cache_path(path)
    whole = cache.read_bytes()
    for content in (whole[:-5], whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:], whole[:300] + whole[301:], b""):
        cache.write_bytes(content)
        seen, on_progress = counted()
        frame = scan(tree, usual_layout(), manifest_path=path, on_progress=on_progress, clock=later)[0].frame
        assert frame.equals(expected)
        assert len(seen) == 60
        assert cache.read_bytes() == whole


def test_the_cache_serves_another_card(tree: Path) -> None:
    path = tree.parent / "m.csv"
    scan(tree, usual_layout(), manifest_path=path, clock=later)
    other = Card("other", "", (Rule("real/1*", "real", "phone"), Rule("fake/**", "fake", "flux", split="test")))
    seen, on_progress = counted()
    recalled = scan(tree, other, manifest_path=path, on_progress=on_progress, clock=later)
    assert seen == [(40, 40)]
    anew = scan(tree, other, manifest_path=path, trust="nothing")
    assert recalled[0].frame.equals(anew[0].frame)
    assert recalled[1] == anew[1]
    assert len(recalled[1]) == 20


def test_a_manifest_below_the_pictures(tree: Path) -> None:
    (tree / "real" / "notes").mkdir()
    frame = scan(tree, usual_layout(), manifest_path=tree / "real" / "notes" / "m.csv")[0].frame
    assert {"../00.jpg", "../../fake/sdxl/00.jpg"} <= set(frame["path"])


# What may happen to a folder between two scans: the name of a change, which file, and a number for its new content.
_CHANGES = st.tuples(
    st.sampled_from(["add", "edit", "damage", "remove", "rename", "swap", "copy", "touch", "same size", "nothing"]),
    st.integers(0, 30),
    st.integers(0, 5),
)


def change(folder: Path, what: str, which: int, seed: int, draw: Draw) -> None:
    """Change a folder of JPEG pictures as a person or a program may."""
    files = sorted(path for path in folder.rglob("*.jpg"))
    file = files[which % len(files)]
    other = files[(which + seed) % len(files)]
    new = file.with_name(f"new-{seed}.jpg")
    if what == "add":
        draw(seed, 40, 40).save(new)
    elif what == "edit":
        draw(seed, 48, 40).save(file)
    elif what == "damage":
        file.write_bytes(file.read_bytes()[: 300 + seed])
    elif what == "remove" and len(files) > 4:
        file.unlink()
    elif what == "rename":
        file.replace(new)
    elif what == "swap":
        file.replace(folder / "real" / "swap")
        other.replace(file) if other != file else None
        (folder / "real" / "swap").replace(other)
    elif what == "copy" and new != file:
        shutil.copy2(file, new)
    elif what == "touch":
        os.utime(file, ns=(seed, seed))
    elif what == "same size":
        status, data = file.stat(), bytearray(file.read_bytes())
        data[-10 - seed] ^= 1
        file.write_bytes(data)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.lists(_CHANGES, max_size=4), min_size=1, max_size=4), with_previous=st.booleans())
def test_a_scan_with_a_cache_equals_one_without(
    steps: list[list[tuple[str, int, int]]], with_previous: bool, draw: Draw, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("changing")
    for place in ("real", "fake/gan"):
        (folder / place).mkdir(parents=True)
        for seed in range(4):
            draw(seed + len(place), 40, 40).save(folder / place / f"{seed}.jpg")
    previous: Manifest | None = None
    for changes in [[], *steps]:
        for what, which, seed in changes:
            change(folder, what, which, seed, draw)
        outcomes: list[tuple[Manifest | None, tuple[Skipped, ...], str]] = []
        for trust in get_args(Trust):
            path = folder / f"{trust}.csv"
            try:
                found = scan(folder, usual_layout(), manifest_path=path, previous=previous, trust=trust, clock=later)
            except DataError as error:
                outcomes.append((None, (), str(error)))
            else:
                outcomes.append((*found, ""))
        (manifest, *said), (anew, *said_anew) = outcomes
        assert said == said_anew
        assert (manifest and manifest.csv) == (anew and anew.csv)
        if with_previous:
            previous = manifest
