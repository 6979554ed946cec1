"""save_alike: nothing of how a file is saved tells the original from what is saved like it."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from train.common.errors import DataError
from train.data.reconstruct.save_alike import Encoding, encode_alike, encoding_of


def picture(seed: int = 0, mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((96, 72), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def alike(data: bytes, seed: int = 1) -> bytes:
    return encode_alike(np.asarray(picture(seed)), encoding_of(data, "test"))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("quality", [30, 75, 98])
def test_jpeg(quality: int, subsampling: int, options: dict[str, bool]) -> None:
    data = saved(picture(), "JPEG", quality=quality, subsampling=subsampling, **options)
    found = alike(data)
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(found)) as other:
        assert isinstance(one, JpegImagePlugin.JpegImageFile)
        assert isinstance(other, JpegImagePlugin.JpegImageFile)
        assert (other.size, other.mode, other.quantization) == (one.size, one.mode, one.quantization)
        assert JpegImagePlugin.get_sampling(other) == JpegImagePlugin.get_sampling(one) == subsampling
        assert other.info.keys() == one.info.keys()
    # The same pixels saved alike are the same bytes: Huffman tables and scans are the same, too.
    assert encode_alike(np.asarray(picture()), encoding_of(data, "test")) == data


def test_jpeg_in_grey() -> None:
    data = saved(picture(mode="L"), "JPEG", quality=80)
    with Image.open(io.BytesIO(alike(data))) as other:
        assert isinstance(other, JpegImagePlugin.JpegImageFile)
        assert other.mode == "L"
        assert len(other.quantization) == 1


def test_exif_profile_and_resolution_go_along() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera"
    data = saved(picture(), "JPEG", exif=exif, icc_profile=b"profile" * 9, dpi=(300, 300))
    with Image.open(io.BytesIO(alike(data))) as other:
        assert other.getexif()[0x0112] == 6
        assert other.getexif()[0x010F] == "A camera"
        assert other.info["icc_profile"] == b"profile" * 9
        assert other.info["dpi"] == (300, 300)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 50}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
    ],
)
def test_other_formats(kind: str, options: dict[str, Any]) -> None:
    data = saved(picture(), kind, **options)
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(alike(data))) as other:
        assert (other.format, other.size, other.mode) == (one.format, one.size, one.mode)
        assert other.info.get("compression") == one.info.get("compression")
    if options.get("lossless") or kind == "PNG":
        pixels = np.asarray(picture(2))
        with Image.open(io.BytesIO(encode_alike(pixels, encoding_of(data, "test")))) as other:
            np.testing.assert_array_equal(np.asarray(other.convert("RGB")), pixels)


def test_cmyk_is_refused() -> None:
    with pytest.raises(DataError, match="JPEG in CMYK"):
        encoding_of(saved(picture(mode="CMYK"), "JPEG"), "test")


def test_what_cannot_be_written_is_told() -> None:
    with pytest.raises(DataError, match=r"cannot be saved like the original \(.*too long"):
        encode_alike(np.asarray(picture()), Encoding("JPEG", "RGB", {"exif": bytes(70_000)}))
