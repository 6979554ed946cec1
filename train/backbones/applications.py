"""Backbones of keras.applications, by Keras's own functions and with Keras's own download of weights."""

from collections.abc import Callable, Mapping
from typing import Any

from train.backbones.hard_swish import hard_activations
from train.backbones.rebuild import rebuild
from train.backbones.spec import Build, BuildSpec
from train.common.tf import load_tensorflow


def application(
    function: str, options: Callable[[float], Mapping[str, Any]] = lambda width: {}, as_it_is: bool = False
) -> Build:
    """How to build tf.keras.applications.FUNCTION without its top; `options` are its further arguments by width.

    as_it_is: keep Keras's model; else `rebuild` lays it out anew, without what Keras itself does to pixels.
    """

    def build(spec: BuildSpec) -> Any:
        applications = load_tensorflow().keras.applications
        raw = getattr(applications, function)(
            weights=spec.weights,
            input_shape=(spec.size, spec.size, spec.planes),
            include_top=False,
            pooling=None,
            **options(spec.width),
        )
        return raw if as_it_is else flat(raw, spec.centre)

    return build


def flat(raw: Any, centre: tuple[float, ...] = ()) -> Any:
    """Lay a model of keras.applications out anew, without what stands before its first convolution but padding."""
    layers = load_tensorflow().keras.layers
    hard = hard_activations()
    begun = False

    def substitute(layer: Any, inputs: Any, name: str) -> Any:
        nonlocal begun
        begun = begun or isinstance(layer, (layers.ZeroPadding2D, layers.Conv2D))
        return hard(layer, inputs, name) if begun else inputs

    return rebuild(raw, substitute, centre)
