"""Does another runtime give the same for a model that is not ours? Its outputs, and layer by layer where asked."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.artifacts.npy import from_npy
from export.artifacts.seal import MAX_BYTES, read_file
from export.foreign.run_foreign import ForeignRun, check_pixels, is_foreign, is_onnx, run_foreign
from export.parity.layer_errors import LayerError, layer_error
from train.common.errors import DataError, ExportError
from train.common.zip_damage import ZIP_DAMAGE
from train.image.decode import decode_bytes, read_picture_file
from train.image.view import apply_view, parse_view

BUILTIN = "litert-builtin"
MAX_INPUTS = 256
"""So many inputs show what differs; their tensors are kept in memory."""


@dataclass(frozen=True)
class ForeignParity:
    """A model on two runtimes over some inputs: outputs first, then layers where they were asked for.

    differences: of each output the largest |difference|, and the largest |value|, which the tolerance is relative to
    where it is above 1. passed: all differences are within it.
    """

    model: str
    against: str
    inputs: tuple[str, ...]
    tolerance: float
    passed: bool
    differences: Mapping[str, tuple[float, float]]
    outputs: tuple[LayerError, ...]
    layers: tuple[LayerError, ...]

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        worst = max(self.differences, key=lambda name: self.differences[name][0])
        engine = "onnxruntime" if is_onnx(Path(self.model)) else "LiteRT"
        start = f"{self.model} on {len(self.inputs)} inputs, {engine} against {self.against}: "
        if not self.differences[worst][0]:
            return f"{start}all outputs are equal bit for bit."
        verdict = "within" if self.passed else "beyond"
        return (
            f"{start}the largest difference is {self.differences[worst][0]:.3g}, of {worst}, {verdict} the tolerance "
            f"of {self.tolerance:g}."
        )


def verify_foreign(
    model: Path,
    inputs: Path,
    *,
    against: str = BUILTIN,
    view: str = "",
    pixels: str = "",
    by_layer: bool = False,
    tolerance: float = 1e-3,
) -> ForeignParity:
    """Run a model on the inputs of a folder and compare it with another runtime.

    model: a `.tflite`, run by LiteRT with XNNPACK, or an `.onnx`, run by onnxruntime.
    inputs: `.npy` files (float32 or uint8, as the model takes them), or pictures, which `view` and `pixels` prepare.
    against: `litert-builtin` for a `.tflite`, the same model as `.onnx` or `.tflite`, or a folder with `NAME.npz`
    (arrays by the names of tensors) or `NAME.npy` (the one output) of each input. by_layer: tensors of equal names in
    between, too; LiteRT then runs its own kernels, for XNNPACK keeps none. Raises ExportError where something of it is
    missing or refused.
    """
    if not is_foreign(model):
        raise ExportError(f"{model} is not a .tflite or .onnx file: verify a bundle without --inputs.")
    if against == BUILTIN and is_onnx(model):
        raise ExportError(
            f"{BUILTIN} cannot run .onnx: give a .tflite, another .onnx or a folder of outputs with --against."
        )
    if pixels and not view:
        raise ExportError("--pixels is for pictures: give --view too; arrays are passed to the model unchanged.")
    names, batch = _read_inputs(model, inputs, view, pixels)
    said = check_pixels(pixels, run_foreign(model, None).input, batch.shape[1], str(model)) if view else None
    first = run_foreign(model, batch, pixels=said)
    others: Mapping[str, np.ndarray]
    if Path(against).is_dir():
        others = _read_outputs(Path(against), names, first)
    else:
        others = _run_other(model, against, batch, said, by_layer).tensors
    matched = {name: _same_order(first.tensors[name], others[name]) for name in first.outputs if name in others}
    if not matched and len(first.outputs) == 1 and len(others) == 1:
        matched = {first.outputs[0]: _same_order(first.tensors[first.outputs[0]], next(iter(others.values())))}
    if not matched:
        raise ExportError(
            f"{against} has none of the outputs of {model} ({', '.join(first.outputs)}): give arrays of these names."
        )
    layers: list[LayerError] = []
    if by_layer:
        kept = run_foreign(model, batch, pixels=said, runtime=BUILTIN, every_tensor=True).tensors
        both = [name for name in kept if name in others and name not in first.outputs]
        layers = [layer_error(name, _same_order(kept[name], others[name]), kept[name], names) for name in both]
    differences = {name: _difference(first.tensors[name], other) for name, other in matched.items()}
    return ForeignParity(
        str(model),
        against,
        names,
        tolerance,
        all(apart <= tolerance * max(1.0, largest) for apart, largest in differences.values()),
        differences,
        tuple(layer_error(name, other, first.tensors[name], names) for name, other in matched.items()),
        tuple(layers),
    )


def _run_other(model: Path, against: str, batch: np.ndarray, pixels: str | None, by_layer: bool) -> ForeignRun:
    said = None if pixels is None else check_pixels(pixels, run_foreign(model, None).input, batch.shape[1], against)
    if against == BUILTIN:
        return run_foreign(model, batch, pixels=said, runtime=BUILTIN, every_tensor=by_layer)
    other = Path(against)
    if not is_foreign(other):
        raise ExportError(
            f"{against} is not a runtime: give {BUILTIN}, a .onnx or .tflite file, or a folder of outputs."
        )
    return run_foreign(other, batch, pixels=said, every_tensor=by_layer)


def _read_inputs(model: Path, folder: Path, view: str, pixels: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the inputs and the batch: views where there is a view, else what the arrays hold."""
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder: give a folder of .npy arrays or pictures.")
    arrays = sorted(path for path in folder.iterdir() if path.suffix == ".npy")
    if arrays and not view:
        found = [from_npy(read_file(path), str(path)) for path in arrays[:MAX_INPUTS]]
        if len({(one.shape, one.dtype) for one in found}) > 1:
            raise ExportError(
                f"The arrays in {folder} have several shapes or types: give inputs of one shape and type."
            )
        return tuple(path.name for path in arrays[:MAX_INPUTS]), np.stack(found)
    if not view:
        raise ExportError(f"{folder} has no .npy arrays: for pictures give {model}'s preprocessing with --view.")
    parsed = parse_view(view)
    if parsed.needs_eyes:
        raise ExportError(f"{view} needs faces, which are not searched for here: give the views as .npy arrays.")
    names, views = [], []
    for path in sorted(one for one in folder.iterdir() if one.is_file())[:MAX_INPUTS]:
        try:
            views.append(apply_view(parsed, decode_bytes(read_picture_file(path), str(path))))
        except DataError:
            continue
        names.append(path.name)
    if not views:
        raise ExportError(f"{folder} has no readable picture: give .npy arrays or pictures.")
    return tuple(names), np.stack(views)


