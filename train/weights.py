"""Weights files: Keras's HDF5, with a note of the network that the weights belong to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ela.front_ends import parse_front_end
from train.common.atomic import write_bytes
from train.common.documents import parse_json
from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.head import HEAD
from train.recipe import Model

_NOTE = "fauxlens"


@dataclass(frozen=True)
class Origin:
    """The network that weights were trained in: the canonical text of its front end, its width, and its backbone.

    Notes of before December 2026 name no backbone: there was one.
    """

    front_end: str
    width: float
    backbone: str = "mobilenet-v1"


def origin_of(settings: Model) -> Origin:
    """What a recipe's [model] says about where its weights belong."""
    return Origin(parse_front_end(settings.front_end).text, settings.width, settings.backbone)


def save_weights(model: Any, path: Path, settings: Model) -> None:
    """Write a Keras model's weights as HDF5 with the note, whole or not at all.

    Raises TrainError as `check_numbers`.
    """
    check_numbers(model, path)
    load_tensorflow()
    import h5py
    from tf_keras.src.saving.legacy.hdf5_format import save_weights_to_hdf5_group

    # In memory, as `model.save_weights` fills a file: on a full disk HDF5 itself ends the process by SIGSEGV.
    with h5py.File(path.name, "w", driver="core", backing_store=False) as file:
        save_weights_to_hdf5_group(file, model)
        file.attrs[_NOTE] = json.dumps(asdict(origin_of(settings)))
        file.flush()
        data = file.id.get_file_image()
    write_bytes(path, data)


def read_origin(path: Path) -> Origin | None:
    """Read the note; None for weights that were not written by Fauxlens, such as Keras's own, and for damaged files."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return Origin(**parse_json(file.attrs[_NOTE]))
    except Exception:  # noqa: BLE001
        # Whatever h5py raises on a damaged file; loading its weights says what is wrong.
        return None


def check_origin(path: Path, settings: Model) -> Origin | None:
    """Read the note; raise TrainError where the weights belong to another backbone, front end or width."""
    found, wanted = read_origin(path), origin_of(settings)
    if found is None or found == wanted:
        return found
    if found.backbone != wanted.backbone:
        raise TrainError(
            f"{path} holds weights of {found.backbone} but the recipe needs {wanted.backbone}: give weights of that "
            f"backbone, or set backbone = {found.backbone!r}."
        )
    if found.front_end != wanted.front_end:
        raise TrainError(
            f"{path} was trained with the front end {found.front_end} but the recipe needs {wanted.front_end}: "
            f"give weights of that front end, or set front_end = {found.front_end!r}."
        )
    raise TrainError(
        f"{path} is of width {found.width:g} but the recipe needs {wanted.width:g}: give weights of that width, or "
        f"set width = {found.width:g}."
    )


def has_head(path: Path) -> bool:
    """Whether a weights file, which has been loaded before, holds the classifier's head beside the backbone."""
    import h5py

    with h5py.File(path, "r") as file:
        return HEAD in file


def check_numbers(model: Any, path: Path) -> None:
    """Raise TrainError where a model's weights, which `path` holds or is to hold, are not all finite numbers.

    Outputs do not tell: on x86 a ReLU makes a number of what is none, and a training then learns behind dead layers.
    """
    for variable in model.weights:
        values = variable.numpy()
        if np.issubdtype(values.dtype, np.number) and (bad := int((~np.isfinite(values)).sum())):
            raise TrainError(
                f"{path}: {bad:,} of the {values.size:,} weights of {variable.name.partition(':')[0]} are not finite "
                "numbers: take weights of a training that did not diverge, or get the file again."
            )


def load_weights(model: Any, path: Path, settings: Model) -> None:
    """Load weights that `save_weights` wrote into a model of the same layers.

    Raises TrainError where the file is damaged, belongs to another backbone, front end, width or network, and as
    `check_numbers`.
    """
    check_origin(path, settings)
    try:
        model.load_weights(str(path))
    except Exception as error:
        # Whatever Keras and h5py raise on a damaged file.
        raise TrainError(f"{path} does not hold the weights of this network: repeat the step that wrote it.") from error
    check_numbers(model, path)
