"""An evaluated picture one can look at: all faces with their squares, and the heatmap over the worst one's."""

from dataclasses import replace

from PIL import Image, ImageDraw, ImageFont

from export.inference.detector import LoadedDetector
from export.inference.overlay import STRIP, draw_overlay
from export.inference.picture_result import FaceResult, PictureResult
from train.image.decode import Picture
from train.image.to_pillow import picture_image
from train.image.view import turn_upright

UNDECIDED = (90, 90, 90)


def draw_result(
    detector: LoadedDetector, picture: Picture, picture_result: PictureResult, side: int = 640
) -> Image.Image | None:
    """Draw the worst face's overlay; above it, where there are several faces, the picture with all their squares.

    RGB, `side` pixels wide; None where no face was evaluated. Raises DataError as `apply_view` does.
    """
    worst = picture_result.worst
    if worst is None or worst.verdict is None:
        return None
    overlay = draw_overlay(replace(detector, view=worst.view), picture, worst.verdict, eyes=worst.eyes, side=side)
    if len(picture_result.faces) < 2:
        return overlay
    faces = draw_faces(picture, picture_result, side)
    both = Image.new("RGB", (side, faces.height + overlay.height))
    both.paste(faces, (0, 0))
    both.paste(overlay, (0, faces.height))
    return both


def draw_faces(picture: Picture, picture_result: PictureResult, width: int) -> Image.Image:
    """Draw the upright picture, RGB, `width` pixels wide, with each face's square, its number and P(fake).

    The frame has the colour of the verdict, grey where the face was not evaluated; the worst face's is thicker.
    """
    image = picture_image(turn_upright(picture.pixels, picture.orientation))
    scale = width / image.width
    image = image.resize((width, max(1, round(image.height * scale))), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    line = max(2, width // 160)
    # The worst last, so that nothing covers it.
    for face in sorted(picture_result.faces, key=lambda face: face is picture_result.worst):
        if face.square is not None:
            _frame(draw, face, scale, 2 * line if face is picture_result.worst else line, width)
    return image


def _frame(draw: ImageDraw.ImageDraw, face: FaceResult, scale: float, line: int, width: int) -> None:
    assert face.square is not None
    colour = STRIP[face.verdict.label] if face.verdict else UNDECIDED
    left, top, right, bottom = (edge * scale for edge in face.square)
    if right - left > 2 and bottom - top > 2:
        # White outside, so that the frame shows on any picture.
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=line + 2)
        draw.rectangle((left, top, right, bottom), outline=colour, width=line)
    text = f"{face.number}: {100 * face.verdict.probability:.0f} %" if face.verdict else f"{face.number}: too small"
    font = ImageFont.load_default(max(11, width / 36))
    high = draw.textbbox((0, 0), text, font=font)[3] + 6
    x = max(0.0, min(left, width - draw.textlength(text, font=font) - 8))
    # Above the square, or below it where there is no room, so that the face shows.
    y = top - high - 2 if top >= high + 2 else bottom + 4
    draw.rectangle((x, y, x + draw.textlength(text, font=font) + 8, y + high), fill=colour)
    draw.text((x + 4, y + 2), text, font=font, fill="white")
