"""One picture's evidence as a page to print: rows, hashes, the picture with its heatmap; plain HTML without scripts."""

import base64
import io
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template

from PIL import Image, ImageDraw

from export.inference.detect_files import DetectedPicture, Settings, opened
from export.inference.overlay import draw_overlay
from train.common.atomic import write_text
from train.image.decode import Picture, decode_bytes
from train.image.marks.rows import shown
from train.image.to_pillow import picture_image
from train.image.view import turn_upright

_SIDE = 480
_WORDS = {"ai": "AI", "edited": "edited", "camera": "camera", "nothing": "–"}


def write_picture_report(found: DetectedPicture, data: bytes, settings: Settings, target: Path) -> None:
    """Write the page of one picture with the bytes `data`; `found` is what `detect_bytes` said of them."""
    picture = decode_bytes(data, found.name)
    pictures = [("The picture", _small(picture, found))]
    if (worst := found.picture_result.worst) is not None and worst.verdict is not None:
        detector = replace(opened(settings.model), view=worst.view)
        overlay = draw_overlay(detector, picture, worst.verdict, eyes=worst.eyes, side=_SIDE)
        pictures.append(("Evidence for fake, over the square that was evaluated", overlay))
    page = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    facts = found.evidence.facts
    description = opened(settings.model).description
    write_text(
        target,
        page.substitute(
            name=escape(shown(found.name.rpartition("/")[2] or found.name, 200)),
            summary=escape(found.evidence.summary),
            rows="\n".join(
                f'<tr class="{row.strength}"><th>{row.kind}</th><td>{escape(row.text)}</td><td>{_WORDS[row.says]}</td>'
                f"<td>{row.strength}</td><td>{escape(row.source)}</td></tr>"
                for row in found.evidence.rows
            ),
            pictures="\n".join(
                f'<figure><img src="{_embedded(image)}" alt=""><figcaption>{escape(text)}</figcaption></figure>'
                for text, image in pictures
            ),
            sha256=facts.sha256,
            bytes=f"{facts.size:,}",
            detector=escape(f"{shown(description.name)} ({description.variant})"),
            training=escape(description.training_sha256),
            point=escape(settings.operating_point),
        ),
    )


def _small(picture: Picture, found: DetectedPicture) -> Image.Image:
    """The upright picture, reduced, with the squares of its faces."""
    image = picture_image(turn_upright(picture.pixels, picture.orientation))
    whole = image.width
    image.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    draw = ImageDraw.Draw(image)
    for face in found.picture_result.faces:
        if face.square is not None:
            left, top, right, bottom = (value * image.width / whole for value in face.square)
            if right > left and bottom > top:
                draw.rectangle((left, top, right, bottom), outline="white", width=4)
                draw.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline="black", width=2)
    return image


def _embedded(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
