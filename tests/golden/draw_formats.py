"""Draw tests/golden/formats, what only some decoders read: `python tests/golden/draw_formats.py`.

Beside tests/golden/pictures, for Android's decoders: WebP, BMP, GIF, a CMYK JPEG, and a JPEG and a PNG whose profile
says that their colours are those of Display P3, as iPhones write them; and animations, which are refused. Drawn once:
encoders change with their versions.
"""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from train.common.atomic import write_bytes

FOLDER = Path(__file__).parent / "formats"
WIDTH, HEIGHT, SEED = 75, 67, 6
# The primaries of Display P3, adapted to D50 (SMPTE EG 432-1; the numbers of Apple's profile).
_PRIMARIES = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def draw_formats(folder: Path) -> None:
    """Write every picture into `folder`."""
    generator = np.random.default_rng(SEED)
    coarse = Image.fromarray(generator.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.int64)
    noisy = smooth + generator.integers(-12, 13, smooth.shape)
    image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    profile = _display_p3()
    frames: dict[str, Any] = {"save_all": True, "append_images": [image.rotate(180).resize((24, 24))]}
    first = image.resize((24, 24))
    pictures: tuple[tuple[str, Image.Image, dict[str, Any]], ...] = (
        ("lossy.webp", image, {"quality": 80}),
        ("lossless.webp", image, {"lossless": True}),
        ("plain.bmp", image, {}),
        ("still.gif", image.quantize(128), {}),
        ("cmyk.jpg", image.convert("CMYK"), {"quality": 85}),
        ("p3.jpg", image, {"quality": 85, "icc_profile": profile}),
        ("p3.png", image, {"icc_profile": profile}),
        ("animated.gif", first, frames),
        ("animated.png", first, frames),
        ("animated.webp", first, frames),
    )
    for name, drawn, options in pictures:
        file = io.BytesIO()
        drawn.save(file, {"jpg": "JPEG"}.get(name.split(".")[1], name.split(".")[1]), **options)
        write_bytes(folder / name, file.getvalue())


def _display_p3() -> bytes:
    """LittleCMS's sRGB profile, which has the same curve, with the primaries of Display P3."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for place in range(struct.unpack_from(">I", profile, 128)[0]):
        name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * place)
        if name in _PRIMARIES:
            fixed = [round(65536 * value) for value in _PRIMARIES[name]]
            struct.pack_into(">3i", profile, offset + 8, *fixed)
    return bytes(profile)


if __name__ == "__main__":
    draw_formats(FOLDER)
