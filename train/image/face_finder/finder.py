"""All faces of one picture: short range first, full range where it finds none or is not sure.

Of each network's faces (decode.py) those with a logit of at least 13/32 count (a score of 0.6). Short range's are the
answer if the surest has a logit of at least 1; else full range looks too, and the answer are the faces of the network
with the surer surest face (short range's where they are equal), none where neither has any.

The faces' numbers, in 1/32 pixel of the input square, become pixels of the upright picture in double precision:

    x = ((X - 32 * left) * W) / (32 * w),   y = ((Y - 32 * top) * H) / (32 * h)

(names as in letterbox.py): a whole number, one rounded division. A box has the corners X = (2 * centre +- width) / 2,
as ((2 * centre +- width - 64 * left) * W) / (64 * w). Eyes for a view (`Eyes`) are the first two points' midpoint
((x1 + x2) / 2, (y1 + y2) / 2) and distance sqrt((x1 - x2)^2 + (y1 - y2)^2), but at least 0.3 * the
longer side of the box (train.image.face says why), then floor(100 * v + 0.5) / 100 of each.

Faces whose eyes no view could use are dropped (midpoint outside the picture, rounded distance 0). The others are
ordered by the longer side of the box, the largest first, then by left, top, right, bottom; a face whose box's middle
lies in the box of one before it (borders included) is a second box on one face, and dropped.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from train.image.face import Face, FaceDetector, usable_faces
from train.image.face_finder.decode import UNITS, DecodedFace, decode_faces
from train.image.face_finder.letterbox import Letterbox, letterbox_image, to_tensor
from train.image.face_finder.networks import NETWORKS, Network, open_network
from train.image.to_pillow import picture_image

NAME = "blazeface"
# Goes up when the same picture may give other faces, so that none that were found earlier are taken for these.
ARITHMETIC = 1
# Logits in 1/32. Below LIKELY coloured blobs without a face pass often (30 % at 0, 5 % at LIKELY), and second boxes are
# hands, patterns or pieces of the same face. Where the surest is below SURE, full range is often right about a small
# face (looked at on 9,653 portraits; docs/results/face-finder.md).
LIKELY, SURE = 13, UNITS


class RunsNetwork(Protocol):
    """Runs one network: float32 [1, side, side, 3] in, regressors [anchors, 16] and logits [anchors] float32 out."""

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def blazeface_detector() -> FaceDetector:
    """Return the finder for `data faces`: named by its files' hashes and the version of the arithmetic here."""
    hashes = " ".join(network.sha256[:12] for network in NETWORKS)
    return FaceDetector(f"{NAME} {hashes}, arithmetic {ARITHMETIC}", find_in_pixels)


def find_in_pixels(pixels: np.ndarray) -> tuple[Face, ...]:
    """Return the faces of an upright picture uint8 [H, W, 3], the largest first, in its pixels.

    Raises DataError when a network's file is not the one that this package carries.
    """
    return find_with(pixels, open_network)


def find_with(pixels: np.ndarray, open_one: Callable[[Network], RunsNetwork]) -> tuple[Face, ...]:
    """Return what `find_in_pixels` does, by networks that `open_one` opens when they are needed."""
    height, width = pixels.shape[:2]
    best: tuple[DecodedFace, ...] = ()
    placement = Letterbox(0, width, height)
    # Once for both looks: of a large picture this takes as long as a network.
    image = picture_image(pixels)
    for network in NETWORKS:
        here = Letterbox(network.side, width, height)
        outputs = open_one(network).run(to_tensor(letterbox_image(image, here)))
        found = tuple(face for face in decode_faces(network, *outputs) if face.logit >= LIKELY)
        if found and (not best or found[0].logit > best[0].logit):
            best, placement = found, here
        if best and best[0].logit >= SURE:
            break
    return usable_faces([place(face, placement) for face in best], width, height)


def place(face: DecodedFace, placement: Letterbox) -> Face:
    """Return a face of the input square in pixels of the picture."""

    def x(doubled: int) -> float:
        shifted = doubled - 2 * UNITS * placement.left
        return (shifted * placement.picture_width) / (2 * UNITS * placement.width)

    def y(doubled: int) -> float:
        shifted = doubled - 2 * UNITS * placement.top
        return (shifted * placement.picture_height) / (2 * UNITS * placement.height)

    centre_x, centre_y, width, height, *points = face.numbers
    right, left = [(x(2 * points[i]), y(2 * points[i + 1])) for i in (0, 2)]
    box = x(2 * centre_x - width), y(2 * centre_y - height), x(2 * centre_x + width), y(2 * centre_y + height)
    # `Face` calls left what is on the left of the picture: the person's right.
    return Face(box, left_eye=right, right_eye=left, logit=face.logit / UNITS)
