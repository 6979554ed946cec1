"""Damaged bytes give a picture or a DataError, nothing else."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.image.decode import Picture, decode_bytes


def _encodings() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (12, 10, 3)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "jpeg": (image, "JPEG", {"exif": exif}),
        "progressive": (image, "JPEG", {"progressive": True}),
        "mpo": (image, "MPO", {"save_all": True, "append_images": [image]}),
        "cmyk": (image.convert("CMYK"), "JPEG", {}),
        "png": (image, "PNG", {"exif": exif}),
        "palette": (image.convert("P"), "PNG", {"transparency": 3}),
        "deep": (Image.fromarray(rng.integers(0, 65536, (12, 10)).astype(np.uint16)), "PNG", {}),
        "apng": (image, "PNG", {"save_all": True, "append_images": [image.rotate(90)]}),
        "webp": (image, "WEBP", {"exif": exif}),
        "bmp": (image, "BMP", {}),
        "gif": (image, "GIF", {}),
        "tiff": (image, "TIFF", {}),
        "lzw": (image, "TIFF", {"compression": "tiff_lzw"}),
        "deep tiff": (Image.fromarray(rng.integers(0, 65536, (12, 10)).astype(np.uint16)), "TIFF", {}),
    }
    data = {}
    for name, (picture, file_format, extra) in options.items():
        buffer = io.BytesIO()
        picture.save(buffer, file_format, **extra)
        data[name] = buffer.getvalue()
    return data


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
ENCODINGS = _encodings()
# Most of what a reader believes stands at the beginning.
_edit = st.tuples(st.one_of(st.integers(0, 120), st.integers(0, 5000)), st.binary(min_size=1, max_size=4))


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.lists(_edit, max_size=4), cut=st.one_of(st.none(), st.integers(0, 3000)))
def test_damaged_bytes(name: str, edits: list[tuple[int, bytes]], cut: int | None) -> None:
    data = bytearray(ENCODINGS[name])
    for at, new in edits:
        at %= len(data)
        data[at : at + len(new)] = new
    try:
        picture = decode_bytes(bytes(data[:cut]), "x")
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert isinstance(picture, Picture)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape[2] == 3
    assert picture.orientation in range(1, 9)
