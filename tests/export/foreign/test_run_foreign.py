"""Models that are not ours: the face finder's network as a stranger's `.tflite`, and small ONNX graphs made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from export.artifacts.npy import to_npy
from export.foreign.run_foreign import check_pixels, run_foreign, score_of
from export.parity.foreign import verify_foreign
from fauxlens import app
from train.common.errors import ExportError
from train.image.face_finder.networks import NETWORKS, shipped_file

SIDE = 128


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BlazeFace: float32 [1, 128, 128, 3] to two outputs, whose operators `export` does not all write."""
    path = tmp_path_factory.mktemp("network") / "theirs.tflite"
    path.write_bytes(shipped_file(NETWORKS[0]))
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(3)
    for index in range(3):
        values = random.uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
        (folder / f"{index}.npy").write_bytes(to_npy(values))
    return folder


def scaled_mean(path: Path, factor: float = 1.0) -> Path:
    """An ONNX graph of float32 [1, 3, H, W]: `grey` is the mean over channels, `logits` [1, 2] are -mean and mean."""
    onnx = pytest.importorskip("onnx", reason="the extra `benchmark` is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `benchmark` is not installed")
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor
    nodes = [
        make("ReduceMean", ["image", "channels"], ["grey"], keepdims=0),
        make("ReduceMean", ["grey", "sides"], ["mean"], keepdims=0),
        make("Unsqueeze", ["mean", "last"], ["one"]),
        make("Mul", ["one", "weights"], ["logits"]),
    ]
    whole = onnx.TensorProto.INT64
    constants = [
        tensor("channels", whole, [1], [1]),
        tensor("sides", whole, [2], [1, 2]),
        tensor("last", whole, [1], [1]),
        tensor("weights", onnx.TensorProto.FLOAT, [1, 2], [-factor, factor]),
    ]
    real = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "mean",
        [onnx.helper.make_tensor_value_info("image", real, [1, 3, "h", "w"])],
        [onnx.helper.make_tensor_value_info("logits", real, [1, 2])],
        constants,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_strangers_tflite_gives_what_litert_gives_here(network: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    views = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    found = run_foreign(network, views, pixels="-1..1")
    assert (found.input.shape, found.input.dtype) == ((1, SIDE, SIDE, 3), "float32")
    assert set(found.outputs) == {"regressors", "classificators"}
    interpreter = Interpreter(model_content=network.read_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    for index, view in enumerate(views):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], (view / np.float32(127.5) - 1)[None])
        interpreter.invoke()
        for output in interpreter.get_output_details():
            np.testing.assert_array_equal(found.tensors[output["name"]][index], interpreter.get_tensor(output["index"]))


