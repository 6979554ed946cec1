"""sketch_bytes: a coarse look that accepts and refuses what a full decoding does."""

import io
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.image.decode import decode_bytes, sketch_bytes

SIDE = 8
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _encodings() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (5, 4, 3)).astype(np.uint8)).resize((75, 90))
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "plain": _saved(image, "JPEG", exif=exif),
        "full colour": _saved(image, "JPEG", subsampling=0),
        "half colour": _saved(image, "JPEG", subsampling=1),
        "restarts": _saved(image, "JPEG", restart_marker_blocks=3),
        "progressive": _saved(image, "JPEG", progressive=True),
        "grey": _saved(image.convert("L"), "JPEG"),
        "cmyk": _saved(image.convert("CMYK"), "JPEG"),
        "mpo": _saved(image, "MPO", save_all=True, append_images=[image.rotate(90)]),
        "png": _saved(image, "PNG", exif=exif),
        "webp": _saved(image, "WEBP", exif=exif),
        "tiff": _saved(image, "TIFF", exif=exif),
        "gif": _saved(image, "GIF"),
    }


ENCODINGS = _encodings()
JPEGS = [name for name in ENCODINGS if name not in ("png", "webp", "tiff", "gif")]


def agree(data: bytes) -> bool:
    """Check that both say the same of a file, and return whether they accept it."""
    try:
        picture = decode_bytes(data, "x")
    except DataError as error:
        with pytest.raises(DataError) as caught:
            sketch_bytes(data, "x", SIDE)
        assert str(caught.value) == str(error)
        return False
    sketch = sketch_bytes(data, "x", SIDE)
    assert (sketch.height, sketch.width) == picture.pixels.shape[:2]
    assert (sketch.orientation, sketch.format) == (picture.orientation, picture.format)
    assert sketch.jpeg_quality == picture.jpeg_quality
    return True


@pytest.mark.parametrize("name", ENCODINGS)
def test_it_shows_the_picture(name: str) -> None:
    assert agree(ENCODINGS[name])
    sketch = sketch_bytes(ENCODINGS[name], "x", SIDE)
    luma = Image.fromarray(decode_bytes(ENCODINGS[name], "x").pixels).convert("L")
    coarse = np.asarray(sketch.luma.resize((4, 4), Image.Resampling.BILINEAR, box=sketch.box), np.float64)
    full = np.asarray(luma.resize((4, 4), Image.Resampling.BILINEAR), np.float64)
    assert sketch.luma.mode == "L"
    assert np.abs(coarse - full).max() < 6
    assert min(sketch.box[2:]) >= SIDE
    # Only a JPEG's reader can leave pixels out.
    assert (sketch.luma.width < 75) == (name in JPEGS)


@pytest.mark.parametrize("name", JPEGS)
def test_a_file_cut_anywhere_is_refused_by_both_or_neither(name: str) -> None:
    data = ENCODINGS[name]
    accepted = [agree(data[:cut]) for cut in range(len(data) % 3, len(data), 3)]
    assert not all(accepted)


@pytest.mark.parametrize("name", JPEGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), max_size=5),
    gap=st.one_of(st.none(), st.tuples(st.integers(0, 5000), st.integers(1, 500))),
)
def test_damage_is_refused_by_both_or_neither(
    name: str, edits: list[tuple[int, bytes]], gap: tuple[int, int] | None
) -> None:
    data = bytearray(ENCODINGS[name])
    for at, new in edits:
        at %= len(data)
        data[at : at + len(new)] = new
    if gap is not None:
        del data[gap[0] % len(data) : gap[0] % len(data) + gap[1]]
    agree(bytes(data))


def test_every_layout_of_colour_channels_is_refused_by_both_or_neither() -> None:
    # Among them 3 to 2, which libjpeg cannot scale; a reader that skips colour would not notice.
    data = bytearray(ENCODINGS["full colour"])
    frame = data.index(b"\xff\xc0")
    # Enough to decode, whatever the layout.
    data = data[:-2] + data[len(data) // 2 : -2] * 8 + data[-2:]
    factors = [16 * across + down for across, down in product((1, 2, 3, 4), repeat=2)]
    accepted = 0
    for luma, colour in product(factors, factors):
        data[frame + 11], data[frame + 14], data[frame + 17] = luma, colour, colour
        accepted += agree(bytes(data))
    assert 0 < accepted < len(factors) ** 2
