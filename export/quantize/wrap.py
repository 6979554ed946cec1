"""Fake quantisation where int8 rounds: which layers' weights and results get it, by their kind and by what follows.

tensorflow-model-optimization's own rules (its registry and its layout transforms) know no hard swish, no product and no
gate, leave a convolution's weights in float where a ReLU follows without batch norm, and take minutes for a few hundred
layers. For convolution, batch norm and ReLU, and for sums of such, the rules here give what its own do.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from export.quantize.rewrite import activation_name
from train.backbones.hard_swish import hard_swish_layer
from train.backbones.rebuild import rebuild
from train.common.errors import ExportError
from train.common.tf import load_tensorflow

SIGMOID_RANGE = (0.0, 255 / 256)
"""Of int8 sigmoids (LiteRT 8-bit quantization specification, LOGISTIC: scale 1/256, zero point -128)."""


def wrapped(backbone: Any) -> Any:
    """Copy a backbone of `export.quantize.rewrite` into one whose layers fake-quantise as TFLite's int8 kernels round.

    float32 [N, S, S, C] scaled planes in, the last feature map out, which is fake-quantised, too. Layers are called
    quant_NAME, as tfmot does. Raises ExportError for a layer that there is no rule for.
    """
    from tensorflow_model_optimization.python.core.quantization.keras import quantizers
    from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import QuantizeLayer
    from tensorflow_model_optimization.python.core.quantization.keras.quantize_wrapper import QuantizeWrapperV2

    tf = load_tensorflow()
    followers = _followers(backbone)
    every = quantizers.AllValuesQuantizer(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)
    entry = QuantizeLayer(every, name="quantize_layer")

    def substitute(layer: Any, inputs: Any, name: str) -> Any:
        if not isinstance(inputs, list) and isinstance(inputs.node.layer, tf.keras.layers.InputLayer):
            inputs = entry(inputs)
        inner = type(layer).from_config(layer.get_config() | {"name": name})
        with tf.name_scope(name):
            inner.build(tf.nest.map_structure(lambda tensor: tensor.shape, inputs))
        # Before it is wrapped: the wrapper puts fake-quantised tensors in the place of variables.
        inner.set_weights(layer.get_weights())
        return QuantizeWrapperV2(inner, _config(inner, followers[layer.name]))(inputs)

    return rebuild(backbone, substitute)


def _followers(model: Any) -> dict[str, list[Any]]:
    """By a layer's name, the layers of the model that take its result."""
    nest = load_tensorflow().nest
    found: dict[str, list[Any]] = defaultdict(list)
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            for before in nest.flatten(node.inbound_layers):
                found[before.name].append(node.layer)
    return found


def _config(layer: Any, followers: list[Any]) -> Any:
    """tfmot's QuantizeConfig of a layer: a range for each channel of its kernel, and one for its result or none."""
    from tensorflow_model_optimization.python.core.quantization.keras import quantizers
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs as configs,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as registry,
    )

    layers = load_tensorflow().keras.layers
    rounds = _rounds(layer, followers)
    if isinstance(layer, layers.DepthwiseConv2D):
        return registry.Default8BitConvQuantizeConfig(["depthwise_kernel"], [], rounds)
    if isinstance(layer, layers.Conv2D):
        return registry.Default8BitConvQuantizeConfig(["kernel"], [], rounds)
    if activation_name(layer) == "sigmoid":
        fixed = registry.Default8BitQuantizeConfig([], [], True)
        low, high = SIGMOID_RANGE
        fixed.activation_quantizer = quantizers.FixedQuantizer(8, low, high, False)
        return fixed
    return configs.Default8BitOutputQuantizeConfig() if rounds else configs.NoOpQuantizeConfig()


def _rounds(layer: Any, followers: list[Any]) -> bool:
    """Whether int8 rounds a layer's result: not where TFLite fuses it with what follows, or only picks among values."""
    layers = load_tensorflow().keras.layers
    # The mean of a pooling window is rounded in the steps of what it is a mean of.
    if isinstance(layer, layers.ZeroPadding2D | layers.MaxPooling2D | layers.AveragePooling2D | layers.Reshape):
        return False
    known = (
        layers.Conv2D | layers.DepthwiseConv2D | layers.BatchNormalization | layers.ReLU | layers.Add
        | layers.Multiply | layers.Concatenate
        | layers.GlobalAveragePooling2D | layers.Rescaling | hard_swish_layer()
    )  # fmt: skip
    if not isinstance(layer, known) and activation_name(layer) not in ("relu", "sigmoid"):
        raise ExportError(
            f"Layer {layer.name} is a {type(layer).__name__}, of which it is not known how int8 rounds it: export "
            "float variants, or write a rule in export/quantize/wrap.py."
        )
    (only,) = followers if len(followers) == 1 else (None,)
    if isinstance(only, layers.BatchNormalization):
        return False
    if isinstance(only, layers.ReLU) or (activation_name(only) == "relu" and not isinstance(only, layers.Conv2D)):
        return False
    # All that a concatenation takes has its scale.
    return not isinstance(only, layers.Concatenate)


def range_of(tensor: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the range that a tensor of a fake-quantised model was rounded in, float64: its layer's, or that of
    what the layer only picks among."""
    layer = tensor.node.layer
    if type(layer).__name__ == "QuantizeLayer":
        return range_by_name(layer, "")
    if has_range(layer, "/output"):
        return range_by_name(layer, "/output")
    if activation_name(layer.layer) == "sigmoid":
        low, high = SIGMOID_RANGE
        return np.asarray(low), np.asarray(high)
    return range_of(layer.input)


def range_by_name(layer: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The variables of a range, by the end of their names before `_min` and `_max`."""
    found = {end: [w for w in layer.weights if w.name.endswith(f"{name}_{end}:0")] for end in ("min", "max")}
    (low,), (high,) = found["min"], found["max"]
    return low.numpy().astype(np.float64), high.numpy().astype(np.float64)


def has_range(layer: Any, name: str) -> bool:
    """Whether a layer has a range of that name."""
    return any(weight.name.endswith(f"{name}_min:0") for weight in layer.weights)
