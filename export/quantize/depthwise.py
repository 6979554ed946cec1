"""Depthwise weights fake-quantised per channel, as TFLite does it and tensorflow-model-optimization does not.

tfmot takes the last axis of a kernel for its channels. In a depthwise kernel [h, w, C, 1] that axis has length one, and
all channels share a scale. In MobileNet V1 they differ a hundredfold (Krishnamoorthi 2018, section 3.1.3), and channels
that nothing uses can be the largest. TFLite's specification of DEPTHWISE_CONV_2D has one scale a channel.
"""

from typing import Any


def quantise_depthwise_per_channel(model: Any) -> None:
    """Give every fake-quantised depthwise layer of a model a range a channel; set by the next training-mode call."""
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantizers

    from train.common.tf import load_tensorflow

    tf = load_tensorflow()

    class PerChannel(default_8bit_quantizers.Default8BitConvWeightsQuantizer):
        """tfmot's own quantiser of convolution weights, shown the kernel with its channels last."""

        def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
            return dict(super().build(tensor_shape[:3], f"{name}_channel", layer))

        def __call__(self, inputs: Any, training: Any, weights: Any, **options: Any) -> Any:
            channels_last = tf.transpose(inputs, (0, 1, 3, 2))
            return tf.transpose(super().__call__(channels_last, training, weights, **options), (0, 1, 3, 2))

    for layer in model.layers:
        if isinstance(getattr(layer, "layer", None), tf.keras.layers.DepthwiseConv2D):
            quantiser = PerChannel()
            layer._weight_vars = [
                (weight, quantiser, quantiser.build(weight.shape, layer._weight_name(weight.name), layer))
                for weight, _, _ in layer._weight_vars
            ]
