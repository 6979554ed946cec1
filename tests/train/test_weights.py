"""Weights files know their network: another front end or width is refused with both named."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from train.common.errors import ElaError, TrainError
from train.common.tf import seed_everything
from train.model import HEAD, backbone_of, build_classifier
from train.recipe import Model
from train.weights import Origin, load_weights, read_origin, save_weights

SMALL = Model(width=0.25, weights="none", front_end="npr")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("weights") / "weights.h5"
    seed_everything(3)
    save_weights(build_classifier(SMALL, 64), path, SMALL)
    return path


def test_the_note_is_canonical(saved: Path) -> None:
    assert read_origin(saved) == Origin("npr(x2)", 0.25)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"front_end": "rgb"}, r"trained with the front end npr\(x2\) but the recipe needs rgb"),
        ({"front_end": "npr(x3)"}, r"npr\(x2\) but the recipe needs npr\(x3\)"),
        ({"front_end": "rgb+npr"}, r"npr\(x2\) but the recipe needs rgb\+npr\(x2\)"),
        ({"width": 0.5}, r"is of width 0\.25 but the recipe needs 0\.5"),
    ],
)
def test_another_network_is_refused(saved: Path, changes: dict[str, Any], words: str) -> None:
    other = dataclasses.replace(SMALL, **changes)
    with pytest.raises(TrainError, match=words) as caught:
        load_weights(build_classifier(dataclasses.replace(other, weights="none"), 64), saved, other)
    assert "\n" not in str(caught.value)
    # The same when a training is to begin with them.
    with pytest.raises(TrainError, match=words):
        build_classifier(dataclasses.replace(other, weights=str(saved)), 64)


def test_a_training_can_begin_with_another_runs_weights(saved: Path) -> None:
    seed_everything(3)
    first = build_classifier(SMALL, 64)
    second = build_classifier(dataclasses.replace(SMALL, weights=str(saved)), 96)
    for layer in first.layers:
        if layer.name != HEAD:
            theirs = second.get_layer(layer.name).get_weights() if layer.weights else []
            assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), theirs, strict=True))
    assert not np.array_equal(first.get_layer(HEAD).get_weights()[0], second.get_layer(HEAD).get_weights()[0])


def test_six_planes_come_back_as_six(tmp_path: Path) -> None:
    wide = dataclasses.replace(SMALL, front_end="rgb+ela")
    model = build_classifier(wide, 64)
    save_weights(model, tmp_path / "wide.h5", wide)
    again = build_classifier(dataclasses.replace(wide, weights=str(tmp_path / "wide.h5")), 64)
    assert np.array_equal(again.get_layer("conv1").get_weights()[0], model.get_layer("conv1").get_weights()[0])


def test_a_quantised_state_is_not_begun_with(tmp_path: Path) -> None:
    from export.quantize.fake_quant import fake_quantise

    save_weights(fake_quantise(build_classifier(SMALL, 64)), tmp_path / "ptq.h5", SMALL)
    with pytest.raises(TrainError, match="quantised states cannot be begun with"):
        build_classifier(dataclasses.replace(SMALL, weights=str(tmp_path / "ptq.h5")), 64)


@pytest.mark.parametrize("content", [b"", b"not HDF5"])
def test_damaged_weights_are_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    with pytest.raises(TrainError, match="does not hold the weights of this network"):
        load_weights(build_classifier(SMALL, 64), path, SMALL)


def test_an_unknown_front_end_is_named() -> None:
    with pytest.raises(ElaError, match="'dct' is not known: give one of rgb, ela, npr, srm"):
        build_classifier(dataclasses.replace(SMALL, front_end="dct"), 64)


FULL = """
import os, resource, sys
from pathlib import Path
from train.common.tf import load_tensorflow
from train.fit.checkpoints import save_checkpoint
from train.model import build_classifier
from train.recipe import Model
from train.weights import save_weights
settings = Model(width=0.25, weights="none", front_end="npr")
model = build_classifier(settings, 64)
model.compile("sgd", "mse")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
folder = Path(sys.argv[1])
for save in (
    lambda: save_weights(model, folder / "below" / "w.h5", settings),
    lambda: save_checkpoint(folder, "epoch-0001", model, load_tensorflow().Variable(1.0)),
):
    try:
        save()
    except OSError as error:
        print(os.strerror(error.errno), error.filename)
"""


def test_a_disk_that_takes_no_weights_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"File too large {tmp_path / 'below' / 'w.h5'}",
        f"File too large {tmp_path / 'epoch-0001'}",
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_wherever_they_are_read(
    value: float, saved: Path, tmp_path: Path
) -> None:
    """A ReLU hides them on x86: the outputs of such a network can be numbers."""
    model = build_classifier(SMALL, 64)
    layer = model.get_layer("conv_pw_3_bn")
    gamma, *others = layer.get_weights()
    layer.set_weights([np.where(np.arange(len(gamma)) == 2, value, gamma), *others])
    words = (
        f"1 of the {len(gamma)} weights of conv_pw_3_bn/gamma are not finite numbers: take weights of a training that "
        "did not diverge, or get the file again."
    )
    with pytest.raises(TrainError) as caught:
        save_weights(model, tmp_path / "mine.h5", SMALL)
    assert str(caught.value) == f"{tmp_path / 'mine.h5'}: {words}"
    assert not any(tmp_path.iterdir())
    # As other programs write them: Keras's own file, and one with our note.
    theirs, noted = tmp_path / "theirs.h5", tmp_path / "noted.h5"
    backbone_of(model).save_weights(str(theirs))
    model.save_weights(str(noted))
    with h5py.File(saved) as good, h5py.File(noted, "r+") as bad:
        bad.attrs["fauxlens"] = good.attrs["fauxlens"]
    with pytest.raises(TrainError, match=f"^{noted}: {words}"):
        load_weights(build_classifier(SMALL, 64), noted, SMALL)
    for path in (theirs, noted):
        with pytest.raises(TrainError, match=f"^{path}: {words}"):
            build_classifier(dataclasses.replace(SMALL, weights=str(path)), 64)
