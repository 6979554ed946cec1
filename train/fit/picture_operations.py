"""What is done to pixels by augmentation at the view's size and by processing at the file's own size.

uint8 [H, W, 3] RGB in and out. Where there is chance it comes from the `random` that is given, and from nothing else.
"""

import cv2
import numpy as np
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, as in JPEG."""
_KERNELS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
"""Pillow's, which reduce without aliasing; OpenCV's below do not."""
_PLAIN_KERNELS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)

# One picture at a time a thread: our own thread pool already keeps the cores busy.
cv2.setNumThreads(1)


def resize_by_random_kernel(picture: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    """Resize to a square of `side` pixels by one of eight kernels."""
    kernel = int(random.integers(len(_KERNELS) + len(_PLAIN_KERNELS)))
    if kernel < len(_KERNELS):
        return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), _KERNELS[kernel]))
    return cv2.resize(picture, (side, side), interpolation=_PLAIN_KERNELS[kernel - len(_KERNELS)])


def sharpen(picture: np.ndarray, amount: float, sigma: float) -> np.ndarray:
    """Unsharp mask: add `amount` times what a Gaussian of `sigma` pixels takes away."""
    picture = np.ascontiguousarray(picture)
    return cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), sigma), -amount, 0)


def saturate(picture: np.ndarray, factor: float) -> np.ndarray:
    """Move colours towards grey (factor below 1) or away from it, as one 3 x 3 matrix."""
    matrix = factor * np.eye(3) + (1 - factor) * np.tile(LUMA, (3, 1))
    return cv2.transform(picture, matrix)


def map_levels(picture: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Replace every grey level by a table [256, 3], one column a channel, of new ones; clipped and cut to uint8."""
    return cv2.LUT(np.ascontiguousarray(picture), np.clip(levels, 0, 255).astype(np.uint8)[None])


def add_noise(picture: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise of `sigma` grey levels, half of the time the same in all channels.

    Sensor noise is in every channel, what is left of it after a camera's processing mostly in luma.
    """
    channels = 3 if random.random() < 0.5 else 1
    noise = random.standard_normal((*picture.shape[:2], channels), np.float32) * np.float32(sigma)
    return np.clip(picture + noise + 0.5, 0, 255).astype(np.uint8)


def save_as_jpeg(picture: np.ndarray, quality: int, *options: int) -> np.ndarray:
    """Encode as JPEG and decode again; `options` are further ones of cv2.imwrite."""
    # OpenCV's codecs speak BGR.
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *options])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1]
