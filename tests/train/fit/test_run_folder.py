"""A run lives in a folder of its own, and takes back nothing but what it made."""

import errno
import json
from pathlib import Path

import pytest
from PIL import Image

from train.common.errors import TrainError
from train.data.cards.reader import usual_layout
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.scan import scan
from train.fit.checkpoints import Progress, load_progress, save_progress
from train.fit.pipeline import train_and_score
from train.fit.run_folder import abandon_run, open_run, start_run, working_on
from train.recipe import parse_recipe

RECIPE = parse_recipe(
    {
        "title": "t",
        "data": {"view": "resize(96)", "generators": ["camera", "unknown"]},
        "model": {},
        "stages": [{"name": "s", "epochs": 1, "learning_rate": 0.1, "train_from": "all"}],
    },
    "here",
)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for number, name in enumerate(("set/real/a.png", "set/fake/b.png")):
        (tmp_path / name).parent.mkdir(parents=True)
        Image.new("RGB", (8, 8), (90 * number, 9, 9)).save(tmp_path / name)
    found, _ = scan(tmp_path / "set", usual_layout(), manifest_path=tmp_path / "m.csv", workers=1)
    write_manifest(found, tmp_path / "m.csv")
    return found


def test_a_folder_with_other_files_is_refused_and_stays_as_it_was(manifest: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    for name in ("checkpoints/resnet50_best.pth", "tensorboard/events.mine", "recipe.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    with pytest.raises(TrainError, match="contains files that are not a run"):
        start_run(folder, RECIPE, tmp_path / "m.csv", manifest)
    assert (folder / "recipe.toml").read_text() == "recipe.toml"
    with pytest.raises(TrainError, match="contains files that are not a run"):
        start_run(tmp_path / "m.csv", RECIPE, tmp_path / "m.csv", manifest)


def test_the_second_of_two_trainings_into_one_folder_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    start_run(tmp_path / "run", RECIPE, tmp_path / "m.csv", manifest)
    with pytest.raises(TrainError, match="already contains a run"):
        start_run(tmp_path / "run", RECIPE, tmp_path / "m.csv", manifest)


def test_a_training_that_was_killed_as_it_began_can_begin_again(manifest: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    whole = start_run(folder, RECIPE, tmp_path / "m.csv", manifest)
    wanted = {path.name: path.read_bytes() for path in folder.iterdir()}
    for left in (("run.json",), ("run.json", "recipe.toml"), ("run.json", ".recipe.0a_9zzzz.part.toml"), (".lock",)):
        for path in folder.iterdir():
            path.unlink()
        for name in left:
            (folder / name).touch()
        start_run(folder, RECIPE, tmp_path / "m.csv", manifest)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == wanted
    assert open_run(folder).recipe == whole.recipe


def test_two_processes_do_not_go_on_with_one_run(manifest: Manifest, tmp_path: Path) -> None:
    run = start_run(tmp_path / "run", RECIPE, tmp_path / "m.csv", manifest)
    with working_on(run.folder), pytest.raises(TrainError, match="Another process works in"):
        train_and_score(run)
    # The refused one has not taken back the run of the other.
    assert open_run(run.folder).recipe == run.recipe


def test_an_abandoned_run_leaves_an_empty_folder_and_every_other_file(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        run = start_run(tmp_path / name, RECIPE, tmp_path / "m.csv", manifest)
        (run.folder / "checkpoints").mkdir()
        (run.folder / "checkpoints" / "best-0001.h5").touch()
        abandon_run(run)
    assert not (tmp_path / "new").exists()
    assert not any((tmp_path / "empty").iterdir())
    run = start_run(tmp_path / "run", RECIPE, tmp_path / "m.csv", manifest)
    (run.folder / "notes.txt").touch()
    abandon_run(open_run(run.folder))
    assert (run.folder / "run.json").exists()
    abandon_run(run)
    assert [path.name for path in run.folder.iterdir()] == ["notes.txt"]


def test_only_checkpoints_of_training_are_swept(tmp_path: Path) -> None:
    ours = ("epoch-0001", ".epoch-0002.abc", "best-0001.h5", ".best-0002.x1.part.h5")
    theirs = ("resnet50_best.pth", "best-1.h5", "epoch-0001.keras", "old")
    for name in (*ours, *theirs):
        (tmp_path / name).mkdir()
    save_progress(tmp_path, Progress(checkpoint="epoch-0003", best_weights="best-0003.h5"))
    assert {path.name for path in tmp_path.iterdir()} == {*theirs, "progress.json"}


def test_a_run_on_another_disk_finds_its_manifest(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "disk/users/me/runs").mkdir(parents=True)
    (tmp_path / "runs").symlink_to("disk/users/me/runs")
    run = start_run(tmp_path / "runs" / "mine", RECIPE, tmp_path / "m.csv", manifest)
    assert open_run(run.folder).manifest().sha256 == manifest.sha256
    found, _ = scan(tmp_path / "set", usual_layout(), manifest_path=tmp_path / "runs/m.csv", workers=1)
    write_manifest(found, tmp_path / "runs" / "m.csv")
    read = read_manifest(tmp_path / "runs" / "m.csv")
    assert all(read.picture_path(path).is_file() for path in read.frame["path"])


@pytest.mark.parametrize(
    "text", ["", "\xff", "[]", "[" * 100_000, "1" * 5_000, '{"manifest": 1}', '{"manifest": "\\u0000"}']
)
def test_a_damaged_run_is_one_sentence(manifest: Manifest, tmp_path: Path, text: str) -> None:
    run = start_run(tmp_path / "run", RECIPE, tmp_path / "m.csv", manifest)
    (run.folder / "run.json").write_bytes(text.encode("latin-1"))
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "progress.json").write_text(json.dumps({"history": 3}))
    with pytest.raises(TrainError, match=r"train again into another folder|name a run folder"):
        open_run(run.folder)
    with pytest.raises(TrainError, match="train again into another folder"):
        load_progress(run.folder / "checkpoints")


def test_a_disk_that_is_full_at_the_beginning_leaves_nothing(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        if path.name == "run.json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr("train.fit.run_folder.write_text", full)
    with pytest.raises(OSError, match="No space left"):
        start_run(tmp_path / "new" / "run", RECIPE, tmp_path / "m.csv", manifest, beside={"averaged.json": "{}"})
    assert not (tmp_path / "new").exists()
