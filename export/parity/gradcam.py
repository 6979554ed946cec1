"""Class activation maps by tf-keras-vis, an implementation that shares nothing with our closed form.

Three maps at the last feature map A, with channels k and places [h, w], and logit = w . mean(A) + b (`train.model`):

    Grad-CAM     relu(sum_k w_k A_k) / (h w)          the heatmap in the graph is this, divided by its maximum
    Grad-CAM++   sum_k relu(w_k) A_k / (h w)          what speaks for "real" is left out before the sum
    Score-CAM    relu(sum_k c_k A_k)                  c_k: how far showing only where A_k is large raises the logit

The first two are closed forms of this head and hold to rounding. Grad-CAM is the reference that parity is evaluated by;
the other two are second opinions. Where nothing speaks for "fake" a map is all zero; with Grad-CAM++ that means that
no channel of a positive weight responds anywhere, so in a picture of more than one colour it hardly happens.

All are of the logit and not of the probability, so that maps do not fade where the sigmoid saturates.
"""

import contextlib
import io
from typing import Any

import numpy as np

from train.common.tf import load_tensorflow
from train.model import scale_pixels

_CHANNELS_AT_ONCE = 256


def grad_cam(model: Any, planes: np.ndarray, layer: str) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017) of the logit of "fake" at a layer, neither enlarged nor normalised.

    planes: uint8 [N, S, S, C] front-end planes; returns float32 [N, h, w], zero or more.
    """
    from tf_keras_vis.gradcam import Gradcam

    return _of_each(Gradcam(model, clone=False), lambda output: output[:, 0], planes, layer)


def grad_cam_plus_plus(model: Any, planes: np.ndarray, layer: str) -> np.ndarray:
    """Grad-CAM++ (Chattopadhay et al. 2018) of the logit of "fake" at a layer, neither enlarged nor normalised.

    planes: uint8 [N, S, S, C]; returns float32 [N, h, w], zero or more. As the paper's own code does, tf-keras-vis lets
    the paper's alphas of a channel sum to one. The paper's factor exp(logit), which scales a whole map and overflows
    beyond 88, is taken as 1.
    """
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

    tf = load_tensorflow()

    def logit(output: Any) -> Any:
        # Zero in value, so that its exponential is 1, and the logit in its derivatives.
        return output[:, 0] - tf.stop_gradient(output[:, 0])

    return _of_each(GradcamPlusPlus(model, clone=False), logit, planes, layer)


def score_cam(model: Any, planes: np.ndarray, layer: str, blank: np.ndarray) -> np.ndarray:
    """Score-CAM (Wang et al. 2020) of the logit of "fake" at a layer, neither enlarged nor normalised.

    planes: uint8 [N, S, S, C]; blank: uint8 [S, S, C], the planes that show nothing, which masks fade to
    (export.explain.attributions.blank_planes); returns float32 [N, h, w], zero or more. The weight of a channel is the
    paper's "channel-wise increase of confidence" over the blank picture, with the logit for the score. The softmax
    over channels of its algorithm 1 is left out, as in the authors' code: it makes every weight positive, and the
    empty map impossible. One pass through the model for each channel and picture.
    """
    from tf_keras_vis.scorecam import Scorecam

    tf = load_tensorflow()
    offset = scale_pixels(blank.astype(np.float32))
    nothing = model(offset[np.newaxis], training=False)[:, 0]

    # tf-keras-vis fades to zero and takes a softmax of what the model gives, which for one logit is always 1. So the
    # model gets a zero elsewhere and a second class, whose log odds are the logit again.
    inner = tf.keras.Model(model.input, [model.get_layer(layer).output, model.output])
    image = tf.keras.Input(blank.shape)
    features, logit = inner(image + offset)
    explain = Scorecam(tf.keras.Model(image, tf.concat([tf.zeros_like(logit), logit], axis=1)), clone=False)

    def increase(odds: Any) -> Any:
        return tf.math.log(odds[:, 1]) - tf.math.log(odds[:, 0]) - nothing

    # A map is a sum over channels, so they can come in groups: all at once, copies of the picture fill gigabytes.
    channels = features.shape[-1]
    groups = [
        tf.keras.layers.Lambda(lambda values, start=start: values[..., start : start + _CHANNELS_AT_ONCE])
        for start in range(0, channels, _CHANNELS_AT_ONCE)
    ]
    for group in groups:
        group(features)
    maps = []
    # Keras draws a progress bar on standard output, where a JSON document may be wanted.
    with contextlib.redirect_stdout(io.StringIO()):
        for one in planes:
            shown = scale_pixels(one[np.newaxis].astype(np.float32)) - offset
            found = [
                explain(
                    increase,
                    shown,
                    penultimate_layer=group,
                    seek_penultimate_conv_layer=False,
                    activation_modifier=None,
                    expand_cam=False,
                    normalize_cam=False,
                )
                for group in groups
            ]
            maps.append(np.sum([np.asarray(part) for part in found], axis=0))
    return np.maximum(_stacked(maps), 0)


def _of_each(explain: Any, score: Any, planes: np.ndarray, layer: str) -> np.ndarray:
    maps = [
        explain(
            score,
            scale_pixels(planes[index : index + 1].astype(np.float32)),
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        for index in range(len(planes))
    ]
    return _stacked(maps)


def _stacked(maps: list[Any]) -> np.ndarray:
    return np.concatenate([np.asarray(one, np.float32).reshape(1, *np.shape(one)[-2:]) for one in maps])
