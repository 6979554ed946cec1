"""The face finder: its arithmetic against plain loops over fractions, other kernels, aligned portraits, wrong files."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.common.errors import DataError
from train.image.decode import decode
from train.image.face_finder import networks
from train.image.face_finder.decode import DecodedFace, anchor_centres, decode_faces
from train.image.face_finder.finder import find_in_pixels, find_with
from train.image.face_finder.letterbox import Letterbox, letterbox, to_tensor
from train.image.face_finder.networks import FULL_RANGE, NETWORKS, SHORT_RANGE, Network, checked_file, shipped_file
from train.image.view import turn_upright

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"


def anchors_by_loops(network: Network) -> list[tuple[int, int]]:
    found = []
    for cells, each in network.grids:
        for row in range(cells):
            for column in range(cells):
                middle = Fraction(network.side, cells)
                x, y = (column + Fraction(1, 2)) * middle, (row + Fraction(1, 2)) * middle
                assert x.denominator == y.denominator == 1
                found += [(int(x), int(y))] * each
    return found


def fixed(value: float, low: int, high: int) -> int:
    return math.floor(Fraction(min(max(value, low), high)) * 4096 + Fraction(1, 2))


def decode_by_loops(network: Network, regressors: np.ndarray, logits: np.ndarray) -> list[DecodedFace]:
    """What docs/face-finder.md says, number by number."""
    candidates = []
    for row, (x, y) in enumerate(anchors_by_loops(network)):
        values = [float(one) for one in (logits[row], *regressors[row])]
        if not all(map(math.isfinite, values)):
            continue
        logit = fixed(values[0], -1024, 16)
        numbers = [fixed(one, -1024, 1024) for one in values[1:]]
        if logit < network.least_logit or numbers[2] <= 0 or numbers[3] <= 0:
            continue
        moved = [n + 4096 * (0 if i in (2, 3) else (x, y)[i % 2]) for i, n in enumerate(numbers)]
        candidates.append((-logit, row, moved))
    candidates.sort()
    faces = []
    while candidates:
        first = candidates[0]
        together = [one for one in candidates if overlap(first[2], one[2]) > Fraction(3, 10)]
        candidates = [one for one in candidates if one not in together]
        weights = [1 - network.least_logit - score for score, _, _ in together]
        means = [
            Fraction(sum(w * one[2][i] for w, one in zip(weights, together, strict=True)), sum(weights)) / 128
            for i in range(16)
        ]
        rounded = tuple(math.floor(mean + Fraction(1, 2)) for mean in means)
        faces.append(DecodedFace(rounded, math.floor(Fraction(-first[0], 128) + Fraction(1, 2))))
    return faces


def overlap(one: list[int], other: list[int]) -> Fraction:
    """Intersection over union."""
    shared = 1
    for axis in (0, 1):
        low = max(2 * box[axis] - box[axis + 2] for box in (one, other))
        high = min(2 * box[axis] + box[axis + 2] for box in (one, other))
        shared *= max(0, high - low)
    areas = [4 * box[2] * box[3] for box in (one, other)]
    return Fraction(shared, sum(areas) - shared)


def random_outputs(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Some faces of many anchors each, and rows of every odd kind."""
    rng = np.random.default_rng(seed)
    centres = anchor_centres(network)
    regressors = rng.normal(0, 20, (network.anchors, 16)).astype(np.float32)
    logits = rng.normal(-9, 3, network.anchors).astype(np.float32)
    for _ in range(3):
        middle, side = rng.uniform(0, network.side, 2), rng.uniform(9, network.side)
        near = np.flatnonzero(np.abs(centres - middle).max(axis=1) < 12)
        logits[near] = rng.normal(1, 1, len(near))
        regressors[near, :2] = middle - centres[near] + rng.normal(0, 0.1 * side, (len(near), 2))
        regressors[near, 2:4] = side * rng.uniform(0.7, 1.4, (len(near), 2))
    odd = rng.choice(network.anchors, 8, replace=False)
    logits[odd] = (np.nan, np.inf, 40, 2, 2, 1, 0, -1e-9)
    regressors[odd[3], 5], regressors[odd[4], 7] = np.nan, -np.inf
    regressors[odd[5], :4] = (1e9, -1e9, 1e9, 5000)
    return regressors, logits


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
@pytest.mark.parametrize("seed", range(6))
def test_decoding_is_what_the_text_says(network: Network, seed: int) -> None:
    regressors, logits = random_outputs(network, seed)
    faces = decode_faces(network, regressors, logits)
    assert list(faces) == decode_by_loops(network, regressors, logits)
    assert len(faces) >= 3


def test_nothing_found_is_no_face() -> None:
    for network in NETWORKS:
        outputs = np.zeros((network.anchors, 16), np.float32), np.full(network.anchors, -50, np.float32)
        assert decode_faces(network, *outputs) == ()


@pytest.mark.parametrize("size", [(256, 256), (100, 301), (301, 100), (1, 1), (1, 900), (900, 1), (127, 128)])
def test_the_letterbox_keeps_proportions_and_centres(size: tuple[int, int]) -> None:
    width, height = size
    for side in (128, 192):
        place = Letterbox(side, width, height)
        square = letterbox(np.full((height, width, 3), 255, np.uint8), place)
        rows, columns = np.flatnonzero(square.any((1, 2))), np.flatnonzero(square.any((0, 2)))
        assert max(len(rows), len(columns)) == side
        assert len(columns) == max(1, math.floor(Fraction(width * side, max(size)) + Fraction(1, 2)))
        assert len(rows) == max(1, math.floor(Fraction(height * side, max(size)) + Fraction(1, 2)))
        for inside in (rows, columns):
            assert 0 <= (side - 1 - inside[-1]) - inside[0] <= 1
        tensor = to_tensor(square)
        assert tensor.shape == (1, side, side, 3)
        assert tensor.dtype == np.float32
        assert {*np.unique(tensor)} <= {np.float32(-1), np.float32(1)}


