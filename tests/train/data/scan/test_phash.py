"""perceptual_hash: what imagehash.phash is, however the file was stored, saved again or turned."""

import io
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from train.data.groups import MAX_DISTANCE, near_pairs
from train.data.scan.phash import SIDE, perceptual_hash
from train.image.decode import sketch_bytes

Draw = Callable[..., Image.Image]
SHARED = Path(__file__).parents[5] / "shared" / "faces"
# The orientation that turns upright what `transpose` has turned away (EXIF 2.32, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def hash_of(data: bytes) -> int:
    sketch = sketch_bytes(data, "x", SIDE)
    return int(perceptual_hash(sketch.luma, sketch.box, sketch.orientation), 16)


def plain(image: Image.Image) -> int:
    return int(perceptual_hash(image.convert("L"), (0, 0, *image.size), 1), 16)


def reference(image: Image.Image) -> int:
    return int(str(imagehash.phash(image)), 16)


def apart(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def turned(image: Image.Image, orientation: int) -> bytes:
    """A PNG whose pixels lie as `orientation` says, so that a reader turns them back."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(image.transpose(TURNS[orientation]), "PNG", exif=exif)
    assert ImageOps.exif_transpose(Image.open(io.BytesIO(data))).tobytes() == image.tobytes()
    return data


@pytest.mark.parametrize("smooth", [True, False])
def test_of_32_x_32_pixels_it_is_imagehash(smooth: bool) -> None:
    rng = np.random.default_rng(0)
    distances = []
    for _ in range(500):
        small = Image.fromarray(rng.integers(0, 256, (6, 6) if smooth else (SIDE, SIDE)).astype(np.uint8))
        image = small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        distances.append(apart(plain(image), reference(image)))
    # Two coefficients that are all but equal may stand on either side of the median.
    assert max(distances) <= 2
    assert distances.count(0) >= 498


@pytest.mark.parametrize("size", [(40, 40), (96, 96), (250, 333), (1024, 700), (20, 31)])
def test_of_other_sizes_it_is_close_to_imagehash(draw: Draw, size: tuple[int, int]) -> None:
    for seed in range(10):
        image = draw(seed, *size)
        assert apart(plain(image), reference(image)) <= MAX_DISTANCE
        assert apart(hash_of(saved(image, "JPEG", quality=95)), reference(image)) <= MAX_DISTANCE


@pytest.mark.parametrize("grey", [0, 1, 128, 255])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_flat_pictures_have_no_noise_in_their_hash(grey: int, file_format: str) -> None:
    found = hash_of(saved(Image.new("RGB", (100, 70), (grey, grey, grey)), file_format))
    assert found in (0, 1 << 63)
    assert near_pairs([f"{found:016x}"] * 2).tolist() == []


@pytest.mark.parametrize("orientation", TURNS)
def test_a_turned_copy_has_the_hash_of_the_upright_one(draw: Draw, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for seed, size in enumerate([(64, 64), (96, 160), (131, 77), (640, 480)]):
        image = draw(seed, *size)
        upright = hash_of(saved(image, "PNG"))
        # A rounded pixel among 32 x 32 may be all that differs.
        assert apart(hash_of(turned(image, orientation)), upright) <= 2
        jpeg = saved(image.transpose(TURNS[orientation]), "JPEG", quality=90, exif=exif)
        assert apart(hash_of(jpeg), upright) <= MAX_DISTANCE


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_copies_in_other_formats_are_near(draw: Draw, file_format: str) -> None:
    for seed in range(10):
        image = draw(seed, 150 + 37 * seed, 200)
        assert apart(hash_of(saved(image, file_format)), plain(image)) <= MAX_DISTANCE


def test_saved_again_real_pictures_are_near_as_often_as_for_imagehash() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared faces are not on this machine")
    files = sorted(SHARED.rglob("*.jpg"))[::80]
    ours, theirs = [], []
    for file in files:
        data = file.read_bytes()
        image = Image.open(io.BytesIO(data)).convert("RGB")
        half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
        copies = [saved(image, "JPEG", quality=quality) for quality in (50, 75, 95)]
        copies += [saved(image, "PNG", compress_level=1), saved(half, "JPEG", quality=90), turned(image, 6)]
        assert apart(hash_of(data), reference(image)) <= MAX_DISTANCE
        for copy in copies:
            upright = ImageOps.exif_transpose(Image.open(io.BytesIO(copy)))
            ours.append(apart(hash_of(copy), hash_of(data)) <= MAX_DISTANCE)
            theirs.append(apart(reference(upright), reference(image)) <= MAX_DISTANCE)
    assert len(ours) > 400
    assert sum(ours) >= sum(theirs)
