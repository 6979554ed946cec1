"""A tiny detector that has really learned something, quantised and bundled; made once a session."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from export.artifacts.bundle import Bundle, parse_bundle, write_bundle
from export.artifacts.bundle_references import References
from export.artifacts.description import CalibrationNote, Description
from export.artifacts.metadata import attach
from export.artifacts.tolerances import Tolerances
from export.benchmark.latency import Latency
from export.parity.heatmap_similarity import Agreement
from export.quantize.states import KerasState
from export.release.variants import Variant
from export.runtimes.registry import RUNTIMES
from train.backbones.table import BACKBONES
from train.evaluate.decision import Decision
from train.evaluate.flips import Flips
from train.evaluate.metrics import Interval
from train.image.decode import Picture, decode_bytes
from train.image.view import apply_view, parse_view

SIZE = 32
VIEW = "upright|square|resize(32)"
LAST_FEATURES = BACKBONES["mobilenet-v1"].features


@dataclass(frozen=True)
class Tiny:
    """Keras states by name, converted (unsealed) and sealed detector files by variant, the bundle that holds them."""

    states: dict[str, KerasState]
    raw: dict[str, bytes]
    sealed: dict[str, bytes]
    bundle_bytes: bytes
    bundle: Bundle


Describe = Callable[..., Description]


@pytest.fixture(scope="session")
def describe() -> Describe:
    """Makes a description of the tiny detector with some values changed."""
    return make_description


def make_description(variant: str = "float32", **changes: Any) -> Description:
    values: dict[str, Any] = {
        "name": "tiny checkerboards",
        "variant": variant,
        "view": VIEW,
        "unclear_faces": "drop",
        "front_end": "rgb",
        "size": SIZE,
        "heatmap": (8, 8),
        "operating_points": {
            "balanced": Decision(0.5, 0.375),
            "fpr-1%": Decision(0.75, 0.375),
            "fpr-0.5%": Decision(0.875, 0.375),
        },
        "calibration": CalibrationNote(0.8, 0.1),
        "seen": (("checker", "drawn"),),
        "training_sha256": "0" * 64,
        "created_by": {"fauxlens": "0.1.0"},
        "figures": {"validation_auc": 0.99},
        "licences": ("CC0-1.0",),
    }
    return Description(**(values | changes))


@pytest.fixture(scope="session")
def variant() -> Callable[..., Variant]:
    """Makes a row of the table of variants with some values changed; `flips` is the share against float."""
    return make_variant


def make_variant(name: str = "ptq-int8", *, flips: float = 0.01, **changes: Any) -> Variant:
    def against(first: str, share: float) -> Flips:
        rate = Interval(share, 0.0, 1.0)
        return Flips(first, name, 1000, rate, rate, rate, rate, Interval(0.001, -0.001, 0.002), 0.0125, 0.0625)

    values: dict[str, Any] = {
        "name": name,
        "state": "ptq",
        "bytes": 3_523_310,
        "partitions": 1,
        "latency": (Latency(1, 2.5, 2.25, 3.125, 100), Latency(2, 1.5, 1.25, 2.125, 100)),
        "validation_auc": 0.97,
        "auc": Interval(0.9663, 0.9547, 0.9761),
        "against_float": against("float (Keras)", flips),
        "against_keras": against("ptq (Keras)", 0.003),
        "heatmaps": Agreement(80, 0.9961, 0.9845, 0.931, 0.714),
        "gpu": "all 45 operators are of kinds that the delegate takes",
    }
    return Variant(**(values | changes))


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise uint8 [count, 64, 64, 3]; every second one, the fakes, with a checkered patch somewhere."""
    rng = np.random.default_rng(seed)
    side = 2 * SIZE
    pixels = rng.uniform(60, 190, (count, 1, 1, 3)) + rng.normal(0, 12, (count, side, side, 3))
    checks = ((np.indices((side, side)) // 4).sum(0) % 2 * 2 - 1)[..., None]
    fake = np.arange(count) % 2 == 1
    for index in np.flatnonzero(fake):
        top, left = rng.integers(0, side // 2, 2)
        patch = np.s_[top : top + side // 2, left : left + side // 2]
        pixels[index][patch] += checks[patch] * rng.uniform(5, 60)
    return np.clip(pixels, 0, 255).astype(np.uint8), fake


def look(pixels: np.ndarray) -> np.ndarray:
    """The views of drawn pictures."""
    view = parse_view(VIEW)
    return np.stack([apply_view(view, Picture(one, 1, "PNG", None, ())) for one in pixels])


def train_tiny() -> Any:
    from train.common.tf import load_tensorflow
    from train.model import HEAD, scale_pixels

    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(7)
    layers = tf.keras.layers
    x = image = layers.Input((SIZE, SIZE, 3))
    blocks = [
        layers.Conv2D(8, 3, 2, "same", use_bias=False),
        layers.DepthwiseConv2D(3, 1, "same", use_bias=False),
        layers.Conv2D(16, 1, use_bias=False),
        layers.DepthwiseConv2D(3, 2, "same", use_bias=False),
        layers.Conv2D(24, 1, use_bias=False),
    ]
    # Names of their own: Keras numbers layers through all models that a session makes.
    names = ["re_lu", "re_lu_1", "re_lu_2", "re_lu_3", LAST_FEATURES]
    for block, name in zip(blocks, names, strict=True):
        x = layers.BatchNormalization(momentum=0.8)(block(x))
        x = layers.ReLU(6.0, name=name)(x)
    logit = layers.Dense(1, name=HEAD)(layers.GlobalAveragePooling2D()(x))
    model = tf.keras.Model(image, logit)
    pixels, fake = draw(512, seed=0)
    views = look(pixels)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(1e-2), loss)
    model.fit(scale_pixels(views.astype(np.float32)), fake.astype(np.float32), batch_size=32, epochs=8, verbose=0)
    return model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    from ela.front_ends import parse_front_end
    from export.parity.gradcam import grad_cam
    from export.quantize.fake_quant import calibrate_ranges, fake_quantise, quantised_backbone
    from export.tflite.convert import GraphParts, compose, convert
    from train.evaluate.calibration import Calibration, OperatingPoints
    from train.model import backbone_of, head_of, scale_pixels

    model = train_tiny()
    quantised = fake_quantise(model)
    seen = look(draw(256, seed=0)[0])
    batches = [(scale_pixels(seen[i : i + 32].astype(np.float32)), seen, seen) for i in range(0, 256, 32)]
    calibrate_ranges(quantised, batches * 3, 0.8)
    weights, bias = head_of(model)
    parts = {
        name: GraphParts(parse_front_end("rgb"), backbone, weights, bias, Calibration(0.8, 0.1), SIZE)
        for name, backbone in (("float", backbone_of(model)), ("ptq", quantised_backbone(quantised)))
    }
    points = OperatingPoints(0.5, 0.75, 0.875, 0.375)
    states = {
        "float": KerasState("float", model, parts["float"], points, (), LAST_FEATURES),
        "ptq": KerasState("ptq", quantised, parts["ptq"], points, (), f"quant_{LAST_FEATURES}"),
    }
    raw = {"float32": convert(parts["float"], "float32"), "ptq-int8": convert(parts["ptq"], "int8")}
    sealed = {name: attach(data, make_description(name), author="tests") for name, data in raw.items()}

    large, _ = draw(16, seed=1)
    pictures = tuple(jpeg(pixels) for pixels in large)
    names = tuple(f"drawn/{i}.jpg" for i in range(16))
    view = parse_view(VIEW)
    views = np.stack([apply_view(view, decode_bytes(data, "x")) for data in pictures])
    stages, heatmaps, gradcam = {}, {}, {}
    for name, state, layer in (("float", model, LAST_FEATURES), ("ptq", quantised, f"quant_{LAST_FEATURES}")):
        outputs = [compose(parts[name])(one[None]) for one in views]
        stages[f"keras-{name}"] = np.concatenate([one["scores"].numpy()[:, 1] for one in outputs])
        heatmaps[f"keras-{name}"] = np.concatenate([one["heatmap"].numpy() for one in outputs])
        gradcam[f"keras-{name}"] = grad_cam(state, views, layer)
    for name, data in sealed.items():
        output = RUNTIMES["litert"].call(data, views)
        stages[f"tflite/{name}"], heatmaps[f"tflite/{name}"] = output.scores[:, 1], output.heatmaps
    references = References(names, pictures, views, views, stages, heatmaps, gradcam)
    path: Path = tmp_path_factory.mktemp("tiny") / "bundle.zip"
    write_bundle(
        path,
        variants=sealed,
        default="ptq-int8",
        card="# Tiny\n",
        references=references,
        tolerances=Tolerances(),
    )
    data = path.read_bytes()
    return Tiny(states, raw, sealed, data, parse_bundle(data, "bundle.zip"))


def jpeg(pixels: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=95, subsampling=0)
    return target.getvalue()
