"""Pictures inside Parquet rows and tars: unpacked with bytes, labels and attributes, or refused in one sentence."""

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filelock import FileLock
from PIL import Image
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import DataError
from train.data.get.unpack import ArchiveLimits
from train.data.scan.folder import Scanned, scan_folder
from train.data.shards.find import find_shards
from train.data.shards.parquet import read_pictures
from train.data.shards.unpack import TABLE, unpack_shards

Draw = Callable[..., Image.Image]


def encoded(picture: Image.Image, kind: str = "JPEG") -> bytes:
    target = io.BytesIO()
    picture.save(target, kind)
    return target.getvalue()


@pytest.fixture
def pictures(draw: Draw) -> list[bytes]:
    """Twelve pictures, every third one a PNG."""
    return [encoded(draw(index), "JPEG" if index % 3 else "PNG") for index in range(12)]


def write_parquet(
    path: Path, pictures: list[Any], *, plain: bool = False, names: bool = True, **columns: list[Any]
) -> None:
    """A Parquet file as Hugging Face's datasets write it: a struct of bytes and path, class numbers with names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = pictures if plain else [{"bytes": one, "path": f"p/{number}.jpg"} for number, one in enumerate(pictures)]
    features = {"image": {"_type": "Image"}, "label": {"names": ["fake", "real"], "_type": "ClassLabel"}}
    note = {"huggingface": json.dumps({"info": {"features": features}})} if names else {}
    frame = pl.DataFrame({"image": cells, **columns})
    frame.write_parquet(path, row_group_size=5, metadata=note)


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def scanned(root: Path) -> Scanned:
    return scan_folder(root, root.parent / "m.csv")


def digests(found: Scanned, label: str) -> set[str]:
    return set(found.manifest.frame.filter(pl.col("label") == label)["sha256"])


def sha256(pictures: list[bytes]) -> set[str]:
    return {hashlib.sha256(one).hexdigest() for one in pictures}


@pytest.mark.parametrize("plain", [False, True])
def test_parquet_rows_become_files_with_their_bytes(plain: bool, pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "My faces"
    labels = [number % 2 for number in range(6)]
    models = ["sdxl" if label == 0 else None for label in labels]
    more: dict[str, list[Any]] = {
        "label": labels,
        "model": models,
        "prompt": [f"face, {number}" for number in range(6)],
        "Age": [*range(20, 26)],
    }
    train = root / "data" / "train-00000-of-00001.parquet"
    write_parquet(train, pictures[:6], plain=plain, names=True, **more)
    write_parquet(root / "data" / "validation-00000-of-00001.parquet", pictures[6:10], plain=plain, label=[0, 1, 0, 1])
    write_parquet(root / "data" / "test-00000-of-00001.parquet", pictures[10:], plain=plain, label=[0, 1])
    found = scanned(root)
    assert found.skipped == ()
    assert digests(found, "fake") == sha256(pictures[0::2])
    assert digests(found, "real") == sha256(pictures[1::2])
    frame = found.manifest.frame
    assert set(frame["source"]) == {"My faces"}
    assert frame["split"].value_counts().sort("split").rows() == [("test", 2), ("train", 6), ("val", 4)]
    first = frame.row(by_predicate=pl.col("sha256") == hashlib.sha256(pictures[0]).hexdigest(), named=True)
    assert (first["generator"], first["prompt"], first["age"], first["format"]) == ("sdxl", "face, 0", "20", "PNG")
    assert first["path"] == "m.pictures/data/train-00000-of-00001/0000/00000000.png"
    assert ("original_path" in frame.columns) != plain
    # Nothing is unpacked twice, and nothing lies in the dataset's own folder.
    before = (tmp_path / first["path"]).stat().st_mtime_ns
    assert scanned(root).manifest.csv == found.manifest.csv
    assert (tmp_path / first["path"]).stat().st_mtime_ns == before
    assert {path.suffix for path in root.rglob("*") if path.is_file()} == {".parquet"}


def test_class_numbers_without_names_are_not_guessed(pictures: list[bytes], tmp_path: Path) -> None:
    write_parquet(tmp_path / "set" / "a.parquet", pictures, names=False, label=[n % 2 for n in range(12)])
    with pytest.raises(DataError, match=r"has '0', '1' in column 'label', and nothing says which is real"):
        scanned(tmp_path / "set")
    card = tmp_path / "mine.toml"
    rule = 'glob = "{picture**}"\ntable = "metadata.csv"\nfind = { file_name = "{picture}" }\n'
    card.write_text(
        f'title = "T"\n[[rule]]\n{rule}where = {{ label = "0" }}\nlabel = "real"\n'
        f'[[rule]]\n{rule}where = {{ label = "1" }}\nlabel = "fake"\ngenerator = "flux"\n',
        encoding="utf-8",
    )
    found = scan_folder(tmp_path / "set", tmp_path / "m.csv", card=str(card))
    assert digests(found, "real") == sha256(pictures[0::2])
    assert set(found.manifest.frame["source"]) == {"mine"}


def test_rows_without_a_picture_are_skipped_with_their_reason(pictures: list[bytes], tmp_path: Path) -> None:
    cells = [*pictures[:4], b"", b"<html>", None]
    labels = [0, 1, 0, 1, 0, 1, 0]
    write_parquet(tmp_path / "set" / "a.parquet", cells, label=labels)
    found = scanned(tmp_path / "set")
    assert found.manifest.frame.height == 4
    assert [one.reason.partition("a.parquet, ")[2] for one in found.skipped] == [
        "row 5 has no bytes of a picture in it, at most the name of a file elsewhere: it is left out.",
        "row 6 is not a picture of a known format: it is left out.",
        "row 7 has no bytes of a picture in it, at most the name of a file elsewhere: it is left out.",
    ]


def test_a_webdataset_is_read_with_its_sidecars(pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "web"
    for shard, chosen in (("train-0000.tar", range(8)), ("test-0000.tar.gz", range(8, 12))):
        members = {}
        for number in chosen:
            suffix = "jpg" if number % 3 else "png"
            said = {"label": "real" if number % 2 else "fake", "generator": "" if number % 2 else "pixart", "box": [1]}
            members[f"{number:06}.{suffix}"] = pictures[number]
            members[f"{number:06}.json"] = json.dumps(said).encode()
            members[f"{number:06}.txt"] = f"caption {number}\n".encode()
        write_tar(root / shard, members, "w:gz" if shard.endswith("gz") else "w")
    found = scanned(root)
    assert digests(found, "fake") == sha256(pictures[0::2])
    frame = found.manifest.frame
    assert set(frame.filter(pl.col("label") == "fake")["generator"]) == {"pixart"}
    assert set(frame.filter(pl.col("path").str.contains("test-0000"))["split"]) == {"test"}
    assert "test" not in set(frame.filter(pl.col("path").str.contains("train-0000"))["split"])
    row = frame.row(by_predicate=pl.col("sha256") == hashlib.sha256(pictures[3]).hexdigest(), named=True)
    assert row["text"] == "caption 3"
    assert row["path"] == "m.pictures/train-0000/000003.png"


def test_tars_of_folders_are_laid_out_by_them(pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "wild"
    for number, (folder, label) in enumerate((f, c) for f in ("train", "test") for c in ("real", "fake")):
        members = {f"{number}/{label}/7/{n}.png": pictures[3 * number + n] for n in range(3)}
        write_tar(root / f"{label}_{folder}" / f"{number}.tar.gz", members, "w:gz")
    found = scanned(root)
    assert digests(found, "real") == sha256([*pictures[0:3], *pictures[6:9]])
    assert set(found.manifest.frame.filter(pl.col("path").str.contains("_test/"))["split"]) == {"test"}


@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "a\\..\\evil.jpg"])
def test_an_unsafe_tar_is_refused_and_leaves_nothing(name: str, pictures: list[bytes], tmp_path: Path) -> None:
    write_tar(tmp_path / "set" / "a.tar", {"real/a.jpg": pictures[0], name: pictures[1]})
    with pytest.raises(DataError, match="nothing was unpacked"):
        scanned(tmp_path / "set")
    assert not list((tmp_path / "m.pictures").rglob("*.jpg"))
    assert not list(tmp_path.rglob("evil*"))


def test_a_parquet_without_pictures_is_told(pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    pl.DataFrame({"url": ["a"], "label": ["real"]}).write_parquet(root / "links.parquet")
    with pytest.raises(
        DataError, match=r"links.parquet has no column of pictures \(expected bytes.*found url, label\)"
    ):
        scanned(root)
    assert not (tmp_path / "m.pictures").exists()
    # Beside one with pictures it is left out, with its reason.
    write_parquet(root / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    found = scanned(root)
    assert found.manifest.frame.height == 12
    assert [one.path for one in found.skipped] == ["links.parquet"]


def test_a_damaged_parquet_is_one_sentence(pictures: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(path, pictures, label=[n % 2 for n in range(12)])
    data, random_ = path.read_bytes(), random.Random(3)
    told = 0
    for _ in range(60):
        damaged = bytearray(data[: random_.randrange(len(data))] if random_.random() < 0.3 else data)
        for _ in range(20):
            # Where the structure is: the pictures themselves may be damaged without anybody's notice.
            damaged[-random_.randrange(1, min(1500, len(damaged)))] = random_.randrange(256)
        path.write_bytes(damaged)
        try:
            assert all(found.data or found.problem for found in read_pictures(path))
        except DataError as error:
            told += 1
            assert str(path) in str(error)
    assert told > 30


def test_what_unpacks_to_too_much_is_refused(pictures: list[bytes], tmp_path: Path) -> None:
    write_parquet(tmp_path / "set" / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    with pytest.raises(DataError, match="may be a decompression bomb"):
        unpack_shards(tmp_path / "set", tmp_path / "out", limits=ArchiveLimits(total_bytes=5000))
    assert not list((tmp_path / "out").rglob("*.jpg"))


def test_folders_of_others_and_changed_shards_are_not_touched(pictures: list[bytes], tmp_path: Path) -> None:
    root, place = tmp_path / "set", tmp_path / "m.pictures"
    write_parquet(root / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    place.mkdir()
    (place / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="contains other files"):
        scanned(root)
    (place / "mine.txt").unlink()
    scanned(root)
    write_parquet(root / "a.parquet", pictures[:6], label=[n % 2 for n in range(6)])
    with pytest.raises(DataError, match=r"has changed since it was unpacked: remove .*a and scan again"):
        scanned(root)
    with pytest.raises(DataError, match="contains the pictures of"):
        write_parquet(tmp_path / "other" / "a.parquet", pictures, label=[n % 2 for n in range(12)])
        scan_folder(tmp_path / "other", tmp_path / "m.csv")


def test_tables_beside_pictures_are_no_shards(tree: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tree / "metadata.parquet")
    assert find_shards(tree) == []
    assert unpack_shards(tree, tree.parent / "out").folder == tree
    assert not (tree.parent / "out" / TABLE).exists()


def test_names_that_polars_takes_for_patterns(pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "set [1]"
    write_parquet(root / "a[0-9]*.parquet", pictures, label=[n % 2 for n in range(12)])
    assert scanned(root).manifest.frame.height == 12


def test_shipped_cards_read_the_columns_of_their_parquet_files(pictures: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "openfake"
    said = {
        "prompt": ["", "a crowd"],
        "label": ["real", "fake"],
        "model": ["", "gpt-image-1"],
        "type": ["", "base"],
        "release_date": ["", "2025-04"],
    }
    for number, shard in enumerate(("core/train", "core/validation", "core/test", "reddit/test")):
        write_parquet(
            root / f"{shard}-00000-of-00001.parquet", pictures[2 * number :][:2], plain=False, names=False, **said
        )
    frame = scan_folder(root, tmp_path / "o.csv", card="openfake").manifest.frame
    found = frame.group_by("source", "split", "label").len().sort("source", "split", "label").rows()
    assert found == [
        *(("openfake", split, label, 1) for split in ("test", "train", "val") for label in ("fake", "real")),
        ("openfake-reddit", "test", "fake", 1),
        ("openfake-reddit", "test", "real", 1),
    ]
    assert set(frame.filter(label="fake").select("generator", "release_date").iter_rows()) == {
        ("gpt-image-1", "2025-04")
    }

    root = tmp_path / "forensics"
    (root / "data").mkdir(parents=True)
    pl.DataFrame(
        {
            "image_name": ["0.png", "1.png", "2.png"],
            "image_data": pictures[:3],
            "model_name": ["real", "somebody/portraits-v3", "GALIP"],
            "prompt": [None, "an owl", None],
            "real_source": ["FFHQ", None, None],
            "subset": [None, "Systematic", "Manual"],
            "split": ["train"] * 3,
            "label": [0, 1, 1],
            "architecture": ["real", "LatDiff", "GAN"],
        }
    ).write_parquet(root / "data" / "x-0000.parquet")
    frame = scan_folder(root, tmp_path / "f.csv", card="community-forensics").manifest.frame
    assert set(frame.select("source", "generator", "family").iter_rows()) == {
        ("community-forensics-FFHQ", "camera", "camera"),
        ("community-forensics", "somebody/portraits-v3", "diffusion"),
        ("community-forensics", "GALIP", "gan"),
    }
    assert set(frame["sha256"]) == sha256(pictures[:3])


def test_what_a_killed_scan_left_goes_and_two_scans_do_not_meet(pictures: list[bytes], tmp_path: Path) -> None:
    root, place = tmp_path / "set", tmp_path / "m.pictures"
    write_parquet(root / "data" / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    scanned(root)
    (place / ".a.12345678.unpacking" / "files").mkdir(parents=True)
    with FileLock(place / ".lock"), pytest.raises(DataError, match="is being filled by another scan"):
        scanned(root)
    assert (place / ".a.12345678.unpacking").exists()
    scanned(root)
    assert not (place / ".a.12345678.unpacking").exists()


def test_two_shards_of_one_name_are_told(pictures: list[bytes], tmp_path: Path) -> None:
    write_parquet(tmp_path / "set" / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    write_tar(tmp_path / "set" / "a.tar", {"real/0.jpg": pictures[0]})
    with pytest.raises(DataError, match="would be unpacked into the same folder"):
        scanned(tmp_path / "set")


def test_the_verb_tells_in_one_line_and_names_the_source(pictures: list[bytes], tmp_path: Path) -> None:
    root, out = tmp_path / "set", tmp_path / "m.csv"
    root.mkdir()
    pl.DataFrame({"url": ["a"]}).write_parquet(root / "links.parquet")
    done = CliRunner().invoke(app, ["data", "scan", str(root), "--out", str(out)])
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    write_parquet(root / "a.parquet", pictures, label=[n % 2 for n in range(12)])
    done = CliRunner().invoke(app, ["data", "scan", str(root), "--out", str(out), "--source", "web-2026"])
    assert done.exit_code == 0, done.output
    assert set(pl.read_csv(out)["source"]) == {"web-2026"}
    assert "1 skipped" in done.output
    done = CliRunner().invoke(app, ["data", "scan", str(root), "--card", "openfake", "--source", "x"])
    assert done.exit_code == 2
