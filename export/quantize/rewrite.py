"""A float backbone said by layers that int8 has, where Keras's own have none: the same function, ready to be wrapped.

TFLite has no swish and no separable convolution, and its convolutions carry no other activation than ReLU. A swish is
x times its sigmoid, whose int8 range is fixed at 0..255/256 (LiteRT 8-bit quantization specification, LOGISTIC).
"""

from typing import Any

import numpy as np

from train.backbones.rebuild import rebuild
from train.backbones.spec import CENTRED
from train.common.tf import load_tensorflow

_LINEAR = {"activation": "linear"}


def rewritten(backbone: Any) -> Any:
    """The backbone with swishes, separable convolutions and gates taken apart, and without the layer that centres.

    What is added to each plane moves into the first convolution, so that int8 takes the grey levels as they are; only
    where that convolution pads, zeros then stand for grey 128 and no more for the published mean. Layers keep their
    names. A backbone that needs none of it is returned as it is.
    """
    kinds = load_tensorflow().keras.layers
    if not any(_is_new(layer, kinds) for layer in backbone.layers):
        return backbone
    offset: list[float] = []

    def substitute(layer: Any, inputs: Any, name: str) -> Any:
        if name == CENTRED:
            offset.extend(np.broadcast_to(np.asarray(layer.offset, np.float64), inputs.shape[-1]))
            return inputs
        if isinstance(layer, kinds.SeparableConv2D):
            return _separable(kinds, layer, inputs, name)
        if isinstance(layer, kinds.Activation) and activation_name(layer) == "swish":
            return _swish(kinds, inputs, f"{name}_sigmoid", name)
        if isinstance(layer, kinds.Conv2D) and activation_name(layer) in ("swish", "sigmoid"):
            convolution = kinds.Conv2D.from_config(layer.get_config() | _LINEAR | {"name": name})
            x = convolution(inputs)
            convolution.set_weights(layer.get_weights())
            if activation_name(layer) == "swish":
                return _swish(kinds, x, f"{name}_sigmoid", f"{name}_swish")
            return kinds.Activation("sigmoid", name=f"{name}_sigmoid")(x)
        return None

    model = rebuild(backbone, substitute)
    if offset:
        _move_into_first(model, np.asarray(offset))
    return model


def activation_name(layer: Any) -> str:
    """The Keras name of a layer's activation, such as relu; empty where it has none."""
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _is_new(layer: Any, kinds: Any) -> bool:
    has_gate = isinstance(layer, kinds.Activation | kinds.Conv2D) and activation_name(layer) in ("swish", "sigmoid")
    return has_gate or isinstance(layer, kinds.SeparableConv2D) or layer.name == CENTRED


def _swish(kinds: Any, x: Any, sigmoid: str, product: str) -> Any:
    return kinds.Multiply(name=product)([x, kinds.Activation("sigmoid", name=sigmoid)(x)])


def _separable(kinds: Any, layer: Any, inputs: Any, name: str) -> Any:
    depthwise = kinds.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        depth_multiplier=layer.depth_multiplier,
        dilation_rate=layer.dilation_rate,
        use_bias=False,
        name=f"{name}_depthwise",
    )
    pointwise = kinds.Conv2D(layer.filters, 1, use_bias=layer.use_bias, activation=layer.activation, name=name)
    output = pointwise(depthwise(inputs))
    kernel, *others = layer.get_weights()
    depthwise.set_weights([kernel])
    pointwise.set_weights(others)
    return output


def _move_into_first(model: Any, offset: np.ndarray) -> None:
    """Let the first convolution, or the batch norm behind it, add what `offset` [planes] added to its input."""
    kinds = load_tensorflow().keras.layers
    first = next(layer for layer in model.layers if isinstance(layer, kinds.Conv2D))
    kernel, *bias = first.get_weights()
    added = np.einsum("hwio,i->o", kernel.astype(np.float64), offset)
    if bias:
        first.set_weights([kernel, bias[0] + added])
        return
    (norm,) = (node.layer for node in first.outbound_nodes)
    norm.moving_mean.assign(norm.moving_mean.numpy() - added)
