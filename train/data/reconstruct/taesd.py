"""The networks of the TAESD family (tiny autoencoders by O. Boer Bohan, MIT; github.com/madebyollin/taesd, taesd.py).

Encoder and decoder are sequences of 3 x 3 convolutions of 64 channels; their weights are called by the place in the
sequence, as in PyTorch's Sequential. A block adds three convolutions to its input; in TAEF2 the blocks at one eighth of
the size first add a part with group normalisation ("pool"). Pixels are 0..1; a latent cell stands for 8 x 8 pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.common.errors import DataError
from train.common.tf import load_tensorflow

CELL = 8
"""Pixels a side that one latent cell stands for."""
_WIDTH = 64
# torch.nn.GroupNorm(4, 4 * 64), with its default epsilon.
_GROUPS, _EPSILON = 4, 1e-5
# The decoder bounds latents to -3..3.
_MAGNITUDE = 3.0

Layer = tuple[str, ...]
"""A kind (conv, down, up, block, pooled, clamp, relu) and the prefix of its weights' names."""


@dataclass(frozen=True)
class Family:
    """What tells the members of the family apart: channels of the latents, and whether middle blocks are pooled."""

    latent_channels: int
    pooled: bool = False


FAMILIES = {
    "taesd": Family(4),
    "taesdxl": Family(4),
    "taef1": Family(16),
    "taef2": Family(32, pooled=True),
}
"""By name: for Stable Diffusion 1 and 2, SDXL, Flux.1 and Flux.2."""


def encoder_layers(family: Family) -> tuple[Layer, ...]:
    """Return the layers of an encoder in their order."""
    middle = "pooled" if family.pooled else "block"
    kinds = ["conv", "block", *["down", *["block"] * 3] * 2, "down", *[middle] * 3, "conv"]
    return tuple((kind, str(place)) for place, kind in enumerate(kinds))


def decoder_layers(family: Family) -> tuple[Layer, ...]:
    """Return the layers of a decoder in their order; an "up" stands for two places, doubling and its convolution."""
    middle = "pooled" if family.pooled else "block"
    kinds = ["clamp", "conv", "relu", *[middle] * 3, "up", "", *["block"] * 3, "up", "", *["block"] * 3, "up", ""]
    kinds += ["block", "conv"]
    return tuple((kind, str(place + (kind == "up"))) for place, kind in enumerate(kinds) if kind)


