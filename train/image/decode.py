"""One picture file in, pixels and the facts of the file out."""

import io
import re
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Naming the readers registers them; without it Pillow imports all of its forty to find WEBP and TIFF.
from PIL import (
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from train.common.errors import DataError
from train.image.jpeg_quality import estimate_quality

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 120_000_000
MAX_BYTES = 1 << 30

# decode checks the header against MAX_PIXELS itself; Pillow's own check warns on standard error at 89
# megapixels, and warnings cannot be caught safely while several threads decode.
Image.MAX_IMAGE_PIXELS = None
# Remarks on metadata that nobody reads here ("Corrupt EXIF data").
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# What Pillow's readers raise on damaged files: OSError, SyntaxError, TypeError and ValueError came up in fuzzing, the
# others are those that Pillow 13 itself expects of its readers (Image.open, ImageFile.__init__) or of allocation.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    `pixels` is uint8 [H, W, 3], RGB, as stored and not yet turned upright; `orientation` is the EXIF
    orientation 1..8 (EXIF 2.32, tag 0x0112) that remains to be applied; `format` is one of FORMATS;
    `jpeg_quality` is 1..100 on libjpeg's scale, None if the file is not a JPEG; `notes` has one sentence
    for each conversion that was made.
    """

    pixels: np.ndarray
    orientation: int
    format: str
    jpeg_quality: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sketch:
    """A picture decoded coarsely, and the facts of its file.

    `luma` is a Pillow image of mode L (ITU-R 601 luma of what `decode_bytes` gives), as stored and not yet
    turned upright; a JPEG is reduced to a half, a quarter or an eighth as long as each side of `box` keeps the
    number of pixels asked for. `box` (left, top, right, bottom) is the part of `luma` that shows the picture, in
    its pixels, with fractions. `width` and `height` are in stored pixels; the others are those of `Picture`.
    """

    luma: Image.Image
    box: tuple[float, float, float, float]
    width: int
    height: int
    orientation: int
    format: str
    jpeg_quality: int | None


def decode(path: Path) -> Picture:
    """Decode a picture file as `decode_bytes` does.

    Raises DataError too if the file is missing, a folder, unreadable or of more than MAX_BYTES.
    """
    return decode_bytes(read_picture_file(path), str(path))


def read_picture_file(path: Path) -> bytes:
    """Read the bytes of a picture file of at most MAX_BYTES, or raise DataError."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError(f"{path} is a folder: name a picture file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path} is not a regular file: name a picture file.")
        if status.st_size > MAX_BYTES:
            raise DataError(f"{path} has {status.st_size:,} bytes, more than {MAX_BYTES:,}: save a smaller picture.")
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the spelling.") from None
    except PermissionError:
        raise DataError(f"{path} cannot be read: give yourself permission to read it.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({_reason(error)}): check the name and the disk.") from None


def decode_bytes(data: bytes, name: str) -> Picture:
    """Decode the bytes of a picture file to RGB; `name` is what errors call it.

    Reads FORMATS. Alpha is laid on white, 16 bits a channel are reduced to their high 8, CMYK, palette,
    greyscale and 1-bit pictures become RGB, each with a note. Colour profiles are not applied. Of a phone's
    multi-picture JPEG (MPO) the first picture is taken. Raises DataError if the bytes are empty, not a
    picture in FORMATS, damaged or cut short, without pixels, of more than MAX_PIXELS by their header
    (checked before decoding), animated or floating point.
    """
    with _opened(data, name) as image:
        rgb, notes = _load_rgb(image, name)
        return Picture(np.asarray(rgb), _orientation(image), _format(image), _quality(image), notes)


