"""FaceNet (Schroff et al. 2015) as Inception-ResNet V1, by the package keras-facenet: the network and its weights."""

import importlib
from pathlib import Path
from typing import Any

from train.backbones.rebuild import rebuild
from train.backbones.spec import BuildSpec
from train.common.errors import TrainError
from train.common.extras import missing_sentence
from train.common.tf import load_tensorflow

WEIGHTS = "vggface2"
MODEL = "20180402-114759"
"""keras-facenet's model of these weights; it takes (v - 127.5) / 127.5 and gives 512 numbers."""


def build_facenet(spec: BuildSpec) -> Any:
    """Inception-ResNet V1 up to its last feature map. Raises TrainError without the package."""
    return without_embedding(whole_facenet(spec))


def whole_facenet(spec: BuildSpec) -> Any:
    """keras-facenet's network to the end: planes in, an embedding of 512 numbers and length 1 out."""
    whole = _package("inception_resnet_v1").InceptionResNetV1(
        input_shape=(spec.size, spec.size, spec.planes), classes=512
    )
    if spec.weights == WEIGHTS:
        about = _package("metadata").MODEL_METADATA[MODEL]
        folder = Path("~/.keras-facenet").expanduser()
        download = _package("embedding_model").get_keras_model_from_prebuilt
        whole.set_weights(download(about, str(folder)).get_weights())
    elif spec.weights is not None:
        whole.load_weights(spec.weights)
    return whole


def without_embedding(whole: Any) -> Any:
    """The network up to the map that its embedding is made of, with layers in place of Keras's functions."""
    tf = load_tensorflow()
    layers = tf.keras.layers

    def substitute(layer: Any, inputs: Any, name: str) -> Any:
        if isinstance(layer, layers.Lambda):
            before = inputs.node.layer.name
            return layers.Rescaling(layer.arguments["scale"], name=f"{before}_scaled")(inputs)
        if isinstance(layer, layers.Add):
            block = inputs[1].node.layer.name.removesuffix("_Conv2d_1x1_scaled")
            return layers.Add(name=f"{block}_Add")(inputs)
        return None

    end = whole.get_layer("AvgPool").input
    return rebuild(tf.keras.Model(whole.input, end, name="inception_resnet_v1"), substitute)


def _package(module: str) -> Any:
    load_tensorflow()
    try:
        return importlib.import_module(f"keras_facenet.{module}")
    except ModuleNotFoundError as error:
        raise TrainError(missing_sentence(error.name) or missing_sentence("keras_facenet")) from error
