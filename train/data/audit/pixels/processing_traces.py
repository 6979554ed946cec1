"""Traces of what was done to a source before it came here: saved before, or resampled.

Two measures, both compared between sources: an earlier JPEG save (`earlier_save.py`), and how much fine detail is left
after one common save. A source that differs in either lets a detector learn the treatment instead of the face.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from PIL import Image

from train.data.audit.findings import Finding
from train.data.audit.pixels.double_jpeg import DoubleCompression, guess_double_compression
from train.data.manifest import LABELS, Manifest
from train.image.decode import decode
from train.image.limits import MAX_JPEG_SIDE
from train.image.to_pillow import luma_of, picture_image

# Limits: see `processing_traces_findings`.
MIN_SHARE = 0.25
MIN_SOFTER, MIN_SOFTER_SHARE = 4.5, 0.9
# With fewer pictures the share and the median say little.
MIN_PICTURES = 10
# All pictures are saved once at the lowest quality that a source has, or at this one, before their detail is measured.
_COMMON_QUALITY = 60
# The common save begins here, amid the blocks of the file: on one grid, two tables of steps make detail of their own
# (up to 5 dB between qualities 85 and 90), on two grids qualities 60 to 95 agree within 1.4 dB.
_OFFSET = 4
# Bands of the 8 x 8 coefficients by their distance from the mean, 1 being the highest frequency along one side: what
# resampling takes away first, and what it leaves.
_RADIUS = np.hypot(*np.indices((8, 8))) / 7
_FINE, _COARSE = (_RADIUS >= 0.85) & (_RADIUS < 1), (_RADIUS >= 0.4) & (_RADIUS < 0.55)
_WAVES = np.array(
    [[(0.125 if k == 0 else 0.25) ** 0.5 * np.cos((2 * x + 1) * k * np.pi / 16) for x in range(8)] for k in range(8)]
)
# A single picture in forty may be an accident.
_WORTH_SAYING = 0.05
_OTHER = dict(zip(LABELS, reversed(LABELS), strict=True))
_EXAMPLES = 5
# Pixels that are transformed at once.
_STRIP = 1 << 20


@dataclass(frozen=True)
class Trace:
    """What the pictures of one source and label show of their past.

    Of `pictures` looked at, `shifted` (0..1) is the share with the grid of an earlier JPEG beside the present one
    (cut out and saved again, or saved in a format without a grid), `same_grid` (0..1) the share with a coarser
    earlier save on the same grid; `earlier_quality` (50..95) is the median of those, None if there are none.
    `detail` is the median energy of fine detail relative to coarser detail in decibels after one save at
    `common_quality`, `softer` by how many decibels it lies below the median of the sources with the other label
    (negative: above; None if there are none), `softer_share` (0..1) how many pictures lie below that median.
    `examples` are paths of pictures with an earlier save, else the softest.
    """

    source: str
    label: str
    pictures: int
    shifted: float
    same_grid: float
    earlier_quality: int | None
    detail: float
    common_quality: int
    softer: float | None
    softer_share: float | None
    examples: tuple[str, ...]

    @property
    def is_softer(self) -> bool:
        """Whether nearly all pictures have clearly less fine detail than the sources with the other label."""
        return (self.softer or 0.0) >= MIN_SOFTER and (self.softer_share or 0.0) >= MIN_SOFTER_SHARE

    @property
    def sentence(self) -> str:
        """What was found, in one sentence that accuses no more than the numbers do."""
        said = []
        if self.shifted >= _WORTH_SAYING:
            said.append(
                f"{self.shifted:.0%} of {self.pictures} pictures show the block grid of an earlier JPEG (quality about "
                f"{self.earlier_quality}) that does not match the present one: they were cropped and saved again"
            )
        if self.same_grid >= _WORTH_SAYING:
            said.append(
                f"{self.same_grid:.0%} of {self.pictures} pictures were saved before at a lower quality (about "
                f"{self.earlier_quality}) on the same grid"
            )
        if self.is_softer:
            said.append(
                f"fine detail is {self.softer:.1f} dB weaker than in the {_OTHER[self.label]} sources (weaker than "
                f"their median in {self.softer_share:.0%} of {self.pictures} pictures, after one save at quality "
                f"{self.common_quality}): resampling does that, or a soft original"
            )
        return f"{self.source} ({self.label}): {'; '.join(said) or 'no trace that sets it apart'}."


@dataclass(frozen=True)
class _Measured:
    path: str
    earlier: DoubleCompression
    detail: float


def find_processing_traces(
    manifest: Manifest, *, pictures_per_source: int = 40, seed: int = 0, workers: int = 2
) -> tuple[Trace, ...]:
    """Look at up to `pictures_per_source` pictures of each source and label; sorted by source, then label.

    What it cannot see: a source that was reduced a lot before its only save; an earlier save at a higher quality
    than the present one; one that was resampled afterwards, except by its lack of detail; detail that a camera or a
    generator never gave. So sources are compared, not evaluated. `workers` threads change nothing in the outcome.
    Raises DataError if a picture cannot be read.
    """
    frame = manifest.frame.unique("sha256", keep="first", maintain_order=True)
    # Longer ones cannot be saved as JPEG, with which they are compared.
    frame = frame.filter((pl.max_horizontal("width", "height") <= MAX_JPEG_SIDE).fill_null(True))
    qualities = frame.group_by("source").agg(pl.col("jpeg_quality").median())["jpeg_quality"].drop_nulls()
    common = min([_COMMON_QUALITY, *(int(quality) for quality in qualities)])
    measured: dict[tuple[str, str], list[_Measured]] = {}
    with ThreadPoolExecutor(max(1, workers)) as executor:
        for source, label in frame.select("source", "label").unique().sort("source", "label").iter_rows():
            paths = frame.filter(source=source, label=label)["path"].to_list()
            drawn = np.random.default_rng(seed).permutation(len(paths))[:pictures_per_source]
            chosen = [paths[row] for row in np.sort(drawn)]
            measured[source, label] = list(executor.map(partial(_measure, manifest, common), chosen))
    return tuple(_trace(source, label, measured, common) for source, label in measured)


def processing_traces_findings(traces: Sequence[Trace]) -> tuple[Finding, ...]:
    """Return a warning for each source of 10 pictures and more that differs, with what to do about it.

    It differs if a quarter of the pictures show an earlier save, or if fine detail is 4.5 dB weaker than the median of
    the sources with the other label, and weaker than it in nine of ten pictures. Of 1,200 control pictures, saved once
    at quality 60 to 95 after a reduction, none showed an earlier save; controls reduced with Pillow's BOX, HAMMING,
    BICUBIC and LANCZOS lay within 2.1 dB of each other. Reduced with BILINEAR they lay 4 dB below LANCZOS: a filter
    alone nearly sets a source apart.
    """
    remedy = (
        "A detector can learn that instead of the face: train with JPEG, blur and resize augmentation, and evaluate on "
        "a source with the same past on both sides."
    )
    return tuple(
        Finding("warning", "traces", trace.sentence, remedy, tuple((path,) for path in trace.examples))
        for trace in traces
        if trace.pictures >= MIN_PICTURES and (trace.shifted + trace.same_grid >= MIN_SHARE or trace.is_softer)
    )


def fine_detail(pixels: np.ndarray, quality: int) -> float:
    """Return the energy of fine relative to coarser detail, in decibels, of pixels uint8 [H, W, 3] after a save.

    The common save makes qualities comparable: it takes from a fine file what a coarse one has lost already.
    Resampling leaves its mark in the highest frequencies (the low-pass of Popescu and Farid 2005, section II). A
    picture of less than 12 x 12 pixels gives 0.
    """
    if min(pixels.shape[:2]) < 8 + _OFFSET:
        return 0.0
    saved = io.BytesIO()
    picture_image(pixels[_OFFSET:, _OFFSET:]).save(saved, "JPEG", quality=quality)
    with Image.open(saved) as image:
        width, height = image.width // 8 * 8, image.height // 8 * 8
        step = max(8, _STRIP // width // 8 * 8)
        strips = (image.crop((0, top, width, min(height, top + step))) for top in range(0, height, step))
        energy = np.sum([_energy(strip) for strip in strips], axis=0) * 64 / (width * height)
    # A thousandth of a squared grey level stands for nothing at all.
    return float(10 * np.log10((energy[_FINE].mean() + 1e-3) / (energy[_COARSE].mean() + 1e-3)))


def _energy(strip: Image.Image) -> np.ndarray:
    """The sum over the blocks of a strip of the energy of each of the 8 x 8 coefficients of its luma."""
    luma = np.asarray(strip.convert("L"), np.float64)
    blocks = luma.reshape(strip.height // 8, 8, strip.width // 8, 8).swapaxes(1, 2)
    return np.square(_WAVES @ blocks @ _WAVES.T).sum(axis=(0, 1))


def _measure(manifest: Manifest, common: int, path: str) -> _Measured:
    picture = decode(manifest.picture_path(path))
    earlier = guess_double_compression(luma_of(picture.pixels), picture.jpeg_quality)
    return _Measured(path, earlier, fine_detail(picture.pixels, common))


def _trace(source: str, label: str, measured: dict[tuple[str, str], list[_Measured]], common: int) -> Trace:
    own = measured[source, label]
    found = [one for one in own if one.earlier.found]
    shifted = [one for one in found if one.earlier.down]
    details = np.array([one.detail for one in own])
    # A detector can only use what sets the labels apart.
    others = [np.median([one.detail for one in many]) for key, many in measured.items() if key[1] != label]
    middle = float(np.median(others)) if others else None
    shown = found or sorted(own, key=lambda one: one.detail)
    return Trace(
        source=source,
        label=label,
        pictures=len(own),
        shifted=len(shifted) / len(own),
        same_grid=(len(found) - len(shifted)) / len(own),
        earlier_quality=int(np.median([one.earlier.quality for one in found])) if found else None,
        detail=float(np.median(details)),
        common_quality=common,
        softer=None if middle is None else middle - float(np.median(details)),
        softer_share=None if middle is None else float((details < middle).mean()),
        examples=tuple(one.path for one in shown[:_EXAMPLES]),
    )