@pytest.mark.parametrize(
    ("pixels", "by_hand"),
    [
        ("0..255", lambda v: v),
        ("0..1", lambda v: v / 255),
        ("-1..1", lambda v: v / 127.5 - 1),
        ("imagenet", lambda v: (v / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
    ],
)
def test_pixels_are_scaled_and_turned_as_the_model_takes_them(tmp_path: Path, pixels: str, by_hand: object) -> None:
    model = scaled_mean(tmp_path / "mean.onnx")
    views = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    found = run_foreign(model, views, pixels=pixels, every_tensor=True)  # type: ignore[arg-type]
    wanted = by_hand(views.astype(np.float64))  # type: ignore[operator]
    np.testing.assert_allclose(score_of(found, "logits:1", "it"), wanted.mean((1, 2, 3)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(score_of(found, ":1-0", "it"), 2 * wanted.mean((1, 2, 3)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.tensors["grey"].reshape(3, 8, 8), wanted.mean(3), rtol=1e-4, atol=1e-3)


def test_what_is_not_said_is_asked_for(network: Path, tmp_path: Path) -> None:
    said = run_foreign(network, None)
    with pytest.raises(ExportError, match=r"give its range with --pixels: one of 0\.\.255"):
        check_pixels("", said.input, SIDE, "it")
    with pytest.raises(ExportError, match="give the model's view with --view"):
        check_pixels("0..1", said.input, 96, "it")
    found = run_foreign(scaled_mean(tmp_path / "m.onnx"), np.zeros((1, 8, 8, 3), np.uint8), pixels="0..1")
    for where in ("", "other:0", "logits:2", "logits", "logits:0-1-0"):
        with pytest.raises(
            ExportError, match="outputs logits of 2 numbers: give the position of the score for fake with --scores-at"
        ):
            score_of(found, where, "it")


def test_a_file_that_harms_is_one_sentence(tmp_path: Path, network: Path) -> None:
    data = bytearray(network.read_bytes())
    for seed, cut in enumerate((64, 5_000, len(data) - 1)):
        (tmp_path / "cut.tflite").write_bytes(data[:cut])
        with pytest.raises(ExportError):
            run_foreign(tmp_path / "cut.tflite", None)
        random = np.random.default_rng(seed)
        broken = bytearray(data)
        for place in random.integers(0, 20_000, 60):
            broken[place] ^= int(random.integers(1, 256))
        (tmp_path / "broken.tflite").write_bytes(broken)
        # It may be refused, crash its own process or run: never this one.
        try:
            run_foreign(tmp_path / "broken.tflite", np.zeros((1, SIDE, SIDE, 3), np.float32))
        except ExportError as error:
            assert "\n" not in str(error)
    (tmp_path / "no.onnx").write_bytes(b"\x08\x07nonsense")
    pytest.importorskip("onnxruntime", reason="the extra `benchmark` is not installed")
    with pytest.raises(ExportError, match="cannot be run"):
        run_foreign(tmp_path / "no.onnx", None)


def test_two_runtimes_agree_layer_by_layer(network: Path, inputs: Path) -> None:
    found = verify_foreign(network, inputs, by_layer=True)
    assert found.passed, found.sentence
    assert len(found.layers) > 50
    assert min(layer.cosine for layer in found.layers) > 0.999
    assert {error.name for error in found.outputs} == {"regressors", "classificators"}


def test_the_outputs_of_any_other_runtime_are_held_against_it(network: Path, inputs: Path, tmp_path: Path) -> None:
    batch = np.stack([np.load(path)[0] for path in sorted(inputs.glob("*.npy"))])
    theirs = run_foreign(network, batch, runtime="litert-builtin", every_tensor=True).tensors
    layer = next(name for name in theirs if theirs[name].shape[1:] == (1, 64, 64, 24))
    for index in range(3):
        # As a runtime with channels first would give it; of one input it is wrong.
        turned = np.moveaxis(theirs[layer][index], -1, 1) * (-1 if index == 1 else 1)
        outputs = {name: theirs[name][index] for name in ("regressors", "classificators")}
        np.savez(tmp_path / f"{index}.npz", **outputs, **{layer: turned})
    found = verify_foreign(network, inputs, against=str(tmp_path), by_layer=True)
    assert found.passed
    assert [error.name for error in found.layers] == [layer]
    assert found.layers[0].worst == "1.npy"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


def test_the_verb_ends_with_1_where_outputs_differ(network: Path, inputs: Path, tmp_path: Path) -> None:
    batch = np.stack([np.load(path)[0] for path in sorted(inputs.glob("*.npy"))])
    theirs = run_foreign(network, batch).tensors
    for index in range(3):
        outputs = {name: values[index] + (0.5 if index == 2 else 0) for name, values in theirs.items()}
        np.savez(tmp_path / f"{index}.npz", **outputs)
    done = run(network, "--inputs", inputs, "--against", tmp_path, "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert (document["format"], document["passed"], document["inputs"]) == (1, False, ["0.npy", "1.npy", "2.npy"])
    assert {one["worst"] for one in document["outputs"]} == {"2.npy"}
    assert run(network, "--inputs", inputs, "--against", tmp_path, "--tolerance", "1").exit_code == 0


def test_missing_inputs_and_outputs_are_one_sentence(network: Path, inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.npy").write_bytes(b"no array")
    for words in (
        ("--inputs", tmp_path / "none"),
        ("--inputs", tmp_path / "empty"),
        ("--inputs", tmp_path / "bad"),
        ("--inputs", inputs, "--against", tmp_path / "empty"),
        ("--inputs", inputs, "--against", "tensorrt"),
    ):
        done = run(network, *words)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output


def test_an_onnx_is_compared_with_stored_outputs_and_has_no_second_kernels(inputs: Path, tmp_path: Path) -> None:
    model = scaled_mean(tmp_path / "theirs.onnx")
    (tmp_path / "taken").mkdir()
    (tmp_path / "given").mkdir()
    for path in inputs.glob("*.npy"):
        turned = np.moveaxis(np.load(path), -1, 1)
        mean = turned.mean(dtype=np.float64)
        (tmp_path / "taken" / path.name).write_bytes(to_npy(turned))
        (tmp_path / "given" / path.name).write_bytes(to_npy(np.array([[-mean, mean]], np.float32)))
    found = verify_foreign(model, tmp_path / "taken", against=str(tmp_path / "given"), tolerance=1e-6)
    assert found.passed and "onnxruntime against" in found.sentence
    with pytest.raises(ExportError, match=r"litert-builtin cannot run \.onnx"):
        verify_foreign(model, tmp_path / "taken")


@pytest.mark.parametrize(
    ("words", "ignored"),
    [
        (("--inputs", ".", "--runtime", "jvm"), "--runtime"),
        (("--inputs", ".", "--variant", "float32"), "--variant"),
        (("--inputs", ".", "--layers", "."), "--layers"),
        (("--inputs", ".", "--pixels", "0..1"), "--pixels"),
        (("--against", "litert-builtin"), "--against"),
        (("--tolerance", "0"), "--tolerance"),
        (("--by-layer",), "--by-layer"),
    ],
)
def test_options_that_would_be_ignored_are_refused(network: Path, words: tuple[str, ...], ignored: str) -> None:
    done = run(network, *words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    assert ignored in done.stderr


def test_a_bundle_is_no_model_with_inputs(inputs: Path) -> None:
    done = run("export/shipped/bundle.zip", "--inputs", inputs)
    assert done.exit_code == 2 and "without --inputs" in done.stderr
