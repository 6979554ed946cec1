"""Published weights fitted to what detectors give a backbone: one scale of planes, and as many planes as there are."""

from dataclasses import replace
from typing import Any

import numpy as np

from train.backbones.spec import BuildSpec
from train.backbones.table import Backbone

MIDDLE, HALF_RANGE = 128.0, 127.5
"""A backbone takes (v - MIDDLE) / HALF_RANGE of a grey level v (`train.model.scale_pixels`)."""


def build_published(backbone: Backbone, spec: BuildSpec) -> Any:
    """Build a backbone whose published weights see what they were trained on, though planes are scaled as ours.

    A layer moves planes to the published mean, so that padding with zeros stays what it was; deviation and order of
    colours go into the kernel of the first convolution. With more than three planes the first three keep its weights
    and the others begin at zero: the network starts as what it was, and learns what the further planes are worth.
    """
    spec = replace(spec, centre=_centre(backbone, spec.planes))
    if spec.weights is None:
        return backbone.build(spec)
    model = backbone.build(replace(spec, planes=3, centre=spec.centre[:3]))
    kernel, *bias = model.get_layer(backbone.first).get_weights()
    if backbone.scale is not None:
        colours = kernel[:, :, ::-1] if backbone.scale.bgr else kernel
        kernel = colours * (HALF_RANGE / np.asarray(backbone.scale.deviation))[:, np.newaxis]
        model.get_layer(backbone.first).set_weights([kernel, *bias])
    return model if spec.planes == 3 else _inflated(backbone, model, spec)


def _centre(backbone: Backbone, planes: int) -> tuple[float, ...]:
    if backbone.scale is None:
        return ()
    colours = [(MIDDLE - mean) / HALF_RANGE for mean in backbone.scale.mean]
    return tuple([*colours, *[0.0] * planes][:planes])


def _inflated(backbone: Backbone, model: Any, spec: BuildSpec) -> Any:
    wider = backbone.build(replace(spec, weights=None))
    for old, new in zip(model.layers, wider.layers, strict=True):
        weights = old.get_weights()
        if new.name == backbone.first:
            kernel, *bias = weights
            more = np.zeros((*kernel.shape[:2], spec.planes - 3, kernel.shape[3]))
            weights = [np.concatenate([kernel, more], axis=2), *bias]
        new.set_weights(weights)
    return wider
