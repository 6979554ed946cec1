"""An ablation written down: one table for a terminal, Markdown, LaTeX, HTML and CSV, and how to read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from train.common.atomic import write_text
from train.common.table_formats import csv_table, latex_table, markdown_table, markdown_text
from train.common.text import printable
from train.compare.ablate.figures import Ablation, AblationRow
from train.compare.bootstrap import METRICS, Metric
from train.compare.level import Level
from train.compare.seeds import NOTHING_FOUND, Difference
from train.compare.tables import TITLES, set_name, signed

NOTHING = "–"
HEADER = ("evaluated on", "arm", "mean [95 %]", "difference [95 %]", "finding")
FAILED_TITLE = "Failed trainings"
FAILED_HEADER = ("failed arm", "seed", "reason")
_WIDE = 100
"""Columns of a terminal from which on HEADER fits."""
_CSV_HEADER = (
    *("metric", "set", "label", "seen", "pictures", "groups", "arm", "seeds", "mean", "low", "high", "by_seed"),
    *("difference", "difference_low", "difference_high", "p", "adjusted_p", "verdict", "failure"),
)
_STYLE = """
:root { --paper: #fdfdfc; --ink: #1d2126; --faint: #b9bec4; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e6e8ea; --faint: #565e66; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; padding: .2rem .6rem; vertical-align: top; font-weight: normal; }
thead th { border-bottom: 1px solid var(--ink); }
tbody tr.first > * { border-top: 1px solid var(--faint); }
"""


@dataclass(frozen=True)
class MetricTable:
    """The rows of one metric as plain text; every row has as many cells as HEADER, a repeated name is empty."""

    title: str
    rows: tuple[tuple[str, ...], ...]

    def fitted(self, width: int) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Header and rows for a terminal of so many columns: in a narrow one the sets stand above their arms."""
        if width >= _WIDE:
            return HEADER, self.rows
        rows: list[tuple[str, ...]] = []
        for name, arm, *cells in self.rows:
            rows += [(name, *("" for _ in cells))] if name else []
            rows.append((f"  {arm}", *cells))
        return HEADER[1:], tuple(rows)


def ablation_tables(ablation: Ablation) -> tuple[MetricTable, ...]:
    """A table a metric: under each set of pictures the arms, with their means and differences from the first."""
    found = []
    for metric in METRICS:
        mine = [row for row in ablation.rows if row.metric == metric]
        if mine:
            rows = tuple(cells for row in mine for cells in _cells(ablation, row))
            beside = f"difference from {printable(ablation.baseline)}"
            if not ablation.compared:
                beside = f"no difference, for the first arm ({printable(ablation.baseline)}) failed"
            found.append(MetricTable(f"{TITLES[metric]}: {beside}", rows))
    return tuple(found)


def failed_rows(ablation: Ablation) -> tuple[tuple[str, ...], ...]:
    """The trainings that failed, as plain text under FAILED_HEADER: arm, seed, reason."""
    return tuple((printable(one.arm), str(one.seed), printable(one.reason)) for one in ablation.failed)


def ablation_notes(ablation: Ablation) -> tuple[str, ...]:
    """Sentences under the table."""
    seeds = ", ".join(map(str, ablation.seeds))
    lost = [
        "Arms with a failed training are left out of the tables. Run the same command again to retry only these "
        "trainings."
    ]
    if not ablation.arms:
        return tuple(lost)
    said = [
        f"Mean over {'seeds' if len(ablation.seeds) > 1 else 'the seed'} {seeds}; `*`: in the training of at least "
        "one arm, so test pictures only. Fakes of each kind are compared with the same real test pictures; false "
        "alarms are "
        "reals called fake at the shipped 1 % threshold of each training.",
        "Intervals account for the variance of trainings (over seeds) and of pictures "
        f"({ablation.resamples:,} paired resamples of groups of near-duplicates).",
    ]
    if len(ablation.seeds) > 1:
        said.append(
            "Better or worse is stated only if p, adjusted by Holm for all differences of a metric, is below 0.05; "
            "otherwise brackets give the smallest difference that this study could have detected."
        )
    else:
        said.append("One seed cannot separate a gain from chance: differences need two or more.")
    return tuple(said + (lost if ablation.failed else []))


def ablation_markdown(ablation: Ablation) -> str:
    """The tables as Markdown, with the sentences."""
    parts = [f"# {markdown_text(ablation.title)}"]
    for table in ablation_tables(ablation):
        parts += [f"**{markdown_text(table.title)}**", markdown_table(HEADER, table.rows)]
    if ablation.failed:
        parts += [f"**{FAILED_TITLE}**", markdown_table(FAILED_HEADER, failed_rows(ablation))]
    return "\n\n".join([*parts, " ".join(ablation_notes(ablation))]) + "\n"


def ablation_latex(ablation: Ablation) -> str:
    """The tables in LaTeX, one `table` a metric, and one of what failed."""
    parts = [
        latex_table(HEADER, table.rows, f"{ablation.title}. {table.title}.", f"tab:ablation-{number}")
        for number, table in enumerate(ablation_tables(ablation), 1)
    ]
    if ablation.failed:
        caption = f"{ablation.title}. {FAILED_TITLE}."
        # A reason is a sentence, which has to be broken into lines.
        columns = r"llp{0.6\linewidth}"
        parts.append(latex_table(FAILED_HEADER, failed_rows(ablation), caption, "tab:ablation-failed", columns))
    return "\n".join(parts)


def ablation_html(ablation: Ablation) -> str:
    """The tables as a page of its own, light or dark as its reader has it."""
    title = escape(printable(ablation.title))
    body = [f"<h1>{title}</h1>"]
    for table in ablation_tables(ablation):
        body += _html_table(table.title, HEADER, table.rows)
    if ablation.failed:
        body += _html_table(FAILED_TITLE, FAILED_HEADER, failed_rows(ablation))
    body += [f"<p>{escape(sentence)}</p>" for sentence in ablation_notes(ablation)]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    yield f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>"
    for name, *cells in rows:
        first = ' class="first"' if name else ""
        line = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f'<tr{first}><th scope="row">{escape(name)}</th>{line}</tr>'
    yield "</tbody></table>"


def ablation_csv(ablation: Ablation) -> str:
    """Every figure of every arm as a row of plain numbers, 0..1; a training that failed is a row with its reason."""
    return csv_table(_CSV_HEADER, list(_csv_rows(ablation)))


def write_tables(ablation: Ablation, folder: Path) -> tuple[Path, ...]:
    """Write `ablation.md`, `.tex`, `.html` and `.csv` into a folder; return their paths."""
    texts = {
        "html": ablation_html(ablation),
        "md": ablation_markdown(ablation),
        "tex": ablation_latex(ablation),
        "csv": ablation_csv(ablation),
    }
    paths = {kind: folder / f"ablation.{kind}" for kind in texts}
    # The table first: by it the others are known to be ours (train.common.own_files).
    for kind in reversed(texts):
        write_text(paths[kind], texts[kind])
    return tuple(paths.values())


def _cells(ablation: Ablation, row: AblationRow) -> Iterator[tuple[str, ...]]:
    name = printable(set_name(row.set, row.metric))
    for arm, level, one in zip(ablation.arms, row.levels, row.differences, strict=True):
        yield (name, printable(arm), _level(level, row.metric), *_difference(one, row.metric))
        name = ""


def _level(level: Level, metric: Metric) -> str:
    if metric == "auc":
        return f"{level.value:.3f} [{level.low:.3f}, {level.high:.3f}]"
    return f"{100 * level.value:.1f} % [{100 * level.low:.1f}, {100 * level.high:.1f}]"


def _difference(one: Difference | None, metric: Metric) -> tuple[str, str]:
    if one is None:
        return NOTHING, ""
    bounds = ", ".join(signed(bound, metric) for bound in (one.contrast.low, one.contrast.high))
    found = one.verdict
    if found == NOTHING_FOUND:
        found = f"({one.detectable:.3f})" if metric == "auc" else f"({100 * one.detectable:.1f} %)"
    return f"{signed(one.contrast.value, metric)} [{bounds}]", found


def _csv_rows(ablation: Ablation) -> Iterator[tuple[object, ...]]:
    seeds = " ".join(map(str, ablation.seeds))
    for row in ablation.rows:
        about = (row.metric, row.set.name, row.set.label, row.set.seen, row.set.pictures, row.set.groups)
        for arm, level, one in zip(ablation.arms, row.levels, row.differences, strict=True):
            by_seed = " ".join(f"{value:.6g}" for value in level.by_seed)
            compared: tuple[object, ...] = ("",) * 6
            if one is not None:
                contrast = one.contrast
                compared = (contrast.value, contrast.low, contrast.high, contrast.p, one.adjusted_p, one.verdict)
            yield (*about, arm, seeds, level.value, level.low, level.high, by_seed, *compared, "")
    for lost in ablation.failed:
        yield (*("",) * 6, lost.arm, lost.seed, *("",) * 10, lost.reason)
