"""How sharp the pictures of each source are where a detector looks, and whether that alone tells real from fake.

Sharpness is measured on a view of one size, as a detector sees it: the face where its eyes are known, else the centre
square, at VIEW_SIDE pixels. So it does not depend on the size of the file: a picture that was enlarged shows no more
detail than before, and one that is larger than the view is reduced to it either way. It is the energy in the finest
octave that a resize leaves whole relative to the energy two octaves below, in decibels: the slope of the spectrum. In
photographs of scenes energy falls with about the square of the frequency (Field 1987), which makes -12 dB; faces are
smoother. Portraits that look sharp lie at -20 to -22 here, enlarged and blurred ones at -25 to -30.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from PIL import Image

from train.common.progress import ProgressCallback
from train.data.audit.findings import Finding
from train.data.audit.metadata_baseline import weighted_aucs
from train.data.manifest import Manifest
from train.data.rows import Row, view_row
from train.image.view import parse_view

VIEW_SIDE = 160
_FACE, _SQUARE = (parse_view(f"upright|{crop}|resize({VIEW_SIDE})") for crop in ("face(2.8)", "square"))
# Cycles a pixel of the view. Above the fine band Pillow's BILINEAR lets through less and less.
_FINE, _COARSE = (0.175, 0.35), (0.04375, 0.0875)
# Where both ends of the interval of the AUC lie beyond this, sharpness is a shortcut.
SEPARATES = 0.60
BEYOND = 2.0
MIN_PICTURES = 30


@dataclass(frozen=True)
class SourceSharpness:
    """The sharpness of one source and label: quartiles in decibels over `pictures` that were measured."""

    source: str
    label: str
    pictures: int
    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class Sharpness:
    """The sharpness of every source, softest first, and how well it alone tells the labels apart.

    `auc` is that of "sharper means fake", 0..1, over what was measured, so that sources count about alike, `low` and
    `high` its 95 % interval over groups; below 0.5 the fakes are the softer ones. All three are None where a label has
    fewer than MIN_PICTURES pictures.
    """

    sources: tuple[SourceSharpness, ...]
    auc: float | None
    low: float | None
    high: float | None


def measure_sharpness(
    manifest: Manifest,
    *,
    pictures_per_source: int = 60,
    seed: int = 0,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Sharpness:
    """Measure up to `pictures_per_source` pictures of each source and label, chosen by `seed`.

    `workers` threads change nothing in the outcome. Raises DataError if a picture cannot be read or has changed.
    """
    frame = manifest.frame.unique("sha256", keep="first", maintain_order=True)
    chosen = pl.concat(
        rows.sample(min(rows.height, pictures_per_source), seed=seed)
        for _, rows in frame.sort("source", "label", "path").group_by("source", "label", maintain_order=True)
    )
    values: list[float] = []
    with ThreadPoolExecutor(max(1, workers)) as executor:
        for value in executor.map(partial(_measure, manifest), chosen.iter_rows(named=True)):
            values.append(value)
            if on_progress is not None:
                on_progress(len(values), chosen.height)
    measured = chosen.select("source", "label", "group").with_columns(sharpness=pl.Series(values, dtype=pl.Float64))
    return Sharpness(_by_source(measured), *_separation(measured, seed))


def sharpness_findings(found: Sharpness) -> tuple[Finding, ...]:
    """Say where sharpness is a shortcut.

    A warning if it alone tells the labels apart (the whole interval of its AUC beyond SEPARATES), and a note on sources
    that are softer or sharper than every source of the other label by BEYOND decibels and more, in their medians.
    """
    return (*_separation_finding(found), *_outside_findings(found))


def _separation_finding(found: Sharpness) -> tuple[Finding, ...]:
    if found.auc is None or found.low is None or found.high is None:
        return ()
    fakes_sharper = found.auc > 0.5
    auc, low = (found.auc, found.low) if fakes_sharper else (1 - found.auc, 1 - found.high)
    if low <= SEPARATES:
        return ()
    sharper, softer = ("fake", "real") if fakes_sharper else ("real", "fake")
    sharpest = max((one for one in found.sources if one.label == sharper), key=lambda one: one.median)
    softest = min((one for one in found.sources if one.label == softer), key=lambda one: one.median)
    sentence = (
        f"Sharpness alone separates real from fake at AUC {auc:.2f} (at least {low:.2f}): {sharper}s are sharper, "
        f"from {softest.source} ({softest.label}, {softest.median:.1f} dB) to {sharpest.source} ({sharpest.label}, "
        f"{sharpest.median:.1f} dB)."
    )
    remedy = (
        f"A detector can learn that sharp means {sharper} and misclassify good cameras: add sharp {softer}s and soft "
        f"{sharper}s, reconstructions of the reals (`fauxlens data reconstruct`), or train with blur and resizing."
    )
    return (Finding("warning", "sharpness", sentence, remedy),)


def _outside_findings(found: Sharpness) -> tuple[Finding, ...]:
    findings = []
    for kind, sign in (("soft", 1), ("sharp", -1)):
        for label, other in (("real", "fake"), ("fake", "real")):
            border = min((sign * one.median for one in found.sources if one.label == other), default=None)
            if border is None:
                continue
            beyond = [one for one in found.sources if one.label == label and border - sign * one.median >= BEYOND]
            if not beyond:
                continue
            names = ", ".join(f"{one.source} ({one.median:.1f} dB)" for one in beyond)
            sentence = f"No {other} source is as {kind} as {names}, which {'are' if len(beyond) > 1 else 'is'} {label}."
            remedy = f"A detector can learn that {kind} means {label}: add {other}s as {kind} as these."
            findings.append(Finding("note", "sharpness", sentence, remedy))
    return tuple(findings)


def view_sharpness(pixels: np.ndarray) -> float:
    """Return the sharpness of a view, uint8 [S, S, 3], in decibels (noise: 0, a flat picture: 0)."""
    luma = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"), np.float64)
    side = len(luma)
    # Without a window the border would count as an edge.
    window = np.hanning(side + 2)[1:-1]
    window = window[:, None] * window[None, :]
    centred = (luma - np.average(luma, weights=window)) * window
    energy = np.abs(np.fft.rfft2(centred)) ** 2 / (window**2).sum()
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    fine, coarse = (energy[(low <= frequency) & (frequency < high)].mean() for low, high in (_FINE, _COARSE))
    # Rounding to whole grey levels alone is noise of 1/12, in both bands.
    return float(10 * np.log10((fine + 1 / 12) / (coarse + 1 / 12)))


def _measure(manifest: Manifest, row: Row) -> float:
    has_eyes = row["eye_distance"] is not None
    return view_sharpness(view_row(manifest, row, _FACE if has_eyes else _SQUARE, "keep"))


def _by_source(measured: pl.DataFrame) -> tuple[SourceSharpness, ...]:
    value = pl.col("sharpness")
    table = measured.group_by("source", "label").agg(
        pictures=pl.len(),
        lower=value.quantile(0.25, "linear"),
        median=value.median(),
        upper=value.quantile(0.75, "linear"),
    )
    return tuple(SourceSharpness(**row) for row in table.sort("median", "source").iter_rows(named=True))


def _separation(measured: pl.DataFrame, seed: int) -> tuple[float | None, float | None, float | None]:
    is_fake = (measured["label"] == "fake").to_numpy()
    if min(is_fake.sum(), (~is_fake).sum()) < MIN_PICTURES:
        return None, None, None
    groups = measured["group"].rank("dense").to_numpy().astype(np.int64) - 1
    values = measured["sharpness"].to_numpy()
    aucs = weighted_aucs(is_fake, values, groups, np.random.default_rng(seed))
    low, high = np.quantile(aucs[1:], (0.025, 0.975))
    return float(aucs[0]), float(low), float(high)
