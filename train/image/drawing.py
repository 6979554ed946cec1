"""What Fauxlens draws of pictures: PNG files that say who drew them."""

from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from train.common.atomic import write_atomically
from train.common.own_files import SOFTWARE


def save_drawing(image: Image.Image, target: Path, **options: Any) -> None:
    """Write a PNG through `write_atomically`, with the mark DRAWN; `options` are those of Pillow's writer."""
    notes = PngInfo()
    notes.add_text("Software", SOFTWARE)
    write_atomically(target, partial(image.save, format="PNG", pnginfo=notes, **options))
