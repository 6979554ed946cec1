"""Golden faces: letterboxed squares, computed network outputs with the faces in them, and faces of drawn pictures.

They go to `face_finder/` as letterbox.json, outputs.json and pictures.json; docs/face-finder.md says what is computed.
Pictures are those of `pictures/` and `face_finder/*.png`, upright. In outputs.json a network's rows that are not listed
have the logit -100 and regressors 0; a listed one is [row, logit, regressors], numbers to be rounded to float32.
"""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from train.common.atomic import write_atomically
from train.data.sample.imaging import camera, diffusion_like, gan_like
from train.data.sample.make import draw_sample_picture
from train.image.decode import decode
from train.image.face import Face
from train.image.face_finder.decode import anchor_centres, decode_faces
from train.image.face_finder.finder import find_in_pixels, find_with
from train.image.face_finder.letterbox import Letterbox, letterbox, to_tensor
from train.image.face_finder.networks import NETWORKS, Network
from train.image.view import turn_upright

from .pixels import KINDS, pixels

SIZES = (
    (256, 256), (100, 300), (300, 100), (1, 1), (1, 500), (500, 1), (128, 128), (192, 192), (129, 127), (127, 129),
    (1333, 1000), (600, 1001), (17, 23), (64, 128), (383, 384), (2000, 3),
)  # fmt: skip
OUTPUT_CASES = 24


def draw_group(path: Path) -> None:
    """Draw three small portraits in one wide picture, which short range alone does not find surely."""
    group = Image.new("RGB", (640, 360), (70, 110, 90))
    for number, model in enumerate((camera, gan_like, diffusion_like)):
        face = Image.fromarray(draw_sample_picture(model, index=number, size=128, seed=6))
        side = (56, 72, 90)[number]
        group.paste(face.resize((side, side), Image.Resampling.BICUBIC), (90 + 190 * number, 60 + 70 * number))
    write_atomically(path, lambda temporary: group.save(temporary, "PNG", optimize=True))


def letterbox_cases() -> list[dict[str, Any]]:
    """Squares and tensors of computed pixels."""
    cases = []
    for number, (width, height) in enumerate(SIZES):
        for network in NETWORKS:
            kind = KINDS[number % 3]
            place = Letterbox(network.side, width, height)
            square = letterbox(pixels(kind, number, width, height), place)
            case = {"kind": kind, "seed": number, "width": width, "height": height, "side": network.side}
            placed = {"left": place.left, "top": place.top, "w": place.width, "h": place.height}
            cases.append(case | placed | {"square_sha256": _sha256(square), "tensor_sha256": _tensor_sha256(square)})
    return cases


def output_cases() -> list[dict[str, Any]]:
    """Network outputs that are computed here, decoded, and the faces that a picture of this size then has."""
    rng = random.Random(13)
    cases = []
    for number in range(OUTPUT_CASES):
        width, height = rng.choice(((256, 256), (640, 480), (300, 1001), (4000, 3000), (97, 61)))
        outputs = {network: _outputs(network, rng, number) for network in NETWORKS}
        faces = find_with(np.zeros((height, width, 3), np.uint8), outputs.__getitem__)
        cases.append(
            {
                "width": width,
                "height": height,
                "outputs": {network.name: outputs[network].listed for network in NETWORKS},
                "decoded": {
                    network.name: [
                        {"numbers": face.numbers, "logit": face.logit}
                        for face in decode_faces(network, *outputs[network].run(np.zeros(0)))
                    ]
                    for network in NETWORKS
                },
                "faces": [_face(face) for face in faces],
            }
        )
    return cases


def picture_cases(folder: Path) -> list[dict[str, Any]]:
    """Faces in drawn pictures, and the tensors of both networks; `folder` is that of the golden files."""
    cases = []
    for path in [*sorted((folder / "pictures").iterdir()), *sorted((folder / "face_finder").glob("*.png"))]:
        picture = decode(path)
        upright = turn_upright(picture.pixels, picture.orientation)
        height, width = upright.shape[:2]
        tensors = {
            f"{network.name}_tensor_sha256": _tensor_sha256(letterbox(upright, Letterbox(network.side, width, height)))
            for network in NETWORKS
        }
        faces = [_face(face) for face in find_in_pixels(upright)]
        file = path.relative_to(folder).as_posix()
        cases.append({"file": file, "width": width, "height": height, "faces": faces} | tensors)
    return cases


@dataclass(frozen=True)
class _Outputs:
    """A network that gives these rows whatever it is shown."""

    network: Network
    listed: list[list[Any]]

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        regressors = np.zeros((self.network.anchors, 16), np.float32)
        logits = np.full(self.network.anchors, -100, np.float32)
        for row, logit, numbers in self.listed:
            logits[row], regressors[row] = logit, numbers
        return regressors, logits


def _outputs(network: Network, rng: random.Random, number: int) -> _Outputs:
    """Up to four faces, some overlapping, each seen by the anchors about its middle; and odd rows."""
    listed: dict[int, list[Any]] = {}
    centres = anchor_centres(network)
    for _ in range(rng.randint(0, 4)):
        middle, side = [rng.uniform(0.2, 0.8) * network.side for _ in range(2)], rng.uniform(8, 0.6 * network.side)
        sure = rng.uniform(-0.5, 3.5)
        near = np.flatnonzero(np.abs(centres - middle).max(axis=1) < min(side / 4, 14))
        for row in rng.sample(near.tolist(), min(12, len(near))):
            points = [(0, 0), (1, 1), (-0.2, -0.15), (0.2, -0.15), (0, 0.1), (0, 0.25), (-0.45, -0.1), (0.45, -0.1)]
            exact = [
                c * side if i == 1 else middle[axis] + c * side - centres[row][axis]
                for i, point in enumerate(points)
                for axis, c in enumerate(point)
            ]
            noisy = [round(float(value) + rng.gauss(0, 0.02 * side), 4) for value in exact]
            listed[row] = [row, round(sure + rng.gauss(0, 0.7), 5), noisy]
    odd = {
        0: (30.0, 5000.0), 1: (0.0, 10.0), 2: (-1 / 8192, 10.0), 3: (-1 / 8191, 10.0), 4: (0.40625, -3.0),
        5: (1661 / 4096, 12.0), 6: (1660.4 / 4096, 12.0), 7: (16.5, 1e-5),
    }  # fmt: skip
    if number in odd:
        logit, value = odd[number]
        listed[3] = [3, logit, [value] * 16]
    if number == 8:
        listed |= {row: [row, 2.5, [float(row), 0.0, 30.0, 30.0, *[float(i) for i in range(12)]]] for row in range(6)}
    return _Outputs(network, [listed[row] for row in sorted(listed)])


def _face(face: Face) -> dict[str, Any]:
    eyes = face.eyes
    return {
        "box": face.box,
        "left_eye": face.left_eye,
        "right_eye": face.right_eye,
        "eyes": [eyes.x, eyes.y, eyes.distance],
        "logit": face.logit,
    }


def _tensor_sha256(square: np.ndarray) -> str:
    return _sha256(to_tensor(square).astype("<f4"))


def _sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
