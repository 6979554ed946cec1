"""Left-out figures as tables for a terminal, Markdown, LaTeX and CSV, and as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from train.common.table_formats import csv_table, latex_table, markdown_table, markdown_text
from train.compare.leave_out.figures import FEWEST_GROUPS, LeftOutRow, SchemeResult
from train.compare.level import Level
from train.evaluate.metrics import Interval
from train.evaluate.report.attribute_tables import TextTable

NOTHING = "–"
TOO_FEW = "too few"
TITLES = {
    "generator": "Each generator left out of training",
    "source": "Each source left out of training",
    "matrix": "Trained on one generator, tested on each",
}
HOW_TO_READ = (
    "Mean over trainings that differ only in the seed, with a 95 % interval that accounts for the variance of "
    "trainings and pictures (with one training, of pictures only).",
    "AUC: chance that a fake scores above a real one; 0.5 is guessing. Rates in %: fakes caught at 1 % false alarms "
    "(TPR at 1 % FPR), and reals called fake at the detector's own 1 % point.",
    "Seen: AUC of fakes, false alarms of reals in %, on test pictures of the trainings that had it. Metadata: the AUC "
    "of a classifier of file metadata (size, format, JPEG quality, bytes) on these pictures, trained on the same "
    "training pictures.",
)


def leave_out_tables(result: SchemeResult, width: int = 80) -> tuple[TextTable, ...]:
    """What a terminal of so many columns shows of a scheme."""
    title = f"{title_of(result.scheme)}: {trainings_of(result)}"
    if result.scheme == "matrix":
        return (_matrix(result, title, width),)
    return (
        TextTable(
            title,
            ("left out", "pictures", "AUC [95 %]", "seen", "metadata"),
            tuple(
                (_name(row), f"{row.pictures:,}", _auc(row), _seen(row, "fake"), _metadata(row, interval=False))
                for row in result.rows
            ),
        ),
        TextTable(
            "Rates in %: fakes caught at 1 % false alarms; reals called fake at the 1 % point",
            ("left out", "pictures", "rate [95 %]", "seen"),
            tuple((_name(row), f"{row.pictures:,}", _rate(row), _seen(row, "real")) for row in result.rows),
        ),
    )


def title_of(scheme: str) -> str:
    """A scheme in words."""
    count = scheme.removeprefix("folds:")
    return TITLES.get(scheme, f"{count} folds: generators and cameras left out at once")


def wide_table(result: SchemeResult) -> TextTable:
    """Everything in one table, for paper and page."""
    if result.scheme == "matrix":
        pairs = tuple(
            (
                ", ".join(result.trained_on[row.plan]),
                f"{row.name}{'*' if row.seen else ''}",
                f"{row.pictures:,}",
                _auc(row),
                _rate(row),
                _metadata(row),
            )
            for row in result.rows
        )
        header = ("trained on", "tested on", "pictures", "AUC", "TPR at 1 % FPR (%)", "metadata AUC")
        return TextTable(title_of(result.scheme), header, pairs)
    heading = ("left out", "against", "pictures", "AUC", "rate (%)", "seen: AUC, of reals %", "metadata AUC")
    rows = tuple(
        (
            f"{row.name}, {row.label}s",
            row.against,
            f"{row.pictures:,}",
            _auc(row),
            _rate(row),
            _seen(row, row.label),
            _metadata(row),
        )
        for row in result.rows
    )
    return TextTable(title_of(result.scheme), heading, rows)


def leave_out_findings(result: SchemeResult) -> tuple[str, ...]:
    """What stands out, and what cannot be said; each a sentence."""
    said = []
    new = [row for row in result.rows if not row.seen and row.label == "fake" and row.against == "reals in training"]
    if found := [(row.auc.value, row) for row in new if row.auc is not None]:
        worst = min(found, key=lambda one: one[0])[1]
        what = "other generators than the one in training" if result.scheme == "matrix" else "what was left out"
        trained = f" (trained on {', '.join(result.trained_on[worst.plan])})" if result.scheme == "matrix" else ""
        said.append(f"Mean AUC on {what}: {fmean(value for value, _ in found):.3f}; lowest on {worst.name}{trained}.")
    beaten = [
        row.name
        for row in new
        if row.auc is not None and row.metadata is not None and row.metadata.value >= row.auc.low
    ]
    if beaten:
        said.append(
            f"File metadata alone reaches as much, within the interval, on {_listed(beaten)}: these results may come "
            "from metadata."
        )
    if few := [row.name for row in result.rows if row.auc is None]:
        said.append(f"Too few pictures (under {FEWEST_GROUPS} without near-duplicates): {_listed(few)}.")
    if dropped := sum({(row.plan, row.label, row.name): row.dropped for row in result.rows}.values()):
        said.append(
            f"{dropped:,} left-out pictures do not count, because a near-duplicate or another picture of their group "
            "was in training."
        )
    if result.spared:
        said.append(f"Not left out, because a split would then lack a class: {_listed(result.spared)}.")
    if len(result.seeds) < 2:
        said.append("One training each: the intervals do not include the variance of training; use --seeds 3 or more.")
    return tuple(said)


def leave_out_markdown(results: Sequence[SchemeResult]) -> str:
    """All schemes as Markdown, with the sentences of `leave_out_findings` and how to read the tables."""
    parts = []
    for result in results:
        table = wide_table(result)
        parts += [f"**{markdown_text(table.title)}**, {trainings_of(result)}", markdown_table(table.header, table.rows)]
        parts.append("\n".join(f"- {markdown_text(one)}" for one in leave_out_findings(result)))
    parts.append(" ".join(HOW_TO_READ))
    return "\n\n".join(filter(None, parts)) + "\n"


def leave_out_latex(results: Sequence[SchemeResult]) -> str:
    """All schemes as LaTeX tables, to be read by `\\input`."""
    parts = []
    for result in results:
        table = wide_table(result)
        caption = f"{table.title}: {trainings_of(result)}. {' '.join(HOW_TO_READ)}"
        parts.append(latex_table(table.header, table.rows, caption, f"tab:{result.scheme}"))
    return "\n".join(parts)


CSV_HEADER = (
    "scheme", "plan", "trained_on", "name", "label", "seen", "against", "pictures", "groups", "dropped", "metric",
    "value", "low", "high", "seeds", "seeds_se", "pictures_se", "when_seen", "metadata_auc", "metadata_low",
    "metadata_high",
)  # fmt: skip


def leave_out_csv(results: Sequence[SchemeResult]) -> str:
    """Every figure of every row, one a line; values in 0..1, nothing where there are too few pictures."""
    return csv_table(CSV_HEADER, [line for result in results for row in result.rows for line in _lines(result, row)])


def _lines(result: SchemeResult, row: LeftOutRow) -> list[list[Any]]:
    metadata = ["", "", ""] if row.metadata is None else [row.metadata.value, row.metadata.low, row.metadata.high]
    lines = []
    for metric, level in (("auc", row.auc), ("tpr_at_1" if row.label == "fake" else "false_alarms", row.rate)):
        same = metric == ("auc" if row.label == "fake" else "false_alarms")
        figures: list[Any] = [""] * 6
        if level is not None:
            by_seed = " ".join(f"{seed}:{value!r}" for seed, value in zip(result.seeds, level.by_seed, strict=True))
            figures = [level.value, level.low, level.high, by_seed, level.seeds_se, level.pictures_se]
        lines.append(
            [
                result.scheme, row.plan, " ".join(result.trained_on[row.plan]), row.name, row.label, row.seen,
                row.against, row.pictures, row.groups, row.dropped, metric, *figures, row.when_seen if same else "",
                *(metadata if metric == "auc" else [""] * 3),
            ]
        )  # fmt: skip
    return lines


def _matrix(result: SchemeResult, title: str, width: int) -> TextTable:
    """Trained on down, tested on across; where that is too wide, one line a pair."""
    tested = sorted({row.name for row in result.rows})
    plans = list(result.trained_on)
    cells = {(row.plan, row.name): f"{_auc(row, interval=False)}{'*' if row.seen else ''}" for row in result.rows}
    header = ("trained on", *tested)
    rows = tuple(
        (", ".join(result.trained_on[plan]), *(cells.get((plan, name), NOTHING) for name in tested)) for plan in plans
    )
    widest = (max(map(len, column)) for column in zip(header, *rows, strict=True))
    # A border and a blank on both sides of each column.
    if sum(one + 3 for one in widest) + 1 <= width:
        return TextTable(f"{title}; AUC, * was in training", header, rows)
    lines = tuple(
        (
            ", ".join(result.trained_on[row.plan]),
            f"{row.name}{'*' if row.seen else ''}",
            _auc(row),
            _metadata(row, interval=False),
        )
        for row in result.rows
    )
    return TextTable(f"{title}; * was in training", ("trained on", "tested on", "AUC [95 %]", "metadata"), lines)


def _name(row: LeftOutRow) -> str:
    if row.against == "reals left out":
        return f"{row.name} (reals left out too)"
    return row.name if row.label == "fake" else f"{row.name} (reals)"


def trainings_of(result: SchemeResult) -> str:
    """How many trainings of which seeds a scheme has, in words."""
    seeds = ", ".join(map(str, result.seeds))
    several = f"{len(result.seeds)} seeds each ({seeds})" if len(result.seeds) > 1 else f"seed {seeds}"
    return f"{len(result.trained_on)} trainings, {several}"


def _auc(row: LeftOutRow, interval: bool = True) -> str:
    if row.auc is None:
        return TOO_FEW
    return f"{row.auc.value:.3f}" + (f" [{row.auc.low:.3f}, {row.auc.high:.3f}]" if interval else "")


def _rate(row: LeftOutRow) -> str:
    return TOO_FEW if row.rate is None else _percent(row.rate)


def _percent(level: Level) -> str:
    return f"{100 * level.value:.1f} [{100 * level.low:.1f}, {100 * level.high:.1f}]"


def _seen(row: LeftOutRow, label: str) -> str:
    """What the trainings reach that had it: AUC of fakes, of reals the false alarms in %."""
    if row.when_seen is None or row.label != label:
        return NOTHING
    return f"{row.when_seen:.3f}" if label == "fake" else f"{100 * row.when_seen:.1f}"


def _metadata(row: LeftOutRow, interval: bool = True) -> str:
    one: Interval | None = row.metadata
    if one is None:
        return NOTHING
    return f"{one.value:.3f}" + (f" [{one.low:.3f}, {one.high:.3f}]" if interval else "")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