def _read_outputs(folder: Path, names: Sequence[str], first: ForeignRun) -> dict[str, np.ndarray]:
    """What another runtime has written for each input, by the names of tensors."""
    each: list[dict[str, np.ndarray]] = []
    for name in names:
        stem = folder / Path(name).stem
        several, one = stem.with_name(f"{stem.name}.npz"), stem.with_name(f"{stem.name}.npy")
        if several.exists():
            each.append(_read_npz(several))
        elif one.exists() and len(first.outputs) == 1:
            each.append({first.outputs[0]: from_npy(read_file(one), str(one))})
        else:
            raise ExportError(f"{folder} has no outputs of {name}: {stem.name}.npz with the tensors' names is needed.")
    common = set.intersection(*(set(one) for one in each))
    return {name: np.stack([one[name] for one in each]) for name in each[0] if name in common}


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    data = read_file(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if sum(info.file_size for info in infos) > MAX_BYTES:
                raise ExportError(f"{path} unpacks to more than {MAX_BYTES >> 20} MB: give fewer tensors.")
            return {
                info.filename.removesuffix(".npy"): from_npy(archive.read(info), f"{path}: {info.filename}")
                for info in infos
            }
    except (*ZIP_DAMAGE, OSError, ValueError) as error:
        raise ExportError(f"{path} is not an .npz of arrays ({error}): save it with numpy.savez.") from None


def _same_order(wanted: np.ndarray, other: np.ndarray) -> np.ndarray:
    """An array in the shape of another: as it is, without axes of 1, or with channels moved from first to last."""
    if other.size != wanted.size:
        raise ExportError(
            f"The two runtimes give {list(wanted.shape)} and {list(other.shape)} for the same tensor: they do not "
            "run the same model."
        )
    plain, target = np.squeeze(other), np.squeeze(wanted).shape
    count = len(other)
    if plain.shape != target and plain.ndim >= 3:
        axis = 1 if count > 1 else 0
        turned = np.moveaxis(plain, axis, -1)
        if turned.shape == target:
            plain = turned
    return plain.reshape(wanted.shape)


def _difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    apart = np.abs(one.astype(np.float64) - other)
    largest = float(np.abs(one).max(initial=0.0))
    # What is no number on one side only is as far apart as can be.
    return (math.inf if not np.isfinite(apart).all() else float(apart.max(initial=0.0))), largest
