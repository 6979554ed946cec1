"""Ranges of means over a map, in steps that divide those of what they are means of.

TFLite's own int8 kernel of MEAN adds a whole number in place of `input zero point x input scale / output scale`
(tensorflow/lite/kernels/internal/optimized/integer_ops/mean.h), which moves every gate of a squeeze-and-excite block by
up to half a step; XNNPACK's and Keras round once, at the end. Where the output's step is the input's divided by a whole
number, that product is whole, and all give the same.
"""

from typing import Any

import numpy as np

from export.quantize.wrap import range_of
from train.common.tf import load_tensorflow

_STEPS = 255


def align_means(model: Any) -> None:
    """Widen the range of every mean of a fake-quantised, calibrated model to such steps; at most to twice its width."""
    layers = load_tensorflow().keras.layers
    for layer in model.layers:
        if not isinstance(getattr(layer, "layer", None), layers.GlobalAveragePooling2D):
            continue
        low, high = range_of(layer.output)
        before = range_of(layer.input)
        new_low, new_high = aligned(float(low), float(high), float(before[1] - before[0]) / _STEPS)
        for weight in layer.weights:
            if weight.name.endswith(("/output_min:0", "/output_max:0")):
                weight.assign(new_low if weight.name.endswith("_min:0") else new_high)


def aligned(low: float, high: float, step: float) -> tuple[float, float]:
    """The narrowest range about low..high, which hold 0, that 255 steps of `step` divided by a whole number make."""
    divisor = max(1, int(np.floor(step * _STEPS / max(high - low, 1e-9))))
    while True:
        fine = step / divisor
        below = int(np.ceil(-low / fine - 1e-6))
        if divisor == 1 or below * fine + high <= _STEPS * fine + 1e-6 * step:
            return -below * fine, (_STEPS - below) * fine
        divisor -= 1
