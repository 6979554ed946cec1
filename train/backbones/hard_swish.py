"""MobileNet V3's activations as layers with names that stay, where Keras writes them as numbered functions."""

import functools
from typing import Any

from train.backbones.rebuild import Substitute
from train.common.tf import load_tensorflow


@functools.cache
def hard_swish_layer() -> Any:
    """The Keras layer of x * relu6(x + 3) / 6 (Howard et al. 2019, section 5.2), which TFLite has as one operator."""
    tf = load_tensorflow()

    class HardSwish(tf.keras.layers.Layer):  # type: ignore[name-defined]
        def call(self, inputs: Any) -> Any:
            return inputs * (tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0))

    return HardSwish


def hard_activations() -> Substitute:
    """What `rebuild` puts for the functions by which Keras writes hard swish and hard sigmoid.

    Keras: `relu6(x + 3) * (1 / 6)`, and for a swish the product of x and that, by a layer that Keras numbers.
    """
    tf = load_tensorflow()
    layers = tf.keras.layers

    def substitute(layer: Any, inputs: Any, name: str) -> Any:
        if type(layer).__name__ == "TFOpLambda":
            node = layer.inbound_nodes[0]
            (constant,) = (value for value in (*node.call_args, *node.call_kwargs.values()) if isinstance(value, float))
            adds = "add" in layer.get_config()["function"]
            title = name.replace("tf_op_lambda", "shift" if adds else "sixth")
            return layers.Rescaling(1.0 if adds else constant, offset=constant if adds else 0.0, name=title)(inputs)
        if isinstance(layer, layers.Multiply) and layer.name.startswith("multiply"):
            before = inputs[0].node.layer.name
            return hard_swish_layer()(name=f"{before}_hard_swish")(inputs[0])
        return None

    return substitute
