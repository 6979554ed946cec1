"""One picture file in, pixels and the facts of the file out."""

import importlib
import io
import re
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np

# Naming the readers registers them; without it Pillow imports all of its forty to find WEBP and TIFF.
from PIL import (
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
    features,
)

from train.common.errors import DataError, FauxlensError
from train.image.file_kinds import file_kind
from train.image.jpeg_quality import estimate_quality
from train.image.limits import MAX_BYTES, MAX_PIXELS, check_file_cost, check_picture_size
from train.image.to_rgb import rgb_strips

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "Picture", "Sketch", "decode", "decode_bytes", "sketch_bytes"]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
# Their decoders keep planes of their own beside Pillow's pixels.
MAX_AVIF_PIXELS = 64_000_000
# Texts and profiles in a PNG are not looked at here, so that large ones are no damage; what they unpack to is bounded.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 64 << 20

# decode checks the header against MAX_PIXELS itself; Pillow's own check warns on standard error at 89
# megapixels, and warnings cannot be caught safely while several threads decode.
Image.MAX_IMAGE_PIXELS = None
# Remarks on metadata that nobody reads here ("Corrupt EXIF data").
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

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
        raise DataError(f"{path} cannot be read: check its permissions.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({_reason(error)}): check the name and the disk.") from None


def decode_bytes(data: bytes, name: str) -> Picture:
    """Decode the bytes of a picture file to RGB; `name` is what errors call it.

    Reads FORMATS, AVIF where Pillow was built with it and HEIC where the extra `heif` is installed; these two are not
    the same bit for bit on every platform. Alpha is laid on white, 16 bits a channel are reduced to their high 8, CMYK,
    palette, greyscale and 1-bit pictures become RGB, each with a note. Colour profiles are not applied. Of a phone's
    multi-picture JPEG (MPO) or HEIC the first picture is taken, and of a BMP an alpha channel that is 0 everywhere is
    left out. Raises DataError if the bytes are empty, not a picture in a format that is read, damaged or cut short,
    without pixels, of more than train.image.limits allows by their header (checked before decoding), animated, floating
    point or transparent everywhere.
    """
    with _opened(data, name) as image:
        parts, notes = _load_rgb(image, name)
        first = next(parts)
        if first[1].height == image.height:
            # Small pictures, by the million: no copy of what NumPy takes from Pillow.
            pixels = np.asarray(first[1])
        else:
            # Made when the size is final: a reader may turn the picture while it loads (TIFF).
            pixels = np.empty((image.height, image.width, 3), np.uint8)
            for top, strip in chain([first], parts):
                pixels[top : top + strip.height] = np.asarray(strip)
        # As NumPy gives what it takes from Pillow: nobody changes a decoded picture by mistake.
        pixels.flags.writeable = False
        return Picture(pixels, _orientation(image), _format(image), _quality(image), tuple(notes))


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
        parts, _ = _load_rgb(image, name)
        # A reader may turn the picture while it loads (TIFF).
        width, height = stored if drafted else image.size
        luma = Image.new("L", image.size)
        for top, strip in parts:
            luma.paste(strip.convert("L"), (0, top))
        box = drafted[1] if drafted else (0.0, 0.0, float(width), float(height))
        facts = _orientation(image), _format(image), _quality(image)
        return Sketch(luma, box, width, height, *facts)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """Open a picture and check its header; what its reader raises on damage becomes a DataError."""
    if not data:
        raise DataError(f"{name} is empty (0 bytes): get the file again.")
    check_file_cost(data, name)
    try:
        image = Image.open(io.BytesIO(data), formats=_readable())
    except UnidentifiedImageError:
        if _has_zero_size(data):
            raise DataError(f"{name} has no pixels (its header says width or height 0): get the file again.") from None
        raise DataError(f"{name} {_what(data)}.") from None
    except MemoryError as error:
        raise DataError(_no_memory(name)) from error
    except Exception as error:  # noqa: BLE001
        # Pillow's readers raise whatever a damaged file leads them to: 17,000 altered files gave OSError, SyntaxError,
        # TypeError, ValueError, AssertionError and others.
        raise DataError(f"{name} is damaged ({_reason(error)}): get the file again.") from None
    with image:
        if image.format in ("AVIF", "HEIF"):
            check_picture_size(*image.size, name, MAX_AVIF_PIXELS, "an AVIF or HEIC")
        check_picture_size(*image.size, name)
        try:
            frames = 1 if image.format in ("MPO", "HEIF") else getattr(image, "n_frames", 1)
            if frames > 1:
                raise DataError(f"{name} has {frames} frames: save one frame as a picture.")
            yield image
        except FauxlensError:
            raise
        except MemoryError as error:
            raise DataError(_no_memory(name)) from error
        except Exception as error:  # noqa: BLE001
            raise DataError(f"{name} is damaged or truncated ({_reason(error)}): get the file again.") from None


def _load_rgb(image: Image.Image, name: str) -> tuple[Iterator[tuple[int, Image.Image]], list[str]]:
    raw_mode = _raw_mode(image)
    # A reader turns and trims while it loads (TIFF), so orientation is asked for afterwards.
    image.load()
    return rgb_strips(image, raw_mode, name)


@cache
def _readable() -> tuple[str, ...]:
    """The formats that this installation reads; the reader of HEIC registers itself with Pillow."""
    more = ["AVIF"] if features.check("avif") else []
    try:
        importlib.import_module("pillow_heif").register_heif_opener(thumbnails=False)
        more.append("HEIF")
    except ImportError:
        pass
    return (*FORMATS, *more)


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def _quality(image: Image.Image) -> int | None:
    return estimate_quality(getattr(image, "quantization", None)) if _format(image) == "JPEG" else None


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001, as where a picture is opened
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


def _what(data: bytes) -> str:
    kind = file_kind(data)
    if kind is None:
        return f"is not a picture that can be read: save it as {_formats()}"
    return kind if ":" in kind else f"{kind}, which is not read: save it as {_formats()}"


def _no_memory(name: str) -> str:
    return f"{name} needs more memory than there is: close other programs or save a smaller copy."


def _formats() -> str:
    return f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


def _reason(error: BaseException) -> str:
    # An OSError's own text has its number and the name once more.
    text = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
    return text[:120] or type(error).__name__
