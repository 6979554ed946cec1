"""decode: every picture becomes RGB or one sentence."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from train.common.errors import DataError
from train.image.decode import MAX_PIXELS, decode, decode_bytes
from train.image.jpeg_quality import estimate_quality, luminance_table
from train.image.view import turn_upright

Draw = Callable[..., Image.Image]
ROOT = Path(__file__).parents[3]


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + chunks + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


@pytest.fixture
def bad(tmp_path: Path, draw: Draw) -> dict[str, Path]:
    """Every kind of file that is refused."""
    image = draw(1)
    jpeg, frames = encode(image, "JPEG"), [draw(2), draw(3)]
    zero_jpeg = jpeg.replace(struct.pack(">HH", 96, 96), struct.pack(">HH", 0, 96), 1)
    contents = {
        "empty": b"",
        "text": b"not a picture",
        "cut-jpeg": jpeg[: len(jpeg) // 2],
        "cut-png": encode(image, "PNG")[:-2000],
        "cut-webp": encode(image, "WEBP", lossless=True)[:-2000],
        "header-only": jpeg[:20],
        "avif": encode(image, "AVIF")[:60],
        "zero-png": png_header(0, 5),
        "zero-gif": b"GIF89a" + bytes(20),
        "zero-jpeg": zero_jpeg,
        "bomb": png_header(30_000, 30_000),
        "small-bomb": png_header(12_000, 10_001),
        "gif": encode(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "webp": encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "apng": encode(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "tiff": encode(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        "float": encode(image.convert("F"), "TIFF"),
    }
    paths = {name: tmp_path / f"{name}.picture" for name in contents}
    for name, data in contents.items():
        paths[name].write_bytes(data)
    return paths | {"missing": tmp_path / "missing.jpg", "folder": tmp_path}


SENTENCES = {
    "missing": "does not exist: check",
    "folder": "is a folder: name",
    "empty": "is empty (0 bytes): get",
    "text": "is not a picture that can be read: save it as JPEG, PNG",
    "avif": ": ",
    "header-only": ": ",
    "cut-jpeg": "truncated",
    "cut-png": "truncated",
    "cut-webp": ": get the file again",
    "zero-png": "no pixels",
    "zero-gif": "no pixels",
    "zero-jpeg": "no pixels",
    "bomb": "30000 x 30000 pixels, more than 120,000,000",
    "small-bomb": "12000 x 10001 pixels, more than",
    "gif": "has 2 frames: save one frame",
    "webp": "has 2 frames: save one frame",
    "apng": "has 2 frames: save one frame",
    "tiff": "has 2 frames: save one frame",
    "float": "floating-point pixels",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_a_bad_file_is_refused_in_one_sentence(bad: dict[str, Path], kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError) as caught:
            decode(bad[kind])
    message = str(caught.value)
    assert message.startswith(str(bad[kind]))
    assert SENTENCES[kind] in message
    assert message.endswith(".")
    assert "\n" not in message


def test_every_bad_kind_has_a_sentence(bad: dict[str, Path]) -> None:
    assert set(bad) == set(SENTENCES)


def test_a_bomb_is_refused_before_its_pixels_are_made(bad: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Image.Image) -> None:
        raise AssertionError(f"{image.size} was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(DataError, match="save a smaller copy"):
        decode(bad["small-bomb"])
    assert MAX_PIXELS == 12_000 * 10_000


def test_no_permission(tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    draw(1).save(path)
    if os.geteuid() == 0:

        def refuse(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        path.chmod(0)
    with pytest.raises(DataError, match=r"secret.png cannot be read: check its permissions"):
        decode(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(DataError, match="not a regular file"):
        decode(tmp_path / "pipe.jpg")


def test_plain_pictures_equal_pillow_and_have_no_notes(draw: Draw) -> None:
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"):
        data = encode(draw(4, 50, 30), file_format)
        picture = decode_bytes(data, "x")
        assert np.array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
        assert picture.pixels.shape == (30, 50, 3)
        assert picture.pixels.dtype == np.uint8
        assert (picture.format, picture.notes, picture.orientation) == (file_format, (), 1)


@pytest.mark.parametrize(
    ("mode", "file_format", "note"),
    [
        ("CMYK", "JPEG", "CMYK was converted"),
        ("CMYK", "TIFF", "CMYK was converted"),
        ("P", "PNG", "palette"),
        ("P", "GIF", "palette"),
        ("L", "JPEG", "Greyscale"),
        ("LA", "PNG", "Greyscale"),
        ("1", "PNG", "Black and white"),
        ("1", "TIFF", "Black and white"),
    ],
)
def test_conversions_are_made_and_noted(draw: Draw, mode: str, file_format: str, note: str) -> None:
    data = encode(draw(5).convert(mode), file_format)
    picture = decode_bytes(data, "x")
    assert np.array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert len(picture.notes) == 1
    assert note in picture.notes[0]


def test_16_bits_are_scaled_not_clipped() -> None:
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    for file_format in ("PNG", "TIFF"):
        picture = decode_bytes(encode(Image.fromarray(values), file_format), "x")
        assert picture.pixels[0, :, 0].tolist() == [0, 0, 1, 128, 255]
        assert picture.notes[0] == "16 bits a channel were reduced to 8."


def test_32_bits_are_refused() -> None:
    with pytest.raises(DataError, match="outside 16 bits"):
        decode_bytes(encode(Image.fromarray(np.array([[70_000, 0]], np.int32)), "TIFF"), "x")


def test_16_bit_rgb_is_noted() -> None:
    body = b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\x00" + struct.pack(">HHH", 65535, 256, 128))
    png = b"\x89PNG\r\n\x1a\n"
    for chunk in (body, data, b"IEND"):
        png += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    picture = decode_bytes(png, "x")
    assert picture.pixels.tolist() == [[[255, 1, 0]]]
    assert picture.notes == ("16 bits a channel were reduced to 8.",)


def test_avif_is_read_where_pillow_can(draw: Draw) -> None:
    data = encode(draw(5), "AVIF", quality=90)
    picture = decode_bytes(data, "a.avif")
    assert picture.format == "AVIF"
    assert np.array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_heic_is_read_where_its_extra_is(draw: Draw) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    stream = io.BytesIO()
    heif.from_pillow(draw(5)).save(stream, quality=90)
    picture = decode_bytes(stream.getvalue(), "a.heic")
    assert picture.format == "HEIF"
    assert np.abs(picture.pixels.astype(int) - np.asarray(draw(5))).mean() < 12


def test_alpha_is_laid_on_white(draw: Draw) -> None:
    image = draw(6).convert("RGBA")
    assert decode_bytes(encode(image, "PNG"), "x").notes == ()
    image.putalpha(0)
    image.putpixel((0, 0), (255, 255, 255, 1))
    picture = decode_bytes(encode(image, "PNG"), "x")
    assert (picture.pixels == 255).all()
    assert picture.notes == ("Transparency was laid on white.",)


def test_transparency_without_an_alpha_channel_is_laid_on_white() -> None:
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    deep = Image.fromarray(np.array([[0, 700]], np.uint16))
    colour = Image.new("RGB", (2, 1), (1, 2, 3))
    colour.putpixel((1, 0), (1, 2, 4))
    for image, seen in ((palette, [40, 50, 60]), (colour, None), (deep, [2, 2, 2])):
        key: object = (1, 2, 3) if image.mode == "RGB" else 0
        picture = decode_bytes(encode(image, "PNG", transparency=key), "x")
        assert picture.pixels[0, 0].tolist() == [255, 255, 255]
        assert "Transparency was laid on white." in picture.notes
        if seen is not None:
            assert picture.pixels[0, 1].tolist() == seen


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_kept_and_turns_like_pillow(draw: Draw, file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(draw(7, 40, 24), file_format, exif=exif)
    picture = decode_bytes(data, "x")
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert np.array_equal(turn_upright(picture.pixels, picture.orientation), np.asarray(expected))
    # Pillow turns TIFF while it reads.
    assert picture.orientation == (1 if file_format == "TIFF" else orientation)
    if file_format != "TIFF":
        assert picture.pixels.shape == (24, 40, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_1(draw: Draw, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert decode_bytes(encode(draw(7), "JPEG", exif=exif), "x").orientation == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_exif_is_1(draw: Draw) -> None:
    data = encode(draw(7), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert decode_bytes(data, "x").orientation == 1


@pytest.mark.parametrize("quality", [*range(1, 101, 9), 75, 90, 95, 99])
def test_quality_of_libjpeg_files_is_exact(draw: Draw, quality: int) -> None:
    image = draw(8, 16, 16)
    tables = Image.open(io.BytesIO(encode(image, "JPEG", quality=quality))).quantization  # type: ignore[attr-defined]
    assert luminance_table(quality).tolist() == tables[0]
    assert decode_bytes(encode(image, "JPEG", quality=quality), "x").jpeg_quality == quality


def test_quality_of_others_is_the_nearest_or_none() -> None:
    assert estimate_quality({0: [1] * 64}) == 100
    assert estimate_quality({0: (luminance_table(80) + np.arange(64) % 2).tolist()}) in range(76, 81)
    assert estimate_quality({}) is None
    assert estimate_quality(None) is None


def test_a_phone_picture_with_a_second_picture_inside_is_its_first(draw: Draw) -> None:
    data = encode(draw(9), "MPO", save_all=True, append_images=[draw(10)])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    picture = decode_bytes(data, "x")
    assert picture.format == "JPEG"
    assert picture.jpeg_quality == 75
    assert np.abs(picture.pixels.astype(int) - np.asarray(draw(9))).mean() < 5


def test_detect_can_import_it_without_the_heavy_libraries() -> None:
    heavy = ("polars", "scipy", "sklearn", "tensorflow", "rich")
    code = f"import sys, train.image.view; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_trouble_with_a_name_is_said_once(tmp_path: Path) -> None:
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    with pytest.raises(DataError) as caught:
        decode(loop)
    assert str(caught.value) == (
        f"{loop} cannot be read (Too many levels of symbolic links): check the name and the disk."
    )