def sketch_bytes(data: bytes, name: str, side: int) -> Sketch:
    """Decode the bytes of a picture file only as finely as a luma of `side` x `side` pixels needs.

    Raises DataError for exactly the bytes that `decode_bytes` refuses, with the same sentence.
    """
    with _opened(data, name) as image:
        # libjpeg then computes 4, 2 or 1 of 8 pixels along each side, which saves about half of the time. It still
        # reads every coefficient of every channel, so damage is found all the same. Asking for luma alone would
        # be quicker by a few hundredths, but it accepts files whose colour channels cannot be decoded. For other
        # formats this does nothing.
        stored, drafted = image.size, image.draft(None, (side, side))
        rgb, _ = _load_rgb(image, name)
        # A reader may turn the picture while it loads (TIFF).
        width, height = stored if drafted else rgb.size
        box = drafted[1] if drafted else (0.0, 0.0, float(width), float(height))
        facts = _orientation(image), _format(image), _quality(image)
        return Sketch(rgb.convert("L"), box, width, height, *facts)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """Open a picture and check its header; what its reader raises on damage becomes a DataError."""
    if not data:
        raise DataError(f"{name} is empty (0 bytes): get the file again.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if _has_zero_size(data):
            raise DataError(f"{name} has no pixels (its header says width or height 0): get the file again.") from None
        raise DataError(f"{name} is not a picture that can be read: save it as {_formats()}.") from None
    except _DAMAGE as error:
        raise DataError(f"{name} is damaged ({_reason(error)}): get the file again.") from None
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise DataError(
                f"{name} has {width} x {height} pixels, more than {MAX_PIXELS:,} in all: save a smaller copy."
            )
        try:
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if frames > 1:
                raise DataError(f"{name} has {frames} frames: save the frame you mean as a picture of its own.")
            yield image
        except _DAMAGE as error:
            raise DataError(f"{name} is damaged or cut short ({_reason(error)}): get the file again.") from None


def _load_rgb(image: Image.Image, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    raw_mode = _raw_mode(image)
    # A reader turns and trims while it loads (TIFF), so orientation is asked for afterwards.
    image.load()
    return _to_rgb(image, raw_mode, name)


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def _quality(image: Image.Image) -> int | None:
    return estimate_quality(getattr(image, "quantization", None)) if _format(image) == "JPEG" else None


def _to_rgb(image: Image.Image, raw_mode: str, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    if image.mode.startswith("F"):
        raise DataError(f"{name} holds floating-point pixels without a known range: save it with 8 bits a channel.")
    notes: list[str] = []
    if image.mode.startswith("I"):
        image = _to_8_bits(image, raw_mode, name)
        notes.append("16 bits a channel were reduced to 8.")
    elif ";16" in raw_mode:
        # Pillow has already kept the high byte of each channel.
        notes.append("16 bits a channel were reduced to 8.")
    if image.mode in ("CMYK", "YCbCr", "LAB"):
        notes.append(f"{image.mode} was converted to RGB without a colour profile.")
    if image.mode in ("P", "PA"):
        notes.append("The palette was expanded to RGB.")
    if image.mode in ("L", "LA", "La"):
        notes.append("Greyscale was repeated in three channels.")
    if image.mode == "1":
        notes.append("Black and white was expanded to RGB.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        # A fully opaque alpha channel changes nothing, so there is nothing to say.
        if np.asarray(image.getchannel("A")).min() < 255:
            notes.append("Transparency was laid on white.")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB"), tuple(notes)


def _to_8_bits(image: Image.Image, raw_mode: str, name: str) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    bits = 12 if raw_mode.startswith("I;12") else 16
    if values.min() < 0 or values.max() >= 1 << bits:
        raise DataError(f"{name} holds numbers outside {bits} bits: save it with 8 bits a channel.")
    grey = Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return grey


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _raw_mode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", None) or []
    arguments = tiles[0][3] if tiles else None
    if isinstance(arguments, tuple) and arguments:
        arguments = arguments[0]
    return arguments if isinstance(arguments, str) else ""


def _has_zero_size(data: bytes) -> bool:
    """Tell whether the header of a file that Pillow did not recognise says width or height 0."""
    size: tuple[int, ...] = ()
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        size = struct.unpack(">II", data[16:24])
    elif data[:4] == b"GIF8" and len(data) >= 10:
        size = struct.unpack("<HH", data[6:10])
    elif data[:2] == b"BM" and len(data) >= 26:
        size = struct.unpack("<ii", data[18:26])
    elif data[:2] == b"\xff\xd8" and (frame := re.search(rb"\xff[\xc0-\xc2]..\x08(....)", data, re.DOTALL)):
        size = struct.unpack(">HH", frame[1])
    return 0 in size


def _formats() -> str:
    return f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:120] or type(error).__name__
