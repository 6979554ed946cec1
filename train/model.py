"""The network: a flat backbone (train/backbones/table.py) with one head whose class activation map is the heatmap.

Score and heatmap come from one place. A linear head is a linear map on the mean of the last feature map, so the logit
is also the mean of a 1x1 convolution of that map, and Grad-CAM of the logit is the ReLU of that convolution (Selvaraju
et al. 2017, section 3.1: for such heads Grad-CAM is CAM, Zhou et al. 2016). A dense head has two hidden layers between,
as the AlexNet-like network asks for; its Grad-CAM needs the gradient (export/tflite/convert.py).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ela.front_ends import parse_front_end
from train.backbones.published import HALF_RANGE, MIDDLE, build_published
from train.backbones.spec import BuildSpec
from train.backbones.table import BACKBONES, Backbone, check_view_size
from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.dropout import seeded_dropout
from train.head import HEAD, difference, two_logits
from train.recipe import Model
from train.weights import check_numbers, check_origin

POOLED = "mean"
HIDDEN = ("hidden_1", "hidden_2")
"""The layers of a dense head before the last, of 512 values each."""
_HIDDEN_SIZE = 512


def scale_pixels(planes: Any) -> Any:
    """Map 0..255 to about -1..1 as (v - 128) / 127.5, on NumPy arrays and tensors alike.

    MobileNet's own scaling, v / 127.5 - 1, puts every pixel value halfway between two int8 steps, where runtimes round
    differently; half a grey level to the side there are no such ties.
    """
    return (planes - MIDDLE) / HALF_RANGE


def build_classifier(settings: Model, size: int, *, learning: bool = False) -> Any:
    """Build the trainable Keras model: float32 [N, size, size, C] scaled planes in, float32 [N, 1] logit of "fake" out.

    C is the front end's number of planes. With `learning` an output of softmax has a logit a class inside, which
    `with_one_logit` brings down to the one that all else knows. The backbone is laid flat in the model, for
    tensorflow-model-optimization refuses nested models. Raises TrainError when the recipe does not fit the backbone, or
    weights are missing, do not fit or cannot be downloaded.
    """
    tf = load_tensorflow()
    layers = tf.keras.layers
    check_network(settings, size)
    kind = BACKBONES[settings.backbone]
    backbone = _load_backbone(kind, settings, size)
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = settings.batch_norm_momentum
    features = backbone.get_layer(kind.features).output
    if kind.head == "linear":
        pooled = layers.GlobalAveragePooling2D(name=POOLED)(features)
    else:
        pooled = layers.Flatten(name="flat")(features)
        for name in HIDDEN:
            pooled = layers.Dense(_HIDDEN_SIZE, activation="relu", name=name)(pooled)
    dropped = seeded_dropout(settings.dropout)(pooled)
    both = learning and settings.output == "softmax"
    # In float32 also where the layers before compute in less (fit.precision): eight bits are too few for a logit.
    head = two_logits() if both else layers.Dense(1, **_head_options(tf, settings), name=HEAD, dtype="float32")
    logit = head(dropped)
    return tf.keras.Model(backbone.input, logit, name="fauxlens")


def with_one_logit(classifier: Any, settings: Model, size: int) -> Any:
    """The classifier as it ships, of one that has learned: the same logits, by a head of one logit."""
    if settings.output == "sigmoid":
        return classifier
    shipped = build_classifier(replace(settings, weights="none"), size)
    for old, new in zip(classifier.layers, shipped.layers, strict=True):
        weights = old.get_weights()
        new.set_weights(difference(*weights) if new.name == HEAD else weights)
    return shipped


def check_network(settings: Model, size: int) -> None:
    """Raise TrainError where a backbone cannot be had as a recipe's [model] and a view of `size` pixels ask for it."""
    kind = BACKBONES[settings.backbone]
    check_view_size(kind, size)
    if settings.head == "non-negative" and not (kind.non_negative and kind.head == "linear"):
        raise TrainError(
            "model.head = 'non-negative' needs features that are never negative and a linear head, which "
            f"{kind.title} does not have: set it to 'free', or use mobilenet-v1 or mobilenet-v2."
        )
    words = {one.weights for one in BACKBONES.values()} - {kind.weights}
    if settings.weights in words:
        has = f"its published weights are called `{kind.weights}`" if kind.weights else "it has no published weights"
        raise TrainError(
            f"There are no weights `{settings.weights}` of {kind.title} ({has}): pass --weights with "
            f"{f'`{kind.weights}`, ' if kind.weights else ''}`none` or an .h5 file."
        )
    if settings.weights not in ("none", kind.weights):
        _check_file(kind, settings)


def _check_file(kind: Backbone, settings: Model) -> None:
    """Raise TrainError where a file of weights is missing, no HDF5 file or of another network, before any work."""
    import h5py

    path = Path(settings.weights)
    if not path.is_file():
        known = f"`{kind.weights}` or `none`" if kind.weights else "or `none`"
        raise TrainError(f"{path}: no such weights file; pass an .h5 file, {known} with --weights.")
    if not h5py.is_hdf5(path):
        raise TrainError(
            f"{path}: these weights do not fit {kind.title} (it is not an HDF5 file); choose the file of that network "
            f"and width, or `{kind.weights or 'none'}`."
        )
    try:
        # A file that was cut short is refused when it is opened.
        h5py.File(path, "r").close()
    except OSError as error:
        raise TrainError(f"{path}: these weights are damaged ({str(error)[:100]}): copy the file again.") from None
    check_origin(path, settings)


