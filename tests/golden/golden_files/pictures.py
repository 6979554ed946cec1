"""Small drawn pictures in the formats and orientations that phones make."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from train.common.atomic import write_bytes
from train.data.sample.imaging import camera, diffusion_like, gan_like
from train.data.sample.make import ImagingModel, draw_sample_picture

ORIENTATION = 0x0112


def draw_pictures(folder: Path) -> None:
    """Draw all pictures into a folder: about 200 kB."""
    real, gan, diffusion = (_drawn(model, index) for index, model in enumerate((camera, gan_like, diffusion_like)))
    wide, tall = real[24:104, :], diffusion[:, 20:115]
    files = {
        "plain.png": _png(Image.fromarray(real)),
        "grey.png": _png(Image.fromarray(gan).convert("L")),
        "palette.png": _png(Image.fromarray(gan).quantize(64)),
        "alpha.png": _png(_with_alpha(diffusion)),
        "sixteen_bit_grey.png": _png(Image.fromarray(real[:64, :64, 0].astype(np.uint16) * 257)),
        "tiny.png": _png(Image.fromarray(real[40:53, 50:57])),
        "420.jpg": _jpeg(real, subsampling=2),
        "422.jpg": _jpeg(gan, subsampling=1),
        "444.jpg": _jpeg(diffusion, subsampling=0),
        "progressive.jpg": _jpeg(real, subsampling=2, progressive=True),
        "grey.jpg": _jpeg(np.asarray(Image.fromarray(gan).convert("L"))),
    }
    files |= {f"wide_{turn}.png": _png(Image.fromarray(wide[::2, ::2]), turn) for turn in range(1, 9)}
    files |= {f"tall_{turn}.jpg": _jpeg(tall, subsampling=2, quality=85, turn=turn) for turn in (3, 5, 6, 8)}
    for name, data in files.items():
        write_bytes(folder / name, data)


def _drawn(model: ImagingModel, index: int) -> np.ndarray:
    return draw_sample_picture(model, index=index, size=128, seed=6)


def _with_alpha(pixels: np.ndarray) -> Image.Image:
    """A picture whose alpha runs over all 256 levels."""
    image = Image.fromarray(pixels)
    image.putalpha(Image.fromarray(np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)))
    return image


def _exif(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    return exif


def _png(image: Image.Image, turn: int = 1) -> bytes:
    target = io.BytesIO()
    if turn == 1:
        image.save(target, "PNG", optimize=True)
    else:
        image.save(target, "PNG", optimize=True, exif=_exif(turn))
    return target.getvalue()


def _jpeg(
    pixels: np.ndarray, *, subsampling: int = 0, quality: int = 90, progressive: bool = False, turn: int = 1
) -> bytes:
    target = io.BytesIO()
    image = Image.fromarray(pixels)
    options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    if turn == 1:
        image.save(target, "JPEG", **options)
    else:
        image.save(target, "JPEG", exif=_exif(turn), **options)
    return target.getvalue()
