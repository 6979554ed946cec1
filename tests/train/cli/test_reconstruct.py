"""The command `data reconstruct` as a person meets it: real processes, an autoencoder of one's own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fauxlens
from tests.train.data.reconstruct.torch_files import write_archive
from train.data.manifest import read_manifest
from train.data.reconstruct.autoencoder import Autoencoder
from train.data.sample.make import make_sample

ROOT = Path(__file__).parents[3]


def data(*arguments: object, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "fauxlens.py"), "data", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scanned sample of 12 real pictures, and an autoencoder that darkens, as ONNX."""
    onnx = pytest.importorskip("onnx", reason="the extra `benchmark` is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `benchmark` is not installed")
    folder = tmp_path_factory.mktemp("reconstruct")
    make_sample(folder / "faces", count=30, size=64)
    data("scan", "faces", "--card", "drawn-sample", cwd=folder)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Mul", ["x", "gain"], ["y"])]
    ends = [helper.make_tensor_value_info(name, kind, [1, 3, "h", "w"]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [helper.make_tensor("gain", kind, [], [0.9])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "mine.onnx").write_bytes(model.SerializeToString())
    return folder


def test_from_a_manifest_to_one_with_pairs(folder: Path) -> None:
    made = ("reconstruct", "manifest.csv", "--autoencoder", "mine.onnx", "--out", "recon", "--count", 5)
    shown = data(*made, cwd=folder).stdout
    assert "5 pairs" in shown
    assert "next: fauxlens data merge manifest.csv recon/manifest.csv" in shown
    document = json.loads(data(*made, "--json", cwd=folder).stdout)
    assert (document["pairs"], document["skipped"]) == (5, [])
    assert document["counts"][0]["generator"] == "mine"
    data("merge", "manifest.csv", "recon/manifest.csv", "--out", "merged.csv", cwd=folder)
    merged = read_manifest(folder / "merged.csv").frame
    assert merged.filter(family="reconstruction").height == 5
    assert merged.height == 35


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--autoencoder", "vae"], "Unknown autoencoder 'vae'"),
        (["--autoencoder", "gone.onnx"], "gone.onnx cannot be read"),
        (["--autoencoder", "taesd", "--weights", "faces"], "has no taesd_encoder.safetensors or .pth"),
        (["--autoencoder", "taesd", "--weights", "mine.onnx"], "mine.onnx is not a folder: name the one that holds"),
        (["--autoencoder", "taesd", "--weights", "hf:taesd"], "hf:taesd names no repository: write hf:OWNER/NAME"),
        (["--autoencoder", "mine.onnx", "--regions", "nose"], "Unknown region 'nose'"),
        (["--autoencoder", "mine.onnx", "--regions", "eyes"], "faces have not been detected yet"),
        (["--autoencoder", "mine.onnx", "--source", "moon"], "No real picture has the source 'moon'"),
        (["--autoencoder", "taesd", "--weights", "bad"], "names the function os.system"),
    ],
)
def test_bad_input_is_one_sentence(folder: Path, tmp_path: Path, options: list[str], sentence: str) -> None:
    (folder / "bad").mkdir(exist_ok=True)
    write_archive(folder / "bad" / "taesd_encoder.pth", b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR.")
    done = data("reconstruct", "manifest.csv", "--out", tmp_path / "out", *options, cwd=folder, status=2)
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_ctrl_c_in_the_middle_is_one_sentence_and_the_next_run_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    patience = [3]

    def darker(pixels: np.ndarray) -> np.ndarray:
        if len(calls) == patience[0]:
            raise KeyboardInterrupt
        calls.append(0)
        return pixels // 2

    opened = (Autoencoder("darker", "0" * 64, darker),)
    monkeypatch.setattr("train.data.reconstruct.open_autoencoder.open_autoencoders", lambda *_: opened)
    monkeypatch.chdir(folder)
    words = ["data", "reconstruct", "manifest.csv", "--out", str(tmp_path / "out"), "--json"]
    stopped = CliRunner().invoke(fauxlens.app, words)
    assert (stopped.exit_code, stopped.stdout) == (130, "")
    assert stopped.stderr == (
        "Interrupted. Completed work is saved; run the same command again to continue (train: --resume RUN).\n"
    )
    assert not (tmp_path / "out" / "manifest.csv").exists()
    patience[0] = -1
    done = CliRunner().invoke(fauxlens.app, words)
    assert done.exit_code == 0, done.stderr
    # What was saved before is not made again; a picture or two may have been at work.
    pairs = json.loads(done.stdout)["pairs"]
    assert pairs <= len(calls) <= pairs + 3
    assert len(list((tmp_path / "out" / "fake").rglob("*.*"))) == pairs
