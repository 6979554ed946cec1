"""MTCNN (Zhang et al. 2016, arXiv:1604.02878) as a face detector, by the package `mtcnn`, which carries its weights."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from PIL import Image

from train.common.errors import TrainError
from train.common.extras import missing_sentence
from train.common.tf import load_tensorflow
from train.image.face import Face, FaceDetector

# Below this the package makes no level of its pyramid (faces of 20 pixels become windows of 12) and fails.
SMALLEST_SIDE = 21
# Faces are looked for in a copy whose longer side is at most this: the smallest face, 20 pixels, is then 4 % of it. In
# a portrait nobody is meant who is smaller, and time grows with the area.
LONGER_SIDE = 512
# Input shapes of the three networks.
_SHAPES = ((None, None, None, 3), (None, 24, 24, 3), (None, 48, 48, 3))
# Columns of the package's table: x1, y1, x2, y2 of the box, x and y of the left eye, x and y of the right one.
_BOX, _LEFT_EYE, _RIGHT_EYE = (1, 2, 3, 4), (6, 11), (7, 12)
# Between two levels of the pyramid (each 0.709 of the one before) a face may slip through, so where no face is at least
# _LARGE of the longer side, smaller copies are looked at too. Of 5,733 portraits 31 had no face at first and 9 in the
# end (4 of those show one all the same), and of 5 with a false little box in a large wrinkled face 3 were corrected.
_SCALES = (1.0, 0.85, 0.75, 0.6)
_LARGE = 0.15


def mtcnn_detector() -> FaceDetector:
    """Return the detector; TensorFlow and the networks are loaded when the first picture comes.

    Finds upright faces with boxes from 20 pixels to 0.7 of the picture's shorter side at least (to 0.86 at 256 and 512
    pixels: where the pyramid ends), with the package's own threshold (confidence 0.8); none in a picture with a side
    below SMALLEST_SIDE. Raises TrainError when the package is not installed.
    """
    try:
        number = version("mtcnn")
    except PackageNotFoundError:
        raise TrainError(missing_sentence("mtcnn")) from None
    scales = " ".join(map(str, _SCALES))
    name = f"mtcnn {number}, looks {scales} below {_LARGE}, longer side {LONGER_SIDE}"
    # TensorFlow uses all cores by itself.
    return FaceDetector(name, _detect, most_processes=1)


def _detect(pixels: np.ndarray) -> list[Face]:
    # Pictures go one by one: in a batch the package's sorting breaks ties between saturated confidences otherwise (on
    # shared portraits 3 of 64 eyes moved, by up to 4 pixels), and pictures of unequal size get each other's padding.
    height, width = pixels.shape[:2]
    scale = LONGER_SIDE / max(height, width)
    if scale >= 1:
        return _detect_copies(np.ascontiguousarray(pixels))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    copy = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR))
    return [face.scaled(width / size[0], height / size[1]) for face in _detect_copies(copy)]


def _detect_copies(pixels: np.ndarray) -> list[Face]:
    height, width = pixels.shape[:2]
    first: list[Face] = []
    for scale in _SCALES:
        size = round(width * scale), round(height * scale)
        if min(size) < SMALLEST_SIDE:
            break
        copy = pixels if scale == 1 else np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
        # As a table, because the package rounds its JSON to whole pixels; unclipped, because a face may be cut.
        table = _networks().detect_faces([copy], output_type="numpy", box_format="xyxy", fit_to_image=False)
        faces = [_face(row).scaled(width / size[0], height / size[1]) for row in table]
        if max((face.side for face in faces), default=0.0) >= _LARGE * max(width, height):
            return faces
        first = first or faces
    return first


def _face(row: np.ndarray) -> Face:
    # The package counts from the middle of the first pixel, Face from its corner: seen on mirrored portraits, where
    # left and right then add up to the width within 0.05 pixels (median of 600).
    left, top, right, bottom, x1, y1, x2, y2 = (float(row[i]) + 0.5 for i in (*_BOX, *_LEFT_EYE, *_RIGHT_EYE))
    return Face((left, top, right, bottom), (x1, y1), (x2, y2))


@cache
def _networks() -> Any:
    tf = load_tensorflow()
    from mtcnn import MTCNN

    found = MTCNN(device="CPU:0")
    # Compiled once for all sizes: twice as fast as layer by layer on pictures of 256 pixels, and equal bit for bit.
    for stage, shape in zip(found.stages, _SHAPES, strict=True):
        stage._model = tf.function(stage.model, input_signature=[tf.TensorSpec(shape, tf.float32)])
    return found
