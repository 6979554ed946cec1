"""find_picture_files: what a person names becomes a list of pictures, each with a place of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from train.common.errors import DataError
from train.image.files import PictureFile, find_picture_files

MADE = ".made.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures by their names, at several depths, and things that are none."""
    files = ("b.jpg", "a.JPEG", "a.png", "sub/deep/c.webp", "sub/b.jpg", "sub.jpg/d.tif", "z.heic")
    others = (".hidden.jpg", ".hid/e.jpg", "sub/notes.txt", "b.jpg.made.png", "jpg")
    for name in (*files, *others):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "pictures"


def names(found: tuple[PictureFile, ...], folder: Path) -> list[str]:
    return [file.source.relative_to(folder).as_posix() for file in found]


def test_a_folder_is_searched_to_its_depth_in_order(folder: Path) -> None:
    found = find_picture_files([folder], MADE)
    in_order = ["a.JPEG", "a.png", "b.jpg", "sub/b.jpg", "sub/deep/c.webp", "sub.jpg/d.tif", "z.heic"]
    assert names(found, folder) == in_order
    assert all(file.target == file.source.with_name(f"{file.source.name}{MADE}") for file in found)
    assert len({file.target for file in found}) == len(found)


def test_subfolders_are_kept_below_out(folder: Path, tmp_path: Path) -> None:
    found = find_picture_files([folder / "sub", folder / "a.png"], MADE, tmp_path / "out")
    targets = [file.target.relative_to(tmp_path / "out").as_posix() for file in found]
    assert targets == [f"b.jpg{MADE}", f"deep/c.webp{MADE}", f"a.png{MADE}"]


def test_the_order_of_what_is_named_is_kept_and_nothing_is_taken_twice(folder: Path) -> None:
    twice = [folder / "z.heic", folder / "sub" / ".." / "b.jpg", folder, folder / "z.heic"]
    found = find_picture_files(twice, MADE)
    assert names(found, folder)[0] == "z.heic"
    assert len(found) == 7


def test_a_file_that_is_named_is_taken_whatever_it_is_called(folder: Path) -> None:
    named = [folder / "sub" / "notes.txt", folder / ".hidden.jpg", folder / "gone.jpg"]
    assert [file.source for file in find_picture_files(named, MADE)] == named


@pytest.mark.parametrize("named", [["b.jpg.made.png"], ["sub/deep/empty"], ["b.jpg.made.png", "sub/deep/empty"]])
def test_nothing_left_is_told(folder: Path, named: list[str]) -> None:
    (folder / "sub" / "deep" / "empty").mkdir()
    with pytest.raises(DataError, match=f"no picture in .*{named[0]}"):
        find_picture_files([folder / name for name in named], MADE)


def test_two_pictures_do_not_go_to_one_file(folder: Path, tmp_path: Path) -> None:
    both = [folder / "b.jpg", folder / "sub" / "b.jpg"]
    assert len(find_picture_files(both, MADE)) == 2
    with pytest.raises(DataError) as told:
        find_picture_files(both, MADE, tmp_path / "out")
    assert all(str(path) in str(told.value) for path in (*both, tmp_path / "out" / f"b.jpg{MADE}"))


def test_links_to_folders_are_not_followed_but_where_one_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "loop").symlink_to(tmp_path)
    (tmp_path / "one" / "x.jpg").symlink_to(folder / "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert names(find_picture_files([tmp_path / "link"], MADE), tmp_path) == ["link/x.jpg"]


def test_a_folder_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError, match=r"deep cannot be read \(Permission denied\)"):
        find_picture_files([folder], MADE)