def _head_options(tf: Any, settings: Model) -> dict[str, Any]:
    """How the head begins and what bounds it; a bounded one begins within its bounds, as averages of it remember."""
    if settings.head == "free":
        return {}
    return {
        "kernel_constraint": tf.keras.constraints.NonNeg(),
        "kernel_initializer": tf.keras.initializers.RandomUniform(0.0, 0.05),
    }


def _load_backbone(kind: Backbone, settings: Model, size: int) -> Any:
    """The backbone without its top, for as many planes as the front end has, with the weights that the recipe names."""
    spec = BuildSpec(settings.width, size, parse_front_end(settings.front_end).channels)
    if settings.weights == "none":
        return build_published(kind, spec)
    if settings.weights == kind.weights:
        try:
            return build_published(kind, replace(spec, weights=kind.weights))
        except TrainError:
            raise
        except Exception as error:
            # Keras's downloader raises bare Exception for every fault of the network.
            raise TrainError(
                f"The weights `{kind.weights}` of {kind.title} could not be downloaded ({_first_line(error)}): connect "
                f"to the network, or pass `--weights FILE.h5` with the published weights of {kind.title} (no top), or "
                "`--weights none`."
            ) from error
    path = Path(settings.weights)
    own = check_origin(path, settings) is not None
    try:
        backbone = build_published(kind, spec if own else replace(spec, weights=str(path)))
        if own:
            _load_named(backbone, path)
        check_numbers(backbone, path)
        return backbone
    except TrainError:
        raise
    except Exception as error:
        # Whatever Keras and h5py raise on a damaged file.
        raise TrainError(
            f"{path}: these weights do not fit {kind.title} of width {settings.width:g} without its top "
            f"({_first_line(error)}); choose the file of that network and width, or `{kind.weights or 'none'}`."
        ) from error


def _load_named(backbone: Any, path: Path) -> None:
    """Take the backbone's layers out of a run's weights.h5, whose head is another matter; ValueError if one lacks."""
    import h5py

    with h5py.File(path, "r") as file:
        missing = {layer.name for layer in backbone.layers if layer.weights} - set(file)
    if missing:
        raise ValueError(f"layer {min(missing)} is not in it; quantised states cannot be begun with")
    backbone.load_weights(str(path), by_name=True)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def choose_trainable(classifier: Any, train_from: str) -> None:
    """Freeze every layer before `train_from`: `head`, `all`, or a layer's name. Compile the model afterwards.

    Raises TrainError for a name that is no layer of the model.
    """
    names = [layer.name for layer in classifier.layers]
    head = HIDDEN[0] if HIDDEN[0] in names else HEAD
    first = {"head": head, "all": names[0]}.get(train_from, train_from)
    if first not in names:
        weighted = [layer.name for layer in classifier.layers if layer.weights]
        such = " or ".join(dict.fromkeys((weighted[len(weighted) // 2], weighted[-2])))
        raise TrainError(
            f"train_from = {train_from!r} is not a layer of this backbone: use `head`, `all`, or one such as {such}."
        )
    start = names.index(first)
    for index, layer in enumerate(classifier.layers):
        layer.trainable = index >= start


def features_layer(classifier: Any) -> Any:
    """The layer that gives the last feature map of a classifier, float or fake-quantised: the last of four axes."""
    layer = classifier.layers[-1]
    while len(layer.output.shape) != 4:
        (layer,) = {tensor.node.layer for tensor in load_tensorflow().nest.flatten(layer.input)}
    return layer


def backbone_of(classifier: Any) -> Any:
    """The flat feature extractor inside the classifier, sharing its weights: planes in, last feature map out."""
    tf = load_tensorflow()
    return tf.keras.Model(classifier.input, features_layer(classifier).output, name="backbone")


def head_of(classifier: Any) -> tuple[np.ndarray, float]:
    """The last, linear layer as float32 [channels] weights and a bias; on the mean of the features, or `hidden_of`."""
    kernel, bias = classifier.get_layer(HEAD).get_weights()
    return kernel[:, 0].astype(np.float32), float(bias[0])


def hidden_of(classifier: Any) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The hidden layers of a dense head, each as float32 [inputs, outputs] weights and [outputs] biases; empty for a
    linear head."""
    names = {layer.name for layer in classifier.layers}
    return tuple(tuple(classifier.get_layer(name).get_weights()) for name in HIDDEN if name in names)


def predictor(model: Any, batch_size: int = 64) -> Callable[[np.ndarray], np.ndarray]:
    """A function from front-end planes uint8 [N, S, S, C] to logits float32 [N] of a Keras model with one output.

    The model is traced at the first call only, so keep the function where there are many calls.
    """
    tf = load_tensorflow()
    call = tf.function(lambda batch: model(batch, training=False))

    def predict(planes: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(planes), batch_size):
            batch = scale_pixels(np.asarray(planes[start : start + batch_size], np.float32))
            parts.append(call(batch).numpy()[:, 0])
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    return predict


def predict_logits(model: Any, planes: np.ndarray) -> np.ndarray:
    """Logits float32 [N] of one call; `predictor` is for many."""
    return predictor(model)(planes)
