"""A Keras model laid out anew, layer by layer, with names that never change.

Keras numbers layers without a name through the whole process, so that the second InceptionV3 of a process has other
names than the first, and weights saved by name would not fit.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from train.backbones.spec import CENTRED
from train.common.tf import load_tensorflow

Substitute = Callable[[Any, Any, str], Any]
"""Of a Keras layer, what goes into it (one tensor or several) and its new name: what comes out in its place; None where
the layer stays as it is."""


def rebuild(model: Any, substitute: Substitute = lambda layer, inputs, name: None, centre: Sequence[float] = ()) -> Any:
    """Build a functional Keras model of one input and one output again, with the same weights.

    Left out is Dropout, whose hidden state no checkpoint holds. Layers that Keras numbered are numbered from the
    model's start, and a `/` in a name, where TensorFlow begins a scope, becomes `_`. `centre` is added to the input's
    planes.
    """
    tf = load_tensorflow()
    layers = tf.keras.layers
    numbers: Counter[str] = Counter()
    (entry,) = model.inputs
    start = layers.Input(entry.shape[1:], name="planes")
    made = {id(entry): layers.Rescaling(1.0, offset=list(centre), name=CENTRED)(start) if any(centre) else start}
    kept: list[tuple[Any, Any]] = []
    for layer in _in_order(model):
        if isinstance(layer, layers.InputLayer):
            continue
        node = layer.inbound_nodes[0]
        inputs = tf.nest.map_structure(lambda tensor: made[id(tensor)], node.input_tensors)
        name = _name(layer, numbers)
        output = inputs if isinstance(layer, layers.Dropout) else substitute(layer, inputs, name)
        if output is None:
            again = type(layer).from_config(layer.get_config() | {"name": name})
            output = again(inputs)
            kept.append((layer, again))
        made[id(node.outputs)] = output
    built = tf.keras.Model(start, made[id(model.output)], name=model.name)
    for old, new in kept:
        new.set_weights(old.get_weights())
    return built


def _in_order(model: Any) -> list[Any]:
    """The model's layers from its input on, each behind those it takes from."""
    nodes = model._nodes_by_depth
    return [node.layer for depth in sorted(nodes, reverse=True) for node in nodes[depth]]


def _name(layer: Any, numbers: Counter[str]) -> str:
    """The layer's own name, or one by its kind and its place where Keras numbered it."""
    from tf_keras.src.utils.generic_utils import to_snake_case

    kind = str(to_snake_case(type(layer).__name__))
    if kind != "tf_op_lambda" and not re.fullmatch(rf"{kind}(_\d+)?", layer.name):
        return str(layer.name).replace("/", "_")
    number = numbers[kind]
    numbers[kind] += 1
    return f"{kind}_{number}" if number else kind
