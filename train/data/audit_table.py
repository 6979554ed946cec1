"""An audit for people: tables for the terminal."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from train.data.audit import MEASURES, Audit, Spread
from train.data.manifest import LABELS, SPLITS

_MAX_SKIPPED = 10


def render_audit(audit: Audit) -> list[RenderableType]:
    """Return what to print, in order: counts, file facts by class, skipped files, findings, failures."""
    shown: list[RenderableType] = [_counts(audit), _facts(audit)]
    if audit.skipped:
        shown.append(_skipped(audit))
    shown += [Text(sentence) for sentence in audit.findings]
    shown += [Text(sentence, style="red") for sentence in audit.failures]
    if not audit.failures:
        shown.append(Text("The audit passed.", style="green"))
    return shown


def _counts(audit: Audit) -> Table:
    table = Table("label", "generator", "source", title="Pictures")
    for split in SPLITS:
        table.add_column(split, justify="right")
    numbers = {(c.label, c.generator, c.source, c.split): c.pictures for c in audit.counts}
    for key in dict.fromkeys((c.label, c.generator, c.source) for c in audit.counts):
        table.add_row(*map(escape, key), *(f"{numbers.get((*key, split), 0):,}" for split in SPLITS))
    totals = (sum(c.pictures for c in audit.counts if c.split == split) for split in SPLITS)
    table.add_section()
    table.add_row("all", "", "", *(f"{total:,}" for total in totals))
    return table


def _facts(audit: Audit) -> Table:
    table = Table("file", *LABELS, title="Files by class: median (quartiles)")
    spreads = {(spread.measure, spread.label): spread for spread in audit.spreads}
    for measure in MEASURES:
        table.add_row(measure.replace("_", " "), *(_quartiles(spreads[measure, label]) for label in LABELS))
    table.add_row("format", *(_join(f"{name} {n:,}" for name, n in audit.formats[label].items()) for label in LABELS))
    return table


def _quartiles(spread: Spread) -> str:
    if spread.median is None:
        return "-"
    return f"{spread.median:.4g} ({spread.lower:.4g} to {spread.upper:.4g})"


def _skipped(audit: Audit) -> Table:
    table = Table("left out", "why", title=f"Left out: {len(audit.skipped):,}")
    for skip in audit.skipped[:_MAX_SKIPPED]:
        table.add_row(escape(skip.path), escape(skip.reason))
    if len(audit.skipped) > _MAX_SKIPPED:
        table.add_row("...", f"and {len(audit.skipped) - _MAX_SKIPPED:,} more")
    return table


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "-"
