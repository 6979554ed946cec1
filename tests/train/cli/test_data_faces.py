"""`data faces` where the manifest cannot be written: into another one."""

import errno
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fauxlens
from export.artifacts.bundle import read_bundle
from export.artifacts.vouched import SHIPPED
from train.cli import outputs
from train.data.cards.reader import usual_layout
from train.data.manifest import read_manifest, write_manifest
from train.data.scan.scan import scan


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest beside two pictures of faces, which the shipped bundle carries."""
    pictures = read_bundle(SHIPPED / "bundle.zip").references.pictures
    for number, name in enumerate(("set/real/a.jpg", "set/fake/b.jpg")):
        (tmp_path / "ro" / name).parent.mkdir(parents=True)
        (tmp_path / "ro" / name).write_bytes(pictures[number])
    path = tmp_path / "ro" / "m.csv"
    found, _ = scan(tmp_path / "ro" / "set", usual_layout(), manifest_path=path, workers=1)
    write_manifest(found, path)
    return path


def faces(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(fauxlens.app, ["data", "faces", *map(str, words)])
    return done.exit_code, done.output


def test_the_eyes_go_into_another_manifest(manifest: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in manifest.parent.iterdir() if path.is_file()}
    out = tmp_path / "work" / "faces.csv"
    assert faces(manifest, "--out", out)[0] == 0
    assert {path.name: path.read_bytes() for path in manifest.parent.iterdir() if path.is_file()} == before
    found = read_manifest(out)
    assert found.frame["faces"].null_count() == 0
    assert found.frame["eye_x"].null_count() < found.frame.height
    assert all(found.picture_path(path).is_file() for path in found.frame["path"])
    assert sorted(found.frame["sha256"]) == sorted(read_manifest(manifest).frame["sha256"])
    assert faces(manifest)[0] == 0
    assert read_manifest(manifest).frame["faces"].to_list() == found.frame["faces"].to_list()


def test_a_manifest_that_cannot_be_written_is_told_before_the_work(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(outputs, "check_writable", refuse)
    status, said = faces(manifest)
    assert status == 2
    assert f"{manifest} cannot be written (Read-only file system): name another place with --out." in said
