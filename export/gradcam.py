"""Grad-CAM references by tf-keras-vis, an implementation that shares nothing with our closed form."""

from typing import Any

import numpy as np

from train.model import scale_pixels


def grad_cam(model: Any, planes: np.ndarray, layer: str) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017) of the logit of "fake" at a layer, neither enlarged nor normalised.

    planes: uint8 [N, S, S, C] front-end planes; returns float32 [N, h, w], zero or more. The logit and not the
    probability is explained, so that the map does not fade where the sigmoid saturates.
    """
    from tf_keras_vis.gradcam import Gradcam

    explain = Gradcam(model, clone=False)
    maps = [
        explain(
            lambda output: output[:, 0],
            scale_pixels(planes[index : index + 1].astype(np.float32)),
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        for index in range(len(planes))
    ]
    return np.concatenate([np.asarray(one, np.float32).reshape(1, *np.shape(one)[-2:]) for one in maps])
