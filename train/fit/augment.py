"""Augmentations of training pictures: what a photo meets on its way through phones, chats and web sites."""

import cv2
import numpy as np

from train.recipe import Augment

# One picture at a time a thread: our own thread pool already keeps the cores busy.
cv2.setNumThreads(1)


def augment(picture: np.ndarray, settings: Augment, random: np.random.Generator) -> np.ndarray:
    """Augment one view: uint8 [S, S, 3] RGB in, the same shape and type out; all chance comes from `random`.

    The order is that of life: the frame is cut, mirrored, resized by a site, softened, and compressed last.
    """
    size = picture.shape[0]
    if settings.crop < 1:
        picture = _crop(picture, random.uniform(settings.crop, 1.0), random)
    if random.random() < settings.flip:
        picture = picture[:, ::-1]
    if random.random() < settings.rescale:
        small = max(8, round(size * random.uniform(settings.rescale_to, 1.0)))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    if random.random() < settings.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.2, settings.blur_sigma))
    if random.random() < settings.jpeg:
        low, high = sorted(settings.jpeg_quality)
        picture = _compress(picture, int(random.integers(low, high + 1)))
    if random.random() < settings.erase:
        picture = _erase(picture, random)
    return np.ascontiguousarray(picture)


def _crop(picture: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    size = picture.shape[0]
    side = max(8, round(size * share))
    top, left = random.integers(0, size - side + 1, 2)
    cut = picture[top : top + side, left : left + side]
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_LINEAR)


def _erase(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    size = picture.shape[0]
    area, shape = random.uniform(0.02, 0.2), np.exp(random.uniform(np.log(0.3), np.log(3.3)))
    height, width = (min(size, max(1, round(size * float(np.sqrt(area * one))))) for one in (shape, 1 / shape))
    top, left = random.integers(0, size - height + 1), random.integers(0, size - width + 1)
    picture = picture.copy()
    picture[top : top + height, left : left + width] = random.integers(0, 256, (height, width, 3), np.uint8)
    return picture


def _compress(picture: np.ndarray, quality: int) -> np.ndarray:
    # OpenCV's codecs speak BGR.
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1]
