"""LiteRT in this process, by XNNPACK or by its own kernels: views in, scores and heatmaps out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from export.artifacts.metadata import check_identifier
from export.artifacts.trial import admit
from export.runtimes.interface import Output, check_views
from train.common.errors import ExportError
from train.common.quiet import native_chatter_hidden

Run = Callable[[np.ndarray], Output]
"""uint8 [N, S, S, 3] to Output; raises ExportError for another shape or type. Not for two threads at once."""


def open_detector_file(tflite: bytes, runtime: str = "litert", name: str = "the detector file") -> Run:
    """Load a sealed detector file on a runtime of RUNTIMES, ready to be called many times.

    LiteRT may crash on damaged bytes and on graphs that were made to, so before it sees them the seal and the graph are
    checked, and a file that is not known is tried in a process of its own. Raises ExportError for an unknown runtime, a
    file that is damaged, not sealed or harmful, and a model that is not a detector.
    """
    admit(tflite, name)
    return open_converted(tflite, runtime, name)


def open_converted(tflite: bytes, runtime: str = "litert", name: str = "the converted model") -> Run:
    """Load a model that this very process has just converted and that has no seal yet; else as open_detector_file."""
    if runtime not in RESOLVERS:
        raise ExportError(f"Unknown runtime '{runtime}'; choose one of {', '.join(RESOLVERS)}.")
    check_identifier(tflite, name)
    interpreter = load_interpreter(tflite, runtime, name)
    image, scores, heatmap = _places(interpreter, name)
    size = int(image["shape"][1])

    def run(views: np.ndarray) -> Output:
        check_views(views, size, name)
        rows: list[tuple[np.ndarray, np.ndarray]] = []
        for view in views:
            interpreter.set_tensor(image["index"], view[np.newaxis])
            try:
                interpreter.invoke()
            except RuntimeError as error:
                reason = " ".join(str(error).split())[:200].rstrip(".")
                raise ExportError(f"LiteRT cannot run {name} ({reason}); export it again.") from error
            rows.append((interpreter.get_tensor(scores["index"])[0], interpreter.get_tensor(heatmap["index"])[0]))
        heatmaps = np.stack([row[1] for row in rows]) if rows else np.zeros((0, *heatmap["shape"][1:]), np.float32)
        return Output(np.array([row[0] for row in rows], np.float32).reshape(-1, 2), heatmaps)

    return run


def load_interpreter(tflite: bytes, runtime: str, name: str) -> Any:
    """The allocated LiteRT interpreter of a runtime, one thread. Raises ExportError where LiteRT refuses the model."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        with native_chatter_hidden():
            interpreter = Interpreter(
                model_content=tflite,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType[RESOLVERS[runtime]],
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ExportError(f"LiteRT refuses {name} ({reason}); export it again.") from error
    return interpreter


def _places(interpreter: Any, name: str) -> tuple[Any, Any, Any]:
    """Tensor details of image, scores and heatmap by their signature names, checked against the contract."""
    signatures = list(interpreter._get_full_signature_list().values())
    if len(signatures) != 1:
        raise ExportError(f"{name} has {len(signatures)} signatures where a detector has one; export it again.")
    tensors = {t["index"]: t for t in interpreter.get_input_details() + interpreter.get_output_details()}
    indices = {**signatures[0]["inputs"], **signatures[0]["outputs"]}
    places = []
    for key, dtype, rank in (("image", np.uint8, 4), ("scores", np.float32, 2), ("heatmap", np.float32, 3)):
        tensor = tensors.get(indices.get(key))
        if tensor is None or tensor["dtype"] is not dtype or len(tensor["shape"]) != rank or tensor["shape"][0] != 1:
            raise ExportError(f"{name} has no {np.dtype(dtype)} '{key}' of batch 1; export it with `fauxlens export`.")
        places.append(tensor)
    image, scores, heatmap = places
    if image["shape"][3] != 3 or image["shape"][1] != image["shape"][2] or scores["shape"][1] != 2:
        raise ExportError(f"{name} does not map [1,S,S,3] to [1,2]; export it with `fauxlens export`.")
    return image, scores, heatmap


RESOLVERS = {
    # XNNPACK, LiteRT's default delegate on CPUs.
    "litert": "AUTO",
    # TFLite's own optimised kernels, without XNNPACK. Not bit-equal to it: about one step on 0.04 % of values.
    "litert-builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
}