def expected_shapes(layers: Sequence[Layer], inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight as PyTorch stores it ([out, in, height, width]), by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    convolutions = [name for kind, name in layers if kind == "conv"]
    for kind, name in layers:
        if kind == "conv":
            before = inputs if name == convolutions[0] else _WIDTH
            after = outputs if name == convolutions[-1] else _WIDTH
            shapes |= {f"{name}.weight": (after, before, 3, 3), f"{name}.bias": (after,)}
        elif kind in ("down", "up"):
            shapes[f"{name}.weight"] = (_WIDTH, _WIDTH, 3, 3)
        elif kind in ("block", "pooled"):
            for part in (0, 2, 4):
                shapes |= {f"{name}.conv.{part}.weight": (_WIDTH, _WIDTH, 3, 3), f"{name}.conv.{part}.bias": (_WIDTH,)}
        if kind == "pooled":
            wide = _GROUPS * _WIDTH
            shapes |= {f"{name}.pool.0.weight": (wide, _WIDTH, 1, 1), f"{name}.pool.3.weight": (_WIDTH, wide, 1, 1)}
            shapes |= {f"{name}.pool.1.weight": (wide,), f"{name}.pool.1.bias": (wide,)}
    return shapes


def check_weights(weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Refuse weights of another network; DataError names `where` and the first that is missing, odd or not finite."""
    remedy = "these are weights of another autoencoder"
    for name, shape in shapes.items():
        if name not in weights:
            raise DataError(f"{where} has no weight {name!r}: {remedy}.")
        if weights[name].shape != shape:
            raise DataError(f"{where}: {name} has shape {weights[name].shape} instead of {shape}: {remedy}.")
        if not np.isfinite(weights[name]).all():
            raise DataError(f"{where}: {name} contains NaN or infinity: get the file again.")
    if unknown := sorted(set(weights) - set(shapes)):
        raise DataError(f"{where} has a weight {unknown[0]!r} that the network does not have: {remedy}.")


def build_autoencoder(
    family: Family, encoder: Mapping[str, np.ndarray], decoder: Mapping[str, np.ndarray]
) -> Callable[[np.ndarray, float, int], np.ndarray]:
    """Return the autoencoder as a function of pixels, float32 [1, H, W, 3] in 0..1 to the same; H, W multiples of CELL.

    Its other arguments are the standard deviation of normal noise that is added to the latents, in standard deviations
    of the picture's own latents (0 for none), and the noise's seed, 0..2^31 - 1. The weights are as `expected_shapes`
    says and have been checked.
    """
    tf = load_tensorflow()
    weights = {
        f"{part}.{name}": tf.constant(value.transpose(2, 3, 1, 0) if value.ndim == 4 else value)
        for part, weights in (("encoder", encoder), ("decoder", decoder))
        for name, value in weights.items()
    }

    @tf.function(
        input_signature=[
            tf.TensorSpec([1, None, None, 3], tf.float32),
            tf.TensorSpec([], tf.float32),
            tf.TensorSpec([2], tf.int32),
        ],
        reduce_retracing=True,
        autograph=False,
    )
    def reconstruct(pixels: Any, noise: Any, seed: Any) -> Any:
        latents = _run(tf, weights, "encoder", encoder_layers(family), pixels)
        drawn = tf.random.stateless_normal(tf.shape(latents), seed)
        latents += noise * tf.math.reduce_std(latents) * drawn
        return tf.clip_by_value(_run(tf, weights, "decoder", decoder_layers(family), latents), 0.0, 1.0)

    return lambda pixels, noise, seed: reconstruct(pixels, noise, (seed, 0)).numpy()


def _run(tf: Any, weights: Mapping[str, Any], part: str, layers: Sequence[Layer], x: Any) -> Any:
    def conv(x: Any, name: str, stride: int = 1) -> Any:
        weight, bias = weights[f"{part}.{name}.weight"], weights.get(f"{part}.{name}.bias")
        if stride > 1:
            # PyTorch pads both sides; SAME would pad an even picture after its last pixel only.
            x = tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), weight, stride, "VALID")
        else:
            x = tf.nn.conv2d(x, weight, 1, "SAME")
        return x if bias is None else tf.nn.bias_add(x, bias)

    def pool(x: Any, name: str) -> Any:
        wide = conv(x, f"{name}.0")
        shape = tf.shape(wide)
        groups = tf.reshape(wide, [1, -1, _GROUPS, _WIDTH])
        mean, variance = tf.nn.moments(groups, [1, 3], keepdims=True)
        normal = tf.reshape((groups - mean) * tf.math.rsqrt(variance + _EPSILON), shape)
        scaled = normal * weights[f"{part}.{name}.1.weight"] + weights[f"{part}.{name}.1.bias"]
        return conv(tf.nn.relu(scaled), f"{name}.3")

    for kind, name in layers:
        if kind == "clamp":
            x = tf.tanh(x / _MAGNITUDE) * _MAGNITUDE
        elif kind == "relu":
            x = tf.nn.relu(x)
        elif kind == "conv":
            x = conv(x, name)
        elif kind == "down":
            x = conv(x, name, stride=2)
        elif kind == "up":
            x = conv(tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2), name)
        else:
            if kind == "pooled":
                x += pool(x, f"{name}.pool")
            y = tf.nn.relu(conv(x, f"{name}.conv.0"))
            y = tf.nn.relu(conv(y, f"{name}.conv.2"))
            x = tf.nn.relu(conv(y, f"{name}.conv.4") + x)
    return x
