"""scan: a folder becomes a manifest, and what does not fit is listed."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from train.common.errors import DataError
from train.data.cards.reader import Card, Rule, read_card, usual_layout
from train.data.manifest import attributes_of, read_manifest, write_manifest
from train.data.scan.scan import scan
from train.image.decode import decode

ROOT = Path(__file__).parents[4]
SHARED = ROOT.parent / "shared" / "faces"
Draw = Callable[..., Image.Image]


def test_a_small_tree(tree: Path) -> None:
    path = tree.parent / "m.csv"
    seen: list[tuple[int, int]] = []
    manifest, skipped = scan(
        tree, usual_layout("mini"), manifest_path=path, on_progress=lambda done, total: seen.append((done, total))
    )
    assert skipped == ()
    assert seen == [(done, 60) for done in range(1, 61)]
    frame = manifest.frame
    assert frame["path"].to_list() == sorted(f"faces/{p.relative_to(tree).as_posix()}" for p in tree.rglob("*.jpg"))
    assert frame["group"].n_unique() == 60
    assert frame["generator"].value_counts().sort("generator").rows() == [
        ("camera", 30),
        ("sdxl", 15),
        ("stylegan2", 15),
    ]
    row = frame.row(0, named=True)
    data = manifest.picture_path(row["path"]).read_bytes()
    assert (row["sha256"], row["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (row["width"], row["height"], row["format"], row["jpeg_quality"]) == (96, 96, "JPEG", 90)
    assert (row["label"], row["family"], row["source"]) == ("fake", "diffusion", "mini")
    write_manifest(manifest, path)
    assert read_manifest(path).frame.equals(frame)


def test_the_same_folder_gives_the_same_manifest(tree: Path) -> None:
    path = tree.parent / "m.csv"
    one = scan(tree, usual_layout(), manifest_path=path, workers=1)[0]
    four = scan(tree, usual_layout(), manifest_path=path, workers=4)[0]
    assert one.sha256 == four.sha256


def test_what_does_not_fit_is_listed_and_the_rest_goes_on(tree: Path) -> None:
    (tree / "real" / "broken.jpg").write_bytes((tree / "real" / "00.jpg").read_bytes()[:900])
    (tree / "real" / "empty.png").write_bytes(b"")
    (tree / "other.jpg").write_bytes((tree / "real" / "00.jpg").read_bytes())
    (tree / "real" / "notes.txt").write_text("not a picture")
    (tree / "real" / ".hidden.jpg").write_bytes(b"")
    (tree / ".cache").mkdir()
    (tree / ".cache" / "a.jpg").write_bytes(b"")
    manifest, skipped = scan(tree, usual_layout(), manifest_path=tree / "m.csv")
    assert manifest.frame.height == 60
    reasons = {skip.path: skip.reason for skip in skipped}
    assert list(reasons) == ["other.jpg", "real/broken.jpg", "real/empty.png"]
    assert "named by no rule" in reasons["other.jpg"]
    assert "get the file again" in reasons["real/broken.jpg"]
    assert "is empty" in reasons["real/empty.png"]


def test_links_lead_nowhere_outside(tree: Path, draw: Draw) -> None:
    outside = tree.parent / "outside"
    outside.mkdir()
    draw(900).save(outside / "a.jpg")
    (tree / "real" / "link.jpg").symlink_to(outside / "a.jpg")
    (tree / "real" / "folder").symlink_to(outside)
    (tree / "real" / "loop").symlink_to(tree)
    (tree / "real" / "inside.jpg").symlink_to(tree / "real" / "00.jpg")
    manifest, skipped = scan(tree, usual_layout(), manifest_path=tree / "m.csv")
    assert [skip.path for skip in skipped] == ["real/folder", "real/link.jpg", "real/loop"]
    assert "link to outside the folder" in skipped[1].reason
    assert manifest.frame.height == 61


def test_a_name_that_is_not_utf8_is_listed(tree: Path) -> None:
    name = os.fsencode(tree / "real") + b"/\xff.jpg"
    try:
        shutil.copy(os.fsencode(tree / "real" / "00.jpg"), name)
    except OSError:
        pytest.skip("this file system refuses such names")
    _, skipped = scan(tree, usual_layout(), manifest_path=tree / "m.csv")
    assert "not UTF-8" in skipped[0].reason
    skipped[0].path.encode("utf-8")
    # Where there is no other, that is the reason, and not the names of the folders.
    for path in tree.glob("real/*.jpg"):
        if os.fsencode(path).isascii():
            path.unlink()
    with pytest.raises(DataError, match=r"no real picture that can be used; 1 skipped, .*: rename it\.$"):
        scan(tree, usual_layout(), manifest_path=tree / "m.csv")
    shutil.rmtree(tree / "fake")
    with pytest.raises(DataError, match=r"no picture that can be used; 1 skipped, the first because .* not UTF-8"):
        scan(tree, usual_layout(), manifest_path=tree / "m.csv")


def test_what_makes_no_manifest_is_refused_in_one_sentence(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    no_fake = Card("no-fake", "", (Rule("real/**", "real", "camera"), Rule("made/**", "fake", "flux")))
    for folder, card, complaint in (
        (tmp_path / "missing", usual_layout(), "cannot be read"),
        (tree / "real" / "00.jpg", usual_layout(), "is a file"),
        (tmp_path / "none", usual_layout(), "has no picture"),
        (tree, no_fake, "has no fake picture"),
    ):
        with pytest.raises(DataError) as caught:
            scan(folder, card, manifest_path=tmp_path / "m.csv")
        assert complaint in str(caught.value)
        assert str(folder) in str(caught.value)


def test_a_dataset_of_one_class_is_fine(tree: Path) -> None:
    card = Card("real-only", "", (Rule("real/**", "real", "camera"),))
    manifest, skipped = scan(tree, card, manifest_path=tree / "m.csv")
    assert set(manifest.frame["label"]) == {"real"}
    assert len(skipped) == 30


def test_a_dataset_of_one_class_is_one_if_its_card_says_so(tree: Path) -> None:
    card = Card("reals", "", (Rule("real/**", "real", "camera"), Rule("**", skip="No faces.")))
    manifest, skipped = scan(tree, card, manifest_path=tree / "m.csv")
    assert set(manifest.frame["label"]) == {"real"}
    assert {skip.reason.rpartition(": ")[2] for skip in skipped} == {"No faces."}


def test_an_unreadable_folder_below_is_an_error_not_a_smaller_set(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("sdxl"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"sdxl cannot be read \(Permission denied\)"):
        scan(tree, usual_layout(), manifest_path=tree / "m.csv")


def test_adding_pictures_with_a_previous_manifest_keeps_group_split_and_face(tree: Path, draw: Draw) -> None:
    path = tree / "m.csv"
    old = scan(tree, usual_layout(), manifest_path=path)[0]
    faced = old.frame.with_columns(eye_x=10.0, eye_y=11.0, eye_distance=12.0)
    for seed in range(300, 340):
        draw(seed).save(tree / "real" / f"{seed}.jpg")
    decoded = Image.fromarray(decode(tree / "real" / "03.jpg").pixels)
    decoded.save(tree / "real" / "copy.jpg", quality=40)
    (tree / "real" / "07.jpg").rename(tree / "real" / "moved.jpg")
    new = scan(tree, usual_layout(), manifest_path=path, previous=type(old)(faced, old.folder))[0].frame
    columns = ["sha256", "group", "split", "eye_x", "eye_distance"]
    assert (
        new.filter(new["sha256"].is_in(faced["sha256"].to_list()))
        .select(columns)
        .sort("sha256")
        .equals(faced.select(columns).sort("sha256"))
    )
    by_path = {row["path"]: row for row in new.iter_rows(named=True)}
    assert by_path["real/copy.jpg"]["group"] == by_path["real/03.jpg"]["group"]
    assert by_path["real/copy.jpg"]["split"] == by_path["real/03.jpg"]["split"]
    assert by_path["real/copy.jpg"]["eye_x"] is None


def test_the_shared_faces(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared faces are not on this machine")
    card = read_card(ROOT / "tests" / "cards" / "shared-faces.toml")
    folder = tmp_path / "faces"
    for source in ("ffhq-256", "sdxl", "web-faces"):
        (folder / source).mkdir(parents=True)
        for picture in sorted((SHARED / source).iterdir())[:40]:
            shutil.copy(picture, folder / source / picture.name)
    manifest, skipped = scan(folder, card, manifest_path=tmp_path / "m.csv")
    assert skipped == ()
    frame = manifest.frame
    assert frame["source"].value_counts().sort("source").rows() == [("ffhq-256", 40), ("sdxl", 40), ("web-faces", 40)]
    assert set(frame.filter(source="ffhq-256")["jpeg_quality"]) == {75}
    assert set(frame.filter(source="sdxl")["jpeg_quality"]) == {90}
    # Different people do not chain into one group.
    assert max(frame["group"].value_counts()["count"].to_list()) <= 4


def test_attributes_of_the_shared_faces_come_along(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared faces are not on this machine")
    card = read_card(ROOT / "tests" / "cards" / "shared-faces.toml")
    folder = tmp_path / "faces"
    for source in ("fairface", "sdxl"):
        (folder / source).mkdir(parents=True)
        for picture in sorted((SHARED / source).iterdir())[:20]:
            shutil.copy(picture, folder / source / picture.name)
    shutil.copy(SHARED / "fairface.csv", folder)
    manifest, _ = scan(folder, card, manifest_path=tmp_path / "m.csv")
    assert attributes_of(manifest.frame) == ("age", "race", "sex")
    told = {f"faces/{row['path']}": row for row in pl.read_csv(SHARED / "fairface.csv").iter_rows(named=True)}
    for row in manifest.frame.iter_rows(named=True):
        for name in ("age", "race", "sex"):
            assert row[name] == (told[row["path"]][name] if row["source"] == "fairface" else None)
    # A second scan finds them again, and nothing else.
    again, _ = scan(folder, card, manifest_path=tmp_path / "m.csv", previous=manifest)
    assert again.csv == manifest.csv


def test_own_products_leftovers_of_storage_and_linked_folders_are_listed_not_scanned(tree: Path, draw: Draw) -> None:
    before, _ = scan(tree, usual_layout(), manifest_path=tree.parent / "m.csv", workers=1)
    for name in ("real/a.png.ela.png", "real/@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "fake/#recycle/x.png"):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(99).save(path)
    (tree / "real" / "more").symlink_to(tree / "fake", target_is_directory=True)
    found, skipped = scan(tree, usual_layout(), manifest_path=tree.parent / "m.csv", workers=1)
    reasons = {one.path.partition("faces/")[2]: one.reason for one in skipped}
    assert not any("@eaDir" in path or ".ela.png" in path or "#recycle" in path for path in found.frame["path"])
    assert found.frame.equals(before.frame)
    for name, reason in (
        ("real/a.png.ela.png", "drawn by Fauxlens"),
        ("real/@eaDir", "a folder of the system's own"),
        ("fake/#recycle", "a folder of the system's own"),
        ("real/more", "link to a folder"),
    ):
        assert reason in reasons[name]


def test_folders_of_other_names_are_told_with_what_was_looked_for(tree: Path) -> None:
    (tree / "real").rename(tree / "photographs")
    with pytest.raises(
        DataError, match=r"no real picture that can be read \(expected real/ and fake/.*; found fake/, photographs/"
    ):
        scan(tree, usual_layout(), manifest_path=tree.parent / "m.csv", workers=1)


def test_a_folder_inside_the_dataset_is_told_which_one_to_name(tree: Path) -> None:
    inside = tree.parent / "set" / "real_vs_fake" / "real-vs-fake"
    inside.mkdir(parents=True)
    (tree / "real").rename(inside / "real")
    card = read_card(ROOT / "datasets" / "xhlulu-140k.toml")
    with pytest.raises(DataError, match=f"found real/\\): name {tree.parent / 'set'}, or name a card"):
        scan(inside, card, manifest_path=tree.parent / "m.csv", workers=1)
