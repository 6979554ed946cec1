"""What the named tensors of a detector file hold on given views: TFLite's own kernels, with nothing thrown away.

XNNPACK keeps only what leaves its partitions, and an ordinary interpreter overwrites what is no longer needed.
"""

from collections.abc import Sequence

import numpy as np

from ela.front_ends import parse_front_end
from export.tflite.flatbuffer import read_graph
from train.common.errors import ExportError
from train.common.quiet import native_chatter_hidden


def read_intermediates(
    tflite: bytes, views: np.ndarray, names: Sequence[str], title: str = "the detector file"
) -> dict[str, np.ndarray]:
    """Run views uint8 [N, S, S, 3] one by one and return each named tensor, [N, ...], int8 ones as real numbers.

    A quantised value q stands for scale * (q - zero point). Raises ExportError where a name is no tensor's, or LiteRT
    refuses the model. Only for files whose seal was checked, or that this process has just converted.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        with native_chatter_hidden():
            interpreter = Interpreter(
                model_content=tflite,
                num_threads=1,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ExportError(f"LiteRT refuses {title} ({' '.join(str(error).split())[:200]}); export it again.") from error
    details = {tensor["name"]: tensor for tensor in interpreter.get_tensor_details()}
    for name in names:
        if name not in details:
            raise ExportError(f"{title} has no tensor called {name}; export it with this version of Fauxlens.")
    image = interpreter.get_input_details()[0]["index"]
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for view in views:
        interpreter.set_tensor(image, view[np.newaxis])
        interpreter.invoke()
        for name in names:
            found[name].append(_real(interpreter.get_tensor(details[name]["index"]), details[name]["quantization"])[0])
    return {name: np.stack(values) for name, values in found.items()}


def tensor_names(tflite: bytes, title: str = "the detector file") -> frozenset[str]:
    """The names of all tensors that a detector computes."""
    graph = read_graph(tflite, title)
    return frozenset(tensor.name for operator in graph.operators for tensor in operator.outputs)


def wrong_planes(tflite: bytes, front_end: str, views: np.ndarray, title: str = "the detector file") -> float:
    """How many of the values 0..1 that a detector's front end gives on views differ from the reference's at all."""
    wanted = parse_front_end(front_end).planes(views)
    planes = read_intermediates(tflite, views, ["planes"], title)["planes"]
    # The converter may leave the last reshape of a front end until after the scaling.
    return float(np.mean(planes.reshape(wanted.shape) != wanted)) if planes.size == wanted.size else 1.0


def _real(values: np.ndarray, quantization: tuple[float, int]) -> np.ndarray:
    scale, zero = quantization
    if values.dtype != np.int8:
        return values
    return ((values.astype(np.float32) - zero) * np.float32(scale)).astype(np.float32)
