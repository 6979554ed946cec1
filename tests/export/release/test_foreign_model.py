"""`evaluate` on a model that is not ours: a small ONNX graph whose scores NumPy gives, too."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner, Result

from fauxlens import app
from train.data.manifest import COLUMNS, SCHEMA, Manifest, write_manifest

SIDE, COUNT = 16, 40


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A manifest of 40 pictures, fakes a little brighter, and their pixels."""
    random = np.random.default_rng(6)
    pixels = random.integers(60, 150, (COUNT, SIDE, SIDE, 3)) + random.integers(0, 40, COUNT)[:, None, None, None]
    pixels[1::2] += 12
    rows = []
    for index, one in enumerate(pixels.astype(np.uint8)):
        path, fake = tmp_path / f"{index:02d}.png", index % 2 == 1
        Image.fromarray(one).save(path)
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "phash": f"{index:016x}",
                "width": SIDE, "height": SIDE, "bytes": path.stat().st_size, "format": "PNG",
                "label": "fake" if fake else "real", "group": str(index), "generator": "gan" if fake else "camera",
                "family": "gan" if fake else "camera", "source": "f" if fake else "r", "split": "test",
            }
        )  # fmt: skip
    frame = pl.DataFrame(rows, schema={name: kind() for name, kind in SCHEMA.items()})
    write_manifest(Manifest(frame, tmp_path), tmp_path / "manifest.csv")
    return tmp_path / "manifest.csv", pixels


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """float32 [1, 3, 16, 16] to [1, 2]: minus the mean, and the mean."""
    onnx = pytest.importorskip("onnx", reason="the extra `benchmark` is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `benchmark` is not installed")
    helper, real, whole = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "last"], ["one"]),
        helper.make_node("Mul", ["one", "weights"], ["logits"]),
    ]
    constants = [
        helper.make_tensor("axes", whole, [3], [1, 2, 3]),
        helper.make_tensor("last", whole, [1], [1]),
        helper.make_tensor("weights", real, [1, 2], [-1.0, 1.0]),
    ]
    taken = helper.make_tensor_value_info("image", real, ["batch", 3, SIDE, SIDE])
    graph = helper.make_graph(nodes, "m", [taken], [helper.make_tensor_value_info("logits", real, None)], constants)
    path = tmp_path / "theirs.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


@pytest.mark.slow
def test_the_figure_is_that_of_the_scores(pictures: tuple[Path, np.ndarray], model: Path, tmp_path: Path) -> None:
    manifest, pixels = pictures
    view = f"square|resize({SIDE})"
    done = run(model, manifest, "--view", view, "--pixels", "0..1", "--scores-at", "logits:1", "--out", tmp_path / "r",
               "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    wanted = roc_auc_score(np.arange(COUNT) % 2, pixels.mean((1, 2, 3)).round(6))
    assert document["judgements"][0]["overall"]["auc"]["value"] == pytest.approx(wanted, abs=1e-12)
    assert document["shortcuts"]["sentence"]


@pytest.mark.slow
def test_what_is_missing_is_one_sentence(pictures: tuple[Path, np.ndarray], model: Path, tmp_path: Path) -> None:
    view = f"square|resize({SIDE})"
    for words, sentence in (
        ((), "does not declare its preprocessing"),
        (("--view", view), "give its range with --pixels"),
        (("--view", view, "--pixels", "0..2"), "give its range with --pixels"),
        (("--view", "square|resize(20)", "--pixels", "0..1"), "give the model's view with --view"),
        (("--view", view, "--pixels", "0..1"), "with --scores-at OUTPUT:INDEX"),
        (("--view", view, "--pixels", "0..1", "--scores-at", "x:0"), "outputs logits of 2 numbers"),
    ):
        done = run(model, pictures[0], "--out", tmp_path / "r", *words)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
        assert sentence in done.stderr
