"""An audit for people: the essentials for the terminal; the page has the rest."""

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from train.common.text import printable
from train.data.audit.audit import Audit
from train.data.audit.file_statistics import MeasureSpread, Part
from train.data.audit.findings import Finding
from train.data.audit.metadata_baseline import MetadataBaseline
from train.data.audit.sharpness import Sharpness
from train.data.manifest import SPLITS

_MAX_ROWS = 20
_MAX_SKIPPED = 5
_MAX_COLUMNS = 4
_TITLE = "Pictures and their files"
_STYLES = {"failure": "red", "warning": "yellow", "note": ""}


def render_audit(audit: Audit) -> list[RenderableType]:
    """Return what to print, in order: parts, what the file tells, pairs, sharpness, skipped files, findings, verdict.

    All fits 80 columns where names are short.
    """
    shown: list[RenderableType] = [_parts(audit)]
    if audit.baseline is not None:
        shown.append(_baselines(audit, audit.baseline))
    if audit.pairs:
        shown.append(_pairs(audit))
    if audit.sharpness is not None:
        shown.append(_sharpness(audit.sharpness))
    if audit.skipped:
        shown.append(_skipped(audit))
    shown += [_finding(finding) for finding in reversed(audit.found)]
    shown.append(Text(f"\n{printable(audit.verdict)}", style="bold red" if audit.failures else "bold green"))
    return shown


def size_words(part: Part) -> str:
    """Write the usual size of a part's pictures, with the share that has it if it is not all."""
    width, height = part.size
    return f"{width}x{height}" + ("" if part.size_share == 1 else f" ({part.size_share:.0%})")


def format_words(part: Part) -> str:
    """Write the formats of a part's files, and the usual quality of JPEG files."""
    formats = sorted(part.formats, key=lambda kind: -part.formats[kind])
    words = "/".join(formats)
    return words if part.quality is None else f"{words} q{part.quality}{'' if part.quality_share == 1 else '~'}"


def _parts(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=_TITLE)
    # Names may differ only at their ends.
    table.add_column("source", overflow="fold")
    table.add_column("label", no_wrap=True)
    for split in SPLITS:
        table.add_column(split, justify="right", no_wrap=True)
    for name in ("size", "format", "byte/px"):
        table.add_column(name, no_wrap=True)
    numbers = {(c.label, c.generator, c.source, c.split): c.pictures for c in audit.counts}
    density = {spread.name: spread for spread in audit.spreads if spread.measure == "bytes_per_pixel"}
    for part in audit.parts[:_MAX_ROWS]:
        key = (part.label, part.generator, part.source)
        table.add_row(
            _name(part.name),
            part.label,
            *(f"{numbers.get((*key, split), 0):,}" for split in SPLITS),
            size_words(part),
            format_words(part),
            _density(density[part.name]),
        )
    if len(audit.parts) > _MAX_ROWS:
        table.add_row(f"and {len(audit.parts) - _MAX_ROWS:,} more")
    table.add_section()
    totals = (sum(c.pictures for c in audit.counts if c.split == split) for split in SPLITS)
    table.add_row("all", "", *(f"{total:,}" for total in totals))
    return table


def _baselines(audit: Audit, baseline: MetadataBaseline) -> Table:
    table = Table("what separates real from fake without pixels", "AUC", box=box.SIMPLE_HEAD)
    table.add_row("all file facts together", _interval(baseline))
    for one in audit.features_alone:
        table.add_row(f"{one.words} alone", _interval(one.model))
    if audit.framing is not None:
        table.add_row("place and distance of the eyes", _interval(audit.framing))
    return table


def _pairs(audit: Audit) -> Table:
    title = "AUC of file facts by pair of sources (* matched)"
    reals = [part.name for part in audit.parts if part.label == "real"][:_MAX_COLUMNS]
    fakes = [part.name for part in audit.parts if part.label == "fake"][:_MAX_ROWS]
    table = Table("fake \\ real", *map(_name, reals), box=box.SIMPLE_HEAD, title=title)
    pairs = {(pair.real, pair.fake): pair for pair in audit.pairs}
    for fake in fakes:
        row = [pairs.get((real, fake)) for real in reals]
        cells = ("-" if p is None else f"{p.files.auc:.2f}{'*' if p.verdict == 'matched' else ''}" for p in row)
        table.add_row(_name(fake), *cells)
    return table


def _sharpness(sharpness: Sharpness) -> Table:
    table = Table("source", "label", box=box.SIMPLE_HEAD, title="Sharpness where the face is, dB (softest first)")
    for name in ("quarter", "median", "three quarters"):
        table.add_column(name, justify="right")
    for one in sharpness.sources:
        values = (f"{value:.1f}" for value in (one.lower, one.median, one.upper))
        table.add_row(_name(one.source), one.label, *values)
    return table


def _skipped(audit: Audit) -> Table:
    table = Table("left out", "why", box=box.SIMPLE_HEAD, title=f"Left out: {len(audit.skipped):,}")
    for skip in audit.skipped[:_MAX_SKIPPED]:
        table.add_row(_name(skip.path), _name(skip.reason))
    if len(audit.skipped) > _MAX_SKIPPED:
        table.add_row("...", f"and {len(audit.skipped) - _MAX_SKIPPED:,} more")
    return table


def _finding(finding: Finding) -> Text:
    text = Text()
    text.append(f"{finding.severity}: ", style=f"bold {_STYLES[finding.severity]}".strip())
    text.append(printable(finding.sentence))
    text.append(printable(finding.text.removeprefix(finding.sentence)), style="dim")
    return text


def _name(foreign: str) -> str:
    """A foreign name as it can be printed: neither a mark of Rich's nor one of the terminal's does anything."""
    return escape(printable(foreign))


def _density(spread: MeasureSpread) -> str:
    return "-" if spread.median is None else f"{spread.median:.2f}"


def _interval(model: MetadataBaseline) -> str:
    return f"{model.auc:.2f} [{model.low:.2f}, {model.high:.2f}]"
