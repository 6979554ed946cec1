"""The network: a flat MobileNet V1 with one linear head whose class activation map is the heatmap.

Score and heatmap come from one place. The head is a linear map on the mean of the last feature map, so the logit is
also the mean of a 1x1 convolution of that map, and Grad-CAM of the logit is the ReLU of that convolution (Selvaraju
et al. 2017, section 3.1: for such heads Grad-CAM is CAM, Zhou et al. 2016).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ela.front_ends import parse_front_end
from train.common.errors import TrainError
from train.common.tf import load_tensorflow
from train.dropout import seeded_dropout
from train.head import HEAD, difference, two_logits
from train.recipe import Model
from train.weights import check_origin

LAST_FEATURES = "conv_pw_13_relu"
POOLED = "mean"
FIRST_CONVOLUTION = "conv1"


def scale_pixels(planes: Any) -> Any:
    """Map 0..255 to about -1..1 as (v - 128) / 127.5, on NumPy arrays and tensors alike.

    MobileNet's own scaling, v / 127.5 - 1, puts every pixel value halfway between two int8 steps, where runtimes round
    differently; half a grey level to the side there are no such ties.
    """
    return (planes - 128.0) / 127.5


def build_classifier(settings: Model, size: int, *, learning: bool = False) -> Any:
    """Build the trainable Keras model: float32 [N, size, size, C] scaled planes in, float32 [N, 1] logit of "fake" out.

    C is the front end's number of planes. With `learning` an output of softmax has a logit a class inside, which
    `with_one_logit` brings down to the one that all else knows. The backbone is laid flat in the model, for
    tensorflow-model-optimization refuses nested models. Raises TrainError when weights are missing, do not fit or
    cannot be downloaded.
    """
    tf = load_tensorflow()
    backbone = _load_backbone(tf, settings, size)
    for layer in backbone.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = settings.batch_norm_momentum
    pooled = tf.keras.layers.GlobalAveragePooling2D(name=POOLED)(backbone.get_layer(LAST_FEATURES).output)
    dropped = seeded_dropout(settings.dropout)(pooled)
    both = learning and settings.output == "softmax"
    head = two_logits() if both else tf.keras.layers.Dense(1, **_head_options(tf, settings), name=HEAD)
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


def _head_options(tf: Any, settings: Model) -> dict[str, Any]:
    """How the head begins and what bounds it; a bounded one begins within its bounds, as averages of it remember."""
    if settings.head == "free":
        return {}
    return {
        "kernel_constraint": tf.keras.constraints.NonNeg(),
        "kernel_initializer": tf.keras.initializers.RandomUniform(0.0, 0.05),
    }


def _load_backbone(tf: Any, settings: Model, size: int) -> Any:
    """MobileNet without its top, for as many planes as the front end has, with the weights that the recipe names."""
    channels = parse_front_end(settings.front_end).channels
    plain = partial(tf.keras.applications.MobileNet, alpha=settings.width, include_top=False, pooling=None)
    if settings.weights == "none":
        return plain(weights=None, input_shape=(size, size, channels))
    if settings.weights == "imagenet":
        try:
            # For sizes without weights of their own Keras takes those trained at 224.
            backbone = plain(weights="imagenet", input_shape=(size, size, 3))
        except Exception as error:
            # Keras's downloader raises bare Exception for every fault of the network.
            raise TrainError(
                f"The ImageNet weights could not be downloaded ({_first_line(error)}): connect to the network, or "
                "pass `--weights FILE.h5` with Keras's MobileNet weights (no top), or `--weights none`."
            ) from error
        return _inflated(plain, backbone, size, channels)
    path = Path(settings.weights)
    if not path.is_file():
        raise TrainError(f"{path}: no such weights file; pass an .h5 file, `imagenet` or `none` with --weights.")
    own = check_origin(path, settings) is not None
    backbone = plain(weights=None, input_shape=(size, size, channels if own else 3))
    try:
        if own:
            _load_named(backbone, path)
        else:
            backbone.load_weights(str(path))
    except Exception as error:
        # Whatever Keras and h5py raise on a damaged file.
        raise TrainError(
            f"{path}: these weights do not fit MobileNet V1 of width {settings.width:g} without its top "
            f"({_first_line(error)}); choose the file of that width, or `imagenet` or `none`."
        ) from error
    return _inflated(plain, backbone, size, channels)


def _load_named(backbone: Any, path: Path) -> None:
    """Take the backbone's layers out of a run's weights.h5, whose head is another matter; ValueError if one lacks."""
    import h5py

    with h5py.File(path, "r") as file:
        missing = {layer.name for layer in backbone.layers if layer.weights} - set(file)
    if missing:
        raise ValueError(f"layer {min(missing)} is not in it; quantised states cannot be begun with")
    backbone.load_weights(str(path), by_name=True)


def _inflated(plain: Callable[..., Any], backbone: Any, size: int, channels: int) -> Any:
    """Rebuild a backbone for more planes, with the same features; with as many as it has, it stays as it is.

    The first three planes keep the weights of the first convolution, the others begin at zero: the network starts as
    what it was, and learns what the further planes are worth.
    """
    if backbone.input_shape[-1] == channels:
        return backbone
    wider = plain(weights=None, input_shape=(size, size, channels))
    for old, new in zip(backbone.layers, wider.layers, strict=True):
        weights = old.get_weights()
        if new.name == FIRST_CONVOLUTION:
            (kernel,) = weights
            weights = [np.concatenate([kernel, np.zeros((*kernel.shape[:2], channels - 3, kernel.shape[3]))], axis=2)]
        new.set_weights(weights)
    return wider


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def choose_trainable(classifier: Any, train_from: str) -> None:
    """Freeze every layer before `train_from`: `head`, `all`, or a layer's name. Compile the model afterwards.

    Raises TrainError for a name that is no layer of the model.
    """
    names = [layer.name for layer in classifier.layers]
    first = {"head": HEAD, "all": names[0]}.get(train_from, train_from)
    if first not in names:
        raise TrainError(
            f"train_from = {train_from!r} names no layer: use `head`, `all`, or one such as conv_dw_6 or conv_pw_12."
        )
    start = names.index(first)
    for index, layer in enumerate(classifier.layers):
        layer.trainable = index >= start


def backbone_of(classifier: Any) -> Any:
    """The flat feature extractor inside the classifier, sharing its weights: planes in, last feature map out."""
    tf = load_tensorflow()
    return tf.keras.Model(classifier.input, classifier.get_layer(LAST_FEATURES).output, name="backbone")


def head_of(classifier: Any) -> tuple[np.ndarray, float]:
    """The linear head as float32 [channels] weights and a bias."""
    kernel, bias = classifier.get_layer(HEAD).get_weights()
    return kernel[:, 0].astype(np.float32), float(bias[0])


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
