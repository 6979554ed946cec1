"""The process in which a model that is not ours runs (export/foreign/run_foreign.py): a folder, a request, answers."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

PROGRAM = "from export.foreign.worker import serve_model; serve_model()"
REFUSED = 3
"""The status of a process whose model was refused in words."""
MEMORY, CPU_SECONDS = 8 << 30, 3600
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

Tensors = dict[str, np.ndarray]
Opened = tuple[dict[str, Any], list[str], Callable[[np.ndarray], Tensors]]
"""What the model takes, the names of its outputs, and one picture to the tensors that were asked for."""


def serve_model() -> None:
    """Run the model of the folder that is the last argument: all that the process does."""
    _limit()
    folder = Path(sys.argv[-1])
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        opened = (_open_tflite if request["kind"] == "tflite" else _open_onnx)(folder / "model", request)
        _answer(folder, request, *opened)
    except Exception as error:  # noqa: BLE001 runtimes raise what they like, and all of it is a refusal
        sys.stdout.write(" ".join(str(error).split()) or type(error).__name__)
        sys.stdout.flush()
        os._exit(REFUSED)
    sys.stdout.flush()
    os._exit(0)


def _answer(
    folder: Path, request: dict[str, Any], taken: dict[str, Any], outputs: list[str], run: Callable[..., Tensors]
) -> None:
    shapes: dict[str, list[int]] = {}
    files: dict[str, Any] = {}
    for one in _inputs(folder, request, taken):
        for name, values in run(one).items():
            if name not in files:
                shapes[name] = list(values.shape)
                files[name] = (folder / f"{len(files)}.f4").open("wb")
            if list(values.shape) != shapes[name]:
                raise ValueError(f"{name} changes its shape from picture to picture")
            files[name].write(np.ascontiguousarray(values, "<f4").tobytes())
    for file in files.values():
        file.close()
    answer = {"input": taken, "outputs": outputs, "tensors": list(shapes.items())}
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _inputs(folder: Path, request: dict[str, Any], taken: dict[str, Any]) -> Iterator[np.ndarray]:
    if request["batch"] is None:
        return
    dtype, shape = request["batch"]
    batch = np.fromfile(folder / "batch", dtype).reshape(shape)
    for one in batch:
        yield _as_taken(one if request["pixels"] is None else _scaled(one, request["pixels"], taken), taken)


def _scaled(view: np.ndarray, pixels: str, taken: dict[str, Any]) -> np.ndarray:
    if taken["shape"][1] == 3 and taken["shape"][-1] != 3:
        return np.moveaxis(_scaled(view, pixels, {**taken, "shape": [1, *view.shape]}), -1, 0)
    if taken["dtype"] == "uint8" and pixels == "0..255":
        return view
    real = view.astype(np.float32)
    if pixels == "0..1":
        return real / np.float32(255)
    if pixels == "-1..1":
        return real / np.float32(127.5) - np.float32(1)
    return (real / np.float32(255) - _MEAN) / _DEVIATION if pixels == "imagenet" else real


def _as_taken(values: np.ndarray, taken: dict[str, Any]) -> np.ndarray:
    if values.size != math.prod(taken["shape"]):
        raise ValueError(f"it takes {taken['dtype']} {taken['shape']} and was given {list(values.shape)}")
    values = values.reshape(taken["shape"])
    scale, zero = taken.get("quantization") or (0.0, 0)
    if scale and values.dtype == np.float32 and taken["dtype"] != "float32":
        limits = np.iinfo(taken["dtype"])
        return np.clip(np.round(values / scale) + zero, limits.min, limits.max).astype(taken["dtype"])
    return values.astype(taken["dtype"])


def _open_tflite(path: Path, request: dict[str, Any]) -> Opened:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    every = request["every_tensor"]
    builtin = every or request["runtime"] == "litert-builtin"
    interpreter = Interpreter(
        model_content=path.read_bytes(),
        num_threads=1,
        experimental_preserve_all_tensors=every,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        if builtin
        else OpResolverType.AUTO,
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs, but one is needed")
    image = inputs[0]
    taken = {
        "name": image["name"],
        "shape": [int(side) for side in image["shape"]],
        "dtype": np.dtype(image["dtype"]).name,
        "quantization": [float(image["quantization"][0]), int(image["quantization"][1])],
    }
    names = _output_names(interpreter, outputs)
    wanted = {one["index"]: names[one["index"]] for one in outputs}
    if every:
        # In the order of execution; what no operator computes is constant.
        computed = [int(index) for one in interpreter._get_ops_details() for index in one["outputs"]]
        titles = {one["index"]: one["name"] for one in interpreter.get_tensor_details()}
        between = {index: titles[index] for index in computed if titles.get(index)}
        wanted = {index: name for index, name in between.items() if index not in wanted} | wanted

    def run(values: np.ndarray) -> Tensors:
        interpreter.set_tensor(image["index"], values)
        interpreter.invoke()
        found: Tensors = {}
        for index, name in wanted.items():
            # What is folded away or constant has no values of its own.
            with suppress(ValueError):
                values = interpreter.get_tensor(index)
                if values.dtype.kind in "fiu" and name not in found:
                    found[name] = _real(values, details[index]["quantization"])
        return found

    details = {one["index"]: one for one in interpreter.get_tensor_details()}
    return taken, list(names.values()), run


def _output_names(interpreter: Any, outputs: list[Any]) -> dict[int, str]:
    """Names of the outputs by index: those of the signature where there is one."""
    signatures = list(interpreter._get_full_signature_list().values())
    by_index = {index: name for name, index in signatures[0]["outputs"].items()} if len(signatures) == 1 else {}
    return {one["index"]: by_index.get(one["index"], one["name"]) for one in outputs}


def _real(values: np.ndarray, quantization: tuple[float, int]) -> np.ndarray:
    scale, zero = quantization
    real = values.astype(np.float32)
    return (real - np.float32(zero)) * np.float32(scale) if values.dtype.kind in "iu" and scale else real


def _open_onnx(path: Path, request: dict[str, Any]) -> Opened:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    data = path.read_bytes()
    between: list[str] = []
    if request["every_tensor"]:
        import onnx

        model = onnx.load_from_string(data)
        known = {one.name for one in model.graph.output}
        between = [name for node in model.graph.node for name in node.output if name and name not in known]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in between)
        data = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs, but one is needed")
    kinds = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8", "tensor(float16)": "float16"}
    if inputs[0].type not in kinds:
        raise ValueError(f"its input is of type {inputs[0].type}")
    shape = [side if isinstance(side, int) and side > 0 else 0 for side in inputs[0].shape]
    shape = _filled(shape, request)
    taken = {"name": inputs[0].name, "shape": shape, "dtype": kinds[inputs[0].type]}
    outputs = [one.name for one in session.get_outputs() if one.name not in set(between)]

    def run(values: np.ndarray) -> Tensors:
        found = session.run([*between, *outputs], {inputs[0].name: values})
        named = zip([*between, *outputs], found, strict=True)
        return {name: np.asarray(one, np.float32) for name, one in named if np.asarray(one).dtype.kind in "fiu"}

    return taken, outputs, run


def _filled(shape: list[int], request: dict[str, Any]) -> list[int]:
    """A shape whose free sides are those of the batch, and 1 for the batch axis."""
    given = list(request["batch"][1][1:]) if request["batch"] else []
    if len(given) == len(shape):
        given = given[1:]
    if request["pixels"] is not None and len(shape) == 4 and len(given) == 3 and shape[1] == 3 and shape[3] != 3:
        given = [given[2], given[0], given[1]]
    filled = [1, *(side or (given[axis] if axis < len(given) else 0) for axis, side in enumerate(shape[1:]))]
    return [int(side) for side in filled]


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
