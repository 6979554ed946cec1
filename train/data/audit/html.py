"""An audit as one self-contained HTML page, a JSON document and CSV tables."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from train.common.atomic import write_bytes, write_text
from train.common.documents import table_bytes
from train.common.text import harmless
from train.data.audit.audit import Audit
from train.data.audit.contact_sheets import Sheet, Thumbnail, contact_sheet, thumbnailer, thumbnails
from train.data.audit.figures import alone_figure, measure_figures
from train.data.audit.file_statistics import MEASURES, WORDS, with_measures
from train.data.audit.findings import Finding
from train.data.audit.sharpness import VIEW_SIDE
from train.data.audit.table import format_words, size_words
from train.data.manifest import LABELS, SPLITS, Manifest

# With some 3.5 kB a thumbnail these keep a page below about 2 MB.
_ON_SHEETS = 300
_ON_A_SHEET = 20
_LEAST_ON_A_SHEET = 4
_MAX_CASES = 4
_MAX_SKIPPED = 20


@dataclass(frozen=True)
class AuditPaths:
    """The files of a written audit.

    `duplicates` has every picture of a group that stands more than once, `leaks` those of groups in more than one
    split, `skipped` what the scan left out; a table without rows has only its header.
    """

    html: Path
    json: Path
    duplicates: Path
    leaks: Path
    skipped: Path


def write_audit(
    found: Audit, manifest: Manifest, folder: Path, *, title: str = "Audit", seed: int = 0, workers: int = 2
) -> AuditPaths:
    """Write audit.html, audit.json, duplicates.csv, leaks.csv and skipped.csv into `folder`, each whole or not at all.

    `found` is the audit of `manifest`, whose pictures are opened for the sheets; one that cannot be read is shown as a
    gap. `seed` chooses the pictures.
    """
    paths = AuditPaths(*(folder / name for name in _NAMES))
    measured = with_measures(manifest.frame)
    thumbnail = thumbnailer(manifest)
    page = (
        _environment()
        .get_template("audit.html.j2")
        .render(
            title=title,
            audit=found,
            labels=LABELS,
            splits=SPLITS,
            numbers={(c.label, c.generator, c.source, c.split): c.pictures for c in found.counts},
            spreads={(s.of, s.name, s.measure): s for s in found.spreads},
            pairs={(pair.real, pair.fake): pair for pair in found.pairs},
            # Drawn by Matplotlib from numbers and names that it escapes itself.
            figures={name: Markup(svg) for name, svg in measure_figures(measured, found.parts).items()},
            alone=Markup(alone_figure(found.features_alone, found.baseline, found.framing)),
            cases={finding: _cases(finding, thumbnail, workers) for finding in found.found},
            sheets=_part_sheets(found, measured, thumbnail, seed, workers),
            face_sheets=_face_sheets(measured, thumbnail, seed, workers),
            max_skipped=_MAX_SKIPPED,
            paths=paths,
        )
    )
    write_text(paths.json, json.dumps(found.document, indent=1, allow_nan=False) + "\n")
    write_bytes(paths.duplicates, _csv(found.members.filter(pl.col("why") == "look-alikes")))
    write_bytes(paths.leaks, _csv(found.members.filter(pl.col("splits") > 1)))
    skipped = [(skip.path, skip.reason) for skip in found.skipped]
    write_bytes(paths.skipped, _csv(pl.DataFrame(skipped, {"path": pl.String, "reason": pl.String}, orient="row")))
    write_text(paths.html, page)
    return paths


_NAMES = ("audit.html", "audit.json", "duplicates.csv", "leaks.csv", "skipped.csv")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("train.data.audit", ""),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        WORDS=WORDS, MEASURES=MEASURES, VIEW_SIDE=VIEW_SIDE, size_words=size_words, format_words=format_words
    )
    environment.filters.update(figure=_figure, code=_code)
    return environment


def _cases(finding: Finding, thumbnail: Any, workers: int) -> list[tuple[Thumbnail, ...]]:
    return [thumbnails(case, thumbnail, workers) for case in finding.examples[:_MAX_CASES]]


def _part_sheets(found: Audit, measured: pl.DataFrame, thumbnail: Any, seed: int, workers: int) -> list[Sheet]:
    count = min(_ON_A_SHEET, max(_LEAST_ON_A_SHEET, _ON_SHEETS // max(1, len(found.parts))))
    return [
        contact_sheet(part.name, measured.filter(part=part.name), thumbnail, count=count, seed=seed, workers=workers)
        for part in found.parts[: _ON_SHEETS // _LEAST_ON_A_SHEET]
    ]


def _face_sheets(measured: pl.DataFrame, thumbnail: Any, seed: int, workers: int) -> list[Sheet]:
    kinds = {"No face found": pl.col("faces") == 0, "Several faces": pl.col("faces") > 1}
    sheets = [
        contact_sheet(title, measured.filter(kind), thumbnail, count=_ON_A_SHEET, seed=seed, workers=workers)
        for title, kind in kinds.items()
    ]
    return [sheet for sheet in sheets if sheet.pictures]


def _figure(value: float | None) -> str:
    """Write a number with three significant digits, and thousands in full."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _code(text: str) -> Markup:
    """Escape a text and set what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(harmless(text)))))


def _csv(table: pl.DataFrame) -> bytes:
    return table_bytes(table)
