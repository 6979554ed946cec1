"""Traces of what was done to a picture before, told as rows: an earlier JPEG save, an enlargement."""

import numpy as np

from train.data.audit.pixels.double_jpeg import guess_double_compression
from train.data.audit.pixels.resampling import find_periodicity
from train.image.decode import Picture
from train.image.marks.rows import EvidenceRow
from train.image.to_pillow import luma_of


def trace_rows(picture: Picture) -> tuple[EvidenceRow, ...]:
    """Rows where a JPEG save before the present one left its grid or its steps, and where the picture was enlarged.

    Neither says anything of AI.

    Phones, messengers and web sites save anew all the time, so it is weak evidence for editing at most: a grid beside
    the present one means that the picture was cut or pasted out of another, the same grid only that it was saved twice.
    Looks at 512 x 512 pixels in the middle and takes some hundred milliseconds.
    """
    luma = luma_of(picture.pixels)
    return (*_earlier_save(luma, picture.jpeg_quality), *_enlarged(luma))


def _enlarged(luma: np.ndarray) -> tuple[EvidenceRow, ...]:
    """Web sites, phones and editors enlarge pictures, and so do many generators: it speaks for nobody."""
    found = find_periodicity(luma)
    if not found.found:
        return ()
    text = (
        f"Neighbouring pixels repeat with a period ({1 / found.frequency:.2f} pixels): the picture was enlarged or "
        "turned before it was saved. That is common and says nothing by itself."
    )
    return (EvidenceRow("traces", "none", "nothing", text, "period of interpolation"),)


def _earlier_save(luma: np.ndarray, quality: int | None) -> tuple[EvidenceRow, ...]:
    guess = guess_double_compression(luma, quality)
    if not guess.found:
        return ()
    if guess.down:
        text = f"The grid of an earlier JPEG (quality about {guess.quality}) is shifted: the picture was cropped."
        return (EvidenceRow("traces", "weak", "edited", text, "JPEG grid"),)
    text = f"The picture was a JPEG of quality about {guess.quality} before; being saved twice says nothing by itself."
    return (EvidenceRow("traces", "none", "nothing", text, "JPEG steps"),)
