"""Verbs on a Dask cluster: the bytes of one machine, also where a worker is killed with parts in its hands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fauxlens import app
from tests.dask_workers import LocalCluster, local_cluster, one_of_two_killed
from train.common import dask_cluster
from train.data.manifest import read_manifest

pytest.importorskip("distributed", reason="the extra `scale` is not installed")
VERBS = (
    ("data", "scan", "faces"),
    ("data", "faces", "m.csv"),
    ("data", "pack", "m.csv", "--view", "resize(8)"),
    ("data", "reconstruct", "m.csv", "--autoencoder", "mine.onnx", "--out", "made"),
    ("evaluate", "m.tflite", "m.csv"),
)


def run(*words: object, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": "200"})
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("cluster")) as opened:
        yield opened


def files_of(folder: Path) -> dict[str, bytes]:
    """What stands in a folder, but for locks and caches."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    below = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in below.items() if not name.startswith(".") and "/." not in name}


@pytest.mark.slow
def test_scan_faces_and_pack_on_a_cluster_that_loses_a_worker(
    tree: Path, tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "real" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    whole, mine = tmp_path / "whole", tmp_path / "mine"
    dask = ("--dask", cluster.address)
    shown = run("data", "scan", tree, "--out", whole / "m.csv", "--json")
    with one_of_two_killed(cluster, monkeypatch):
        said = run("data", "scan", tree, "--out", mine / "m.csv", "--json", *dask)
    assert json.loads(said.replace(str(mine), str(whole))) == json.loads(shown)
    assert files_of(mine) == files_of(whole)
    assert set(files_of(mine)) == {"m.csv", "m.skipped.csv"}

    options = ("data", "faces", "--skin-tone", "--json")
    shown = run(*options, whole / "m.csv", "--workers", 1)
    with one_of_two_killed(cluster, monkeypatch):
        assert run(*options, mine / "m.csv", *dask) == shown
    assert files_of(mine) == files_of(whole)
    assert read_manifest(mine / "m.csv").frame["faces"].null_count() == 0

    options = ("data", "pack", "--view", "square|resize(8)")
    shown = run(*options, whole / "m.csv", "--out", whole / "packed")
    with one_of_two_killed(cluster, monkeypatch):
        said = run(*options, mine / "m.csv", "--out", mine / "packed", *dask)
    assert "60 pictures as" in shown
    assert "60 pictures as" in said
    assert files_of(mine) == files_of(whole)
    assert sum(name.endswith("pixels.npy") for name in files_of(mine)) == 1


@pytest.mark.slow
def test_reconstruct_on_a_cluster_that_loses_a_worker(
    tree: Path, tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an autoencoder of one's own, named from the working folder, which is not that of the workers."""
    onnx = pytest.importorskip("onnx", reason="the extra `benchmark` is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Mul", ["x", "gain"], ["y"])]
    ends = [helper.make_tensor_value_info(name, kind, [1, 3, "h", "w"]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [helper.make_tensor("gain", kind, [], [0.9])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "mine.onnx").write_bytes(model.SerializeToString())
    monkeypatch.chdir(tmp_path)
    run("data", "scan", tree)
    options = ("data", "reconstruct", "manifest.csv", "--autoencoder", "mine.onnx", "--count", 20)
    shown = run(*options, "--out", "whole")
    with one_of_two_killed(cluster, monkeypatch):
        said = run(*options, "--out", "mine", "--dask", cluster.address)
    assert "20 pairs" in said
    assert "20 pairs" in shown
    assert files_of(tmp_path / "mine") == files_of(tmp_path / "whole")


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_part_on_a_cluster_is_one_sentence(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(*verb, "--dask", "127.0.0.1:9", "--part", "1/2", status=2)
    assert said == "--dask makes all parts and merges them: leave out --part 1/2.\n"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["faces", "pack", "reconstruct"])
def test_every_verb_says_that_no_cluster_answers(
    verb: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "_PATIENCE", 1)
    run("data", "scan", tree, "--out", tmp_path / "m.csv")
    before = files_of(tmp_path)
    options = {
        "faces": (),
        "pack": ("--view", "square|resize(8)", "--out", tmp_path / "packed"),
        "reconstruct": ("--out", tmp_path / "made"),
    }[verb]
    if verb == "reconstruct":
        monkeypatch.setattr("train.data.reconstruct.open_autoencoder.open_autoencoders", lambda *_: ())
    said = run("data", verb, tmp_path / "m.csv", *options, "--dask", "127.0.0.1:9", status=2)
    assert said.startswith("No Dask scheduler answers at 127.0.0.1:9 within 1 seconds (")
    assert len(said.strip().splitlines()) == 1
    assert files_of(tmp_path) == before
