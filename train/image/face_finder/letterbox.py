"""The input tensor: a picture reduced into the middle of a black square.

For a picture of W x H pixels, L = max(W, H), and a network of side N, all in whole numbers (// rounds down):

- w = max(1, (2 * W * N + L) // (2 * L)), h = max(1, (2 * H * N + L) // (2 * L)): the longer side becomes N.
- The picture is resized to w x h as a view's `resize` is: Pillow's antialiased BILINEAR in 8-bit fixed point, all rows
  to w pixels first (rounded to 8 bits), then all columns to h.
- It is put at left = (N - w) // 2, top = (N - h) // 2; the rest is 0.
- tensor = float32(value) / float32(127.5) - float32(1): one division and one subtraction, each rounded to float32.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.image.to_pillow import picture_image


@dataclass(frozen=True)
class Letterbox:
    """Where a picture of `picture_width` x `picture_height` pixels lies in the square of `side`: all in pixels."""

    side: int
    picture_width: int
    picture_height: int

    @property
    def width(self) -> int:
        """Width of the reduced picture."""
        return self._reduced(self.picture_width)

    @property
    def height(self) -> int:
        """Height of the reduced picture."""
        return self._reduced(self.picture_height)

    @property
    def left(self) -> int:
        """Black columns before the reduced picture."""
        return (self.side - self.width) // 2

    @property
    def top(self) -> int:
        """Black rows above the reduced picture."""
        return (self.side - self.height) // 2

    def _reduced(self, length: int) -> int:
        longer = max(self.picture_width, self.picture_height)
        return max(1, (2 * length * self.side + longer) // (2 * longer))


def letterbox(pixels: np.ndarray, placement: Letterbox) -> np.ndarray:
    """Return the square, uint8 [side, side, 3], of an upright picture uint8 [H, W, 3]."""
    return letterbox_image(picture_image(pixels), placement)


def letterbox_image(image: Image.Image, placement: Letterbox) -> np.ndarray:
    """Return what `letterbox` does of the same pixels as a Pillow picture in RGB."""
    # In two calls, for the reason that apply_view gives: Pillow 13 takes the columns of a tall picture first.
    for size in ((placement.width, image.height), (placement.width, placement.height)):
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=None)
    if image.size == (placement.side, placement.side):
        return np.asarray(image)
    square = np.zeros((placement.side, placement.side, 3), np.uint8)
    top, left = placement.top, placement.left
    square[top : top + placement.height, left : left + placement.width] = np.asarray(image)
    return square


def to_tensor(square: np.ndarray) -> np.ndarray:
    """Return the tensor float32 [1, side, side, 3] in -1..1 of a square uint8 [side, side, 3]."""
    return (square.astype(np.float32) / np.float32(127.5) - np.float32(1))[np.newaxis]
