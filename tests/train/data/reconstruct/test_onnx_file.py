"""ONNX autoencoders: of any layout, with free or fixed sizes; what is none is refused in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.common.errors import DataError
from train.data.reconstruct.onnx_file import open_onnx
from train.data.reconstruct.open_autoencoder import open_autoencoders

onnx = pytest.importorskip("onnx", reason="the extra `benchmark` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `benchmark` is not installed")

Side = int | str


def write(path: Path, shape: list[Side], *, gain: float = 1.0, lift: float = 0.0, outputs: int = 1) -> Path:
    """Write a graph that gives pixels x gain + lift."""
    kind = onnx.TensorProto.FLOAT
    helper = onnx.helper
    constants = [helper.make_tensor("gain", kind, [], [gain]), helper.make_tensor("lift", kind, [], [lift])]
    nodes = [helper.make_node("Mul", ["x", "gain"], ["scaled"]), helper.make_node("Add", ["scaled", "lift"], ["y0"])]
    nodes += [helper.make_node("Identity", ["scaled"], [f"y{number}"]) for number in range(1, outputs)]
    given = [helper.make_tensor_value_info("x", kind, shape)]
    found = [helper.make_tensor_value_info(f"y{number}", kind, shape) for number in range(outputs)]
    graph = helper.make_graph(nodes, "g", given, found, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


PIXELS = np.random.default_rng(0).integers(0, 200, (90, 133, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "shape", [[1, 3, "h", "w"], ["n", "h", "w", 3], [1, 3, 64, 64], [1, 64, 64, 3]], ids=lambda shape: str(shape)
)
def test_any_layout_and_size(tmp_path: Path, shape: list[Any]) -> None:
    opened = open_onnx(write(tmp_path / "my own.onnx", shape, lift=10 / 255))
    assert opened.name == "my_own"
    np.testing.assert_array_equal(opened.reconstruct(PIXELS), PIXELS + 10)
    fixed = isinstance(shape[2], int)
    assert opened.min_side == (64 if fixed else 16)
    assert bool(opened.misfit(63, 200)) is fixed


def test_it_may_be_named_beside_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a.onnx", [1, 3, "h", "w"])
    assert [one.name for one in open_autoencoders(f"{path}", None)] == ["a"]
    with pytest.raises(DataError, match="a is named twice"):
        open_autoencoders(f"{path},{path}", None)
    with pytest.raises(DataError, match=r"a\.onnx gives no access to its latents, so no noise can be added"):
        open_autoencoders(f"taesd,{path}", None, latent_noise=0.1)


def write_stride(path: Path, stride: int) -> Path:
    """Write a graph that averages cells of so many pixels a side and enlarges them again."""
    kind, helper = onnx.TensorProto.FLOAT, onnx.helper
    sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
    nodes = [
        helper.make_node("AveragePool", ["x"], ["small"], **sides),
        helper.make_node("Resize", ["small", "", "scales"], ["y"], mode="linear"),
    ]
    ends = [helper.make_tensor_value_info(name, kind, [1, 3, *side]) for name, side in (("x", "hw"), ("y", "kl"))]
    scales = helper.make_tensor("scales", kind, [4], [1, 1, stride, stride])
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_sides_are_continued_to_what_the_graph_takes(tmp_path: Path, stride: int) -> None:
    found = open_onnx(write_stride(tmp_path / "a.onnx", stride)).reconstruct(PIXELS)
    assert found.shape == PIXELS.shape
    cells = PIXELS[:64, :128].reshape(64 // stride, stride, 128 // stride, stride, 3).mean(axis=(1, 3))
    middle = found[:64, :128].reshape(64 // stride, stride, 128 // stride, stride, 3).mean(axis=(1, 3))
    # Linear enlargement keeps a cell's mean but for its neighbours' share.
    assert np.abs(middle - cells).mean() < 0.6 * cells.std()


def test_a_stride_that_no_tile_has_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="does not give a picture back"):
        open_onnx(write_stride(tmp_path / "a.onnx", 48))
    assert capfd.readouterr().err == ""


def test_a_graph_that_fails_on_one_picture_skips_it(tmp_path: Path) -> None:
    kind, helper = onnx.TensorProto.FLOAT, onnx.helper
    ends = [helper.make_tensor_value_info(name, kind, [1, 3, *side]) for name, side in (("x", "hw"), ("y", "kl"))]
    # It says that its sides are free and takes one size only.
    shape = helper.make_tensor("shape", onnx.TensorProto.INT64, [4], [1, 3, 40, 40])
    graph = helper.make_graph([helper.make_node("Reshape", ["x", "shape"], ["y"])], "g", ends[:1], ends[1:], [shape])
    path = tmp_path / "a.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    )
    opened = open_onnx(path)
    assert opened.reconstruct(PIXELS[:40, :40]).shape == (40, 40, 3)
    with pytest.raises(DataError, match=r"a\.onnx fails in onnxruntime \(.*\): name another autoencoder"):
        opened.reconstruct(PIXELS)


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        ([1, 3, "h", "w"], {"gain": 2.0, "lift": -1.0}, "does not give a picture back"),
        ([1, 3, "h", "w"], {"gain": 255.0}, "does not give a picture back"),
        ([1, 4, "h", "w"], {}, "is not an autoencoder of pictures"),
        ([1, 1000], {}, "is not an autoencoder of pictures"),
        ([1, 3, 64, 72], {}, "is not an autoencoder of pictures"),
        ([8, 3, "h", "w"], {}, "is not an autoencoder of pictures"),
        ([1, 3, "h", "w"], {"outputs": 2}, "is not an autoencoder of pictures"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, shape: list[Any], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        open_onnx(write(tmp_path / "a.onnx", shape, **options))


def test_damaged_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        open_onnx(tmp_path / "a.onnx")
    (tmp_path / "a.onnx").write_bytes(b"no graph")
    with pytest.raises(DataError, match="is not an ONNX graph that onnxruntime runs"):
        open_onnx(tmp_path / "a.onnx")