def golden_pixels() -> list[np.ndarray]:
    paths = [*sorted((GOLDEN / "pictures").glob("*.jpg")), *(GOLDEN / "face_finder").glob("*.png")]
    pictures = map(decode, paths)
    return [turn_upright(picture.pixels, picture.orientation) for picture in pictures]


def test_other_kernels_find_the_same_faces() -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    class BuiltIn:
        """TFLite's reference kernels, whose sums differ in the last bits from XNNPACK's."""

        def __init__(self, network: Network) -> None:
            kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            self._inside = Interpreter(
                model_content=shipped_file(network), num_threads=1, experimental_op_resolver_type=kernels
            )
            self._inside.allocate_tensors()
            self._input = self._inside.get_input_details()[0]["index"]
            details = {int(one["shape"][-1]): one["index"] for one in self._inside.get_output_details()}
            self._regressors, self._logits = details[16], details[1]

        def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            self._inside.set_tensor(self._input, tensor)
            self._inside.invoke()
            return self._inside.get_tensor(self._regressors)[0], self._inside.get_tensor(self._logits)[0, :, 0]

    other = {network: BuiltIn(network) for network in NETWORKS}
    differing = 0
    for pixels in golden_pixels():
        tensor = to_tensor(letterbox(pixels, Letterbox(128, pixels.shape[1], pixels.shape[0])))
        ours, theirs = networks.open_network(SHORT_RANGE).run(tensor), other[SHORT_RANGE].run(tensor)
        differing += not np.array_equal(ours[1], theirs[1])
        assert find_in_pixels(pixels) == find_with(pixels, other.__getitem__)
    # Or the test would say nothing.
    assert differing


def test_threads_do_not_disturb_each_other() -> None:
    pictures = golden_pixels() * 4
    alone = [find_in_pixels(pixels) for pixels in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(find_in_pixels, pictures)) == alone


def test_short_range_alone_answers_where_it_is_sure() -> None:
    asked: list[str] = []

    def opened(network: Network) -> networks.Interpreter:
        asked.append(network.name)
        return networks.open_network(network)

    face, group = decode(GOLDEN / "pictures" / "420.jpg"), decode(GOLDEN / "face_finder" / "group.png")
    assert len(find_with(face.pixels, opened)) == 1
    assert asked == ["short_range"]
    assert len(find_with(group.pixels, opened)) >= 2
    assert asked[1:] == ["short_range", "full_range"]
    assert find_with(np.full((90, 120, 3), 128, np.uint8), opened) == ()


def test_eyes_follow_the_picture_s_scale_and_place() -> None:
    pixels = decode(GOLDEN / "pictures" / "444.jpg").pixels
    (one,) = find_in_pixels(pixels)
    (double,) = find_in_pixels(np.asarray(Image.fromarray(pixels).resize((256, 256), Image.Resampling.BICUBIC)))
    assert (double.eyes.x / 2, double.eyes.y / 2, double.eyes.distance / 2) == pytest.approx(
        (one.eyes.x, one.eyes.y, one.eyes.distance), abs=1.5
    )
    wide = np.full((128, 384, 3), 200, np.uint8)
    wide[:, 230:358] = pixels
    (moved,) = find_in_pixels(wide)
    assert (moved.eyes.x - 230, moved.eyes.y) == pytest.approx((one.eyes.x, one.eyes.y), abs=4)


def test_aligned_eyes_are_found_where_the_alignment_puts_them(shared_faces: Path) -> None:
    paths = [
        path for name in ("ffhq-256", "stylegan-256") for path in sorted((shared_faces / name).rglob("*.jpg"))[:20]
    ]
    eyes = [find_in_pixels(decode(path).pixels)[0].eyes for path in paths]
    x, y, distance = np.median([(one.x, one.y, one.distance) for one in eyes], axis=0)
    assert (x, y, distance) == (pytest.approx(128, abs=3), pytest.approx(121, abs=4), pytest.approx(64, abs=5))


def test_a_file_with_another_hash_is_refused() -> None:
    data = bytearray(shipped_file(FULL_RANGE))
    data[1000] ^= 1
    with pytest.raises(DataError, match=r"^bundle\.zip: full_range is not the face finder's file: its SHA-256 is "):
        checked_file(FULL_RANGE, bytes(data), "bundle.zip: full_range")


def test_a_finder_without_its_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "path", property(lambda self: tmp_path / f"{self.name}.tflite"))
    with pytest.raises(DataError) as told:
        shipped_file(SHORT_RANGE)
    assert str(told.value) == (
        f"{tmp_path / 'short_range.tflite'} cannot be read (No such file or directory): reinstall Fauxlens."
    )


def test_finding_needs_neither_tensorflow_nor_polars() -> None:
    code = (
        "import sys, numpy as np; from train.image.face_finder.finder import find_in_pixels\n"
        "find_in_pixels(np.zeros((40, 40, 3), np.uint8))\n"
        "print(sorted({'tensorflow', 'polars', 'cv2', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("[]\n", "")
