"""Where fake-quantisation nodes stand, for the layers that tensorflow-model-optimization does not know."""

from typing import Any

from train.backbones.hard_swish import hard_swish_layer
from train.common.tf import load_tensorflow

SIGMOID_TOP = 255 / 256
"""TFLite's int8 LOGISTIC gives steps of 1/256 from zero, whatever its input (8-bit quantisation specification)."""


def fake_quantised(backbone: Any) -> Any:
    """Copy a flat float backbone with fake quantisation of its weights and of what each of its layers gives.

    Products, hard swishes and constant scalings are rounded where they end, and sigmoids to TFLite's fixed steps;
    everything else is as tfmot's default scheme for 8 bits has it.
    """
    tf = load_tensorflow()
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras import quantize_config
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_configs

    keras = tfmot.quantization.keras
    layers = tf.keras.layers
    ends_rounded = default_8bit_quantize_configs.Default8BitOutputQuantizeConfig(quantize_output=True)
    as_it_is = default_8bit_quantize_configs.NoOpQuantizeConfig()

    def annotated(layer: Any) -> Any:
        if isinstance(layer, layers.Rescaling) and layer.scale == 1.0:
            # An addition that the converter fuses with the ReLU6 behind it.
            return keras.quantize_annotate_layer(layer, as_it_is)
        if isinstance(layer, (layers.Multiply, layers.Rescaling, hard_swish_layer())):
            return keras.quantize_annotate_layer(layer, ends_rounded)
        if isinstance(layer, layers.Activation) and layer.get_config()["activation"] == "sigmoid":
            fixed = quantize_config.FixedQuantizeConfig(ends_rounded, 8, 0.0, SIGMOID_TOP, False)
            return keras.quantize_annotate_layer(layer, fixed)
        return keras.quantize_annotate_layer(layer)

    with keras.quantize_scope({"HardSwish": hard_swish_layer()}):
        return keras.quantize_apply(tf.keras.models.clone_model(backbone, clone_function=annotated))
