"""A comparison as tables of short text, and what it comes to in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from train.common.table_formats import markdown_table, markdown_text
from train.compare.bootstrap import METRICS, Metric, PictureSet
from train.compare.seeds import BETTER, NOTHING_FOUND, WORSE, ArmComparison, BlockFigures, Difference, Figure

TITLES: dict[Metric, str] = {
    "auc": "AUC",
    "tpr_at_1": "TPR at 1 % FPR",
    "false_alarms": "false alarms",
}
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Table:
    """A table of plain text; every row has as many cells as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def comparison_tables(comparison: ArmComparison) -> tuple[Table, ...]:
    """For each block the table of what the arms reach, and where there are other arms the table of differences."""
    tables = []
    for block in comparison.blocks:
        where = f" ({block.name})" if block.name else ""
        seeds = f"seeds {', '.join(map(str, block.seeds))}"
        tables.append(Table(f"What each reaches{where}: mean over {seeds}, lowest to highest", *_figures_table(block)))
        if block.differences:
            title = f"Difference from {comparison.key} = {comparison.baseline}{where}, with 95 % interval"
            tables.append(Table(title, *_differences_table(block)))
    return tuple(tables)


def comparison_findings(comparison: ArmComparison) -> tuple[str, ...]:
    """For each block and arm what was found, metric after metric."""
    return tuple(_sentence(comparison, block, arm.name) for block in comparison.blocks for arm in block.arms[1:])


def comparison_notes(comparison: ArmComparison) -> tuple[str, ...]:
    """Sentences under the tables: what the figures are, and what they cannot say."""
    family = ", ".join(f"{_counts(comparison, metric)} of {TITLES[metric]}" for metric in METRICS)
    return (
        "`*`: in training. Fakes of each kind are compared with the same real test pictures; false alarms are reals "
        "called fake at the shipped 1 % threshold of each training, TPR at 1 % FPR has its threshold on the test "
        "pictures. Figures in % are rates, their differences percentage points.",
        "Intervals account for the variance of trainings (over seeds, t distribution with few degrees of "
        f"freedom) and of pictures ({comparison.resamples:,} paired resamples of groups of near-duplicates).",
        f"p is adjusted by Holm for all differences of its metric in a table ({family}): better or worse only where "
        "p < 0.05. So an interval may exclude 0 without being a finding.",
        f"Otherwise there is {NOTHING_FOUND}, which does not mean that there is no difference: brackets give the "
        "smallest difference that this study could have detected.",
        "The tables do not show how results vary with other training pictures.",
    )


def comparison_markdown(comparison: ArmComparison) -> str:
    """The tables as Markdown, with the sentences of `comparison_findings` and `comparison_notes`."""
    parts = []
    for table in comparison_tables(comparison):
        parts += [f"**{markdown_text(table.title)}**", markdown_table(table.header, table.rows)]
    found = "\n".join(f"- {markdown_text(sentence)}" for sentence in comparison_findings(comparison))
    if found:
        parts += ["**What was found**", found]
    parts.append(" ".join(comparison_notes(comparison)))
    return "\n\n".join(parts) + "\n"


def set_name(one: PictureSet, metric: Metric) -> str:
    """What a row is about, with `*` where it was in training, and how many pictures it has."""
    what = f"reals of {_name(one)}" if metric == "false_alarms" else _name(one)
    return f"{what} ({one.pictures:,})"


def signed(value: float, metric: Metric) -> str:
    """A difference with its sign: AUC with three decimals, rates in percentage points with one."""
    text = f"{value:+.3f}" if metric == "auc" else f"{100 * value:+.1f}"
    # What rounds to nothing has no sign.
    return (text[1:] if float(text) == 0 else text).replace("-", MINUS)


def _figures_table(block: BlockFigures) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    by_arm = [{(one.metric, one.set): one for one in arm.figures} for arm in block.arms]
    rows = tuple(
        (set_name(one, metric), TITLES[metric], *(_figure(figures[metric, one]) for figures in by_arm))
        for metric, one in by_arm[0]
    )
    return ("evaluated on", "", *(arm.name for arm in block.arms)), rows


def _differences_table(block: BlockFigures) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    cells = {(one.arm, one.metric, one.set): _difference(one) for one in block.differences}
    arms = [arm.name for arm in block.arms[1:]]
    kinds = dict.fromkeys((one.metric, one.set) for one in block.differences)
    rows = tuple(
        (set_name(one, metric), TITLES[metric], *(cells[arm, metric, one] for arm in arms)) for metric, one in kinds
    )
    return ("evaluated on", "", *arms), rows


def _figure(figure: Figure) -> str:
    low, high = min(figure.by_seed), max(figure.by_seed)
    if figure.metric == "auc":
        return f"{figure.mean:.3f} ({low:.3f} to {high:.3f})"
    return f"{100 * figure.mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _difference(one: Difference) -> str:
    bounds = ", ".join(signed(bound, one.metric) for bound in (one.contrast.low, one.contrast.high))
    called = f"({_size(one.detectable, one.metric)})"
    if one.verdict != NOTHING_FOUND:
        called = f"{one.verdict}, {_p(one.adjusted_p)}"
    return f"{signed(one.contrast.value, one.metric)} [{bounds}] {called}"


def _sentence(comparison: ArmComparison, block: BlockFigures, arm: str) -> str:
    where = f" ({block.name})" if block.name else ""
    parts = []
    for metric in METRICS:
        mine = [one for one in block.differences if (one.arm, one.metric) == (arm, metric)]
        results = [
            f"{verdict} on {', '.join(_name(one.set) for one in found)}"
            for verdict in (BETTER, WORSE)
            if (found := [one for one in mine if one.verdict == verdict])
        ]
        if nothing := [one for one in mine if one.verdict == NOTHING_FOUND]:
            sizes = sorted(one.detectable for one in nothing)
            needed = " to ".join(dict.fromkeys(_size(size, metric) for size in (sizes[0], sizes[-1])))
            which = f"any of {len(mine)}" if not results else ", ".join(_name(one.set) for one in nothing)
            results.append(f"{NOTHING_FOUND} on {which} (none below {needed} could have been called)")
        parts.append(f"{TITLES[metric]}: {'; '.join(results)}")
    return f"{arm} against {comparison.baseline}{where}: {'. '.join(parts)}."


def _counts(comparison: ArmComparison, metric: Metric) -> str:
    counts = sorted({block.family[metric] for block in comparison.blocks if block.differences})
    return " or ".join(map(str, counts)) or "0"


def _size(value: float, metric: Metric) -> str:
    return f"{value:.3f}" if metric == "auc" else f"{100 * value:.1f} %"


def _name(one: PictureSet) -> str:
    return f"{one.name}{'*' if one.seen else ''}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p {value:.3f}" if value < 0.1 else f"p {value:.2f}"
