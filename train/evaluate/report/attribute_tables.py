"""Groups of people as tables of short text, sentences, and a CSV table beside the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from train.common.documents import quote_formula
from train.common.text import first_names
from train.data.faces.skin_tone import ATTRIBUTE as ESTIMATED
from train.data.faces.skin_tone import NOTE
from train.evaluate.by_attribute import ENOUGH, AttributeGroup, ByAttribute, Gap
from train.evaluate.evaluation import POINTS, Called, Point
from train.evaluate.formatting import percent
from train.evaluate.metrics import Interval

POINT_WORDS: dict[Point, str] = {"balanced": "balanced", "fpr_1": "1 % point", "fpr_05": "0.5 % point"}
NOTHING = "–"
MOST_NAMES = 12


@dataclass(frozen=True)
class TextTable:
    """A table of plain text that fits 80 columns; every row has as many cells as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def group_tables(found: ByAttribute) -> tuple[TextTable, ...]:
    """False alarms of each group; where fakes have the attribute, also what is caught, and the AUC."""
    points = tuple(POINT_WORDS.values())
    who = f"{found.model}, by {found.by}"
    tables = [
        TextTable(
            f"{who}: reals called fake (FPR) in %, 95 % interval",
            (found.by, "reals", *points),
            tuple((one.name, f"{one.n_real:,}", *_rates(one.reals)) for one in found.groups),
        )
    ]
    if any(one.n_fake for one in found.groups):
        caught = tuple((one.name, f"{one.n_fake:,}", *_rates(one.fakes)) for one in found.groups)
        tables.append(
            TextTable(f"{who}: fakes called fake (TPR) in %, 95 % interval", (found.by, "fakes", *points), caught)
        )
        auc = tuple((one.name, f"{one.n_real:,}", f"{one.n_fake:,}", _auc(one)) for one in found.groups)
        tables.append(TextTable(f"{who}: AUC, 95 % interval", (found.by, "reals", "fakes", "AUC"), auc))
    return tuple(tables)


def group_findings(found: ByAttribute) -> tuple[str, ...]:
    """The gaps with their levels, and what cannot be said; each a sentence."""
    if not found.groups:
        return (f"By {found.by}: no reported picture has a value, so nothing can be said.",)
    said = [_gap_sentence(gap) for gap in found.gaps if gap.rate in ("fpr", "tpr")]
    said += [one for rate in ("called_fake", "accuracy") if (one := _joint_sentence(found, rate))]
    if found.equalised_odds:
        parts = (
            f"{_number(one.gap)} points at the {_point(one.point)} point ({one.rate.upper()})"
            for one in found.equalised_odds
        )
        said.append(f"Equalised odds, the larger of both gaps (F_MEO): {'; '.join(parts)}.")
    for kind, few, count in (
        ("real", found.too_few_reals, sum(one.n_real for one in found.groups)),
        ("fake", found.too_few_fakes, sum(one.n_fake for one in found.groups)),
    ):
        if not count:
            said.append(f"No {kind} picture has a value of {found.by}: there are no results for {kind}s.")
        elif few:
            said.append(f"Too few {kind}s (under {ENOUGH}): {first_names(few, MOST_NAMES)}.")
    if ESTIMATED in found.by.split("+"):
        said.append(NOTE)
    if found.without:
        said.append(f"{found.without:,} reported pictures without a value of {found.by} are in no group.")
    return tuple(said)


def groups_csv(every: Sequence[ByAttribute]) -> str:
    """Every rate of every group, then every gap, one a line.

    `enough`: whether a gap may speak of the group. Of a gap `group` is highest - lowest and `chance` as in `Gap`.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["model", "by", "group", "n_real", "n_fake", "enough", "metric", "point", "value", "low", "high", "chance"]
    )
    for found in every:
        for row in (*_group_rows(found), *_gap_rows(found)):
            cells = [found.model, found.by, *row]
            writer.writerow([quote_formula(cell) if isinstance(cell, str) else cell for cell in cells])
    return buffer.getvalue()


def _group_rows(found: ByAttribute) -> Iterator[list[Any]]:
    for one in found.groups:
        head = [one.name, one.n_real, one.n_fake]
        for metric, called, few in (
            ("fpr", one.reals, found.too_few_reals),
            ("tpr", one.fakes, found.too_few_fakes),
        ):
            for point in POINTS if called is not None else ():
                yield [*head, one.name not in few, metric, point, *asdict(getattr(called, point)).values(), ""]
        if one.auc is not None:
            yield [*head, True, "auc", "", *asdict(one.auc).values(), ""]


def _gap_rows(found: ByAttribute) -> Iterator[list[Any]]:
    for gap in found.gaps:
        pair = f"{gap.highest} - {gap.lowest}"
        yield [pair, "", "", True, f"{gap.rate}_gap", gap.point, gap.gap, "", "", gap.chance]
    for one in found.equalised_odds:
        yield [one.rate, "", "", True, "equalised_odds", one.point, one.gap, "", "", ""]


def _gap_sentence(gap: Gap) -> str:
    kind = "Reals" if gap.rate == "fpr" else "Fakes"
    where = f"{kind} called fake at the {_point(gap.point)} point"
    if gap.gap == 0:
        return f"{where}: no gap between {gap.groups} groups, all {_rate(gap.highest_rate)} %."
    return (
        f"{where}: {gap.highest} {_rate(gap.highest_rate)} %, {gap.lowest} {_rate(gap.lowest_rate)} %, a gap of "
        f"{_number(gap.gap)} points, the largest of {gap.groups} groups; chance alone gives one as large in "
        f"{percent(gap.chance)} of regroupings."
    )


JOINT_WORDS: dict[str, str] = {
    "called_fake": "Demographic parity, all pictures called fake (F_DP)",
    "accuracy": "Accuracy, largest gap (F_OAE)",
}


def _joint_sentence(found: ByAttribute, rate: str) -> str:
    """A gap of both classes together at all points; empty where there is none."""
    parts = [
        f"{_number(gap.gap)} points at the {_point(gap.point)} point ({gap.highest} "
        f"{_number(gap.highest_rate.value)} %, {gap.lowest} {_number(gap.lowest_rate.value)} %; "
        f"chance alone {percent(gap.chance)})"
        for gap in found.gaps
        if gap.rate == rate
    ]
    return (
        f"{JOINT_WORDS[rate]}: {'; '.join(parts)}. It depends on the mix of real and fake in each group."
        if parts
        else ""
    )


def _point(point: Point) -> str:
    return POINT_WORDS[point].removesuffix(" point")


def _rates(called: Called | None) -> tuple[str, ...]:
    if called is None or called.n < ENOUGH:
        return (NOTHING if called is None else "too few",) * len(POINTS)
    return tuple(_rate(getattr(called, point)) for point in POINTS)


def _rate(rate: Interval) -> str:
    return f"{_number(rate.value)} [{_number(rate.low)}, {_number(rate.high)}]"


def _number(value: float) -> str:
    """A fraction in per cent, with a decimal below 10: at most four characters, or a table outgrows 80 columns."""
    text = f"{100 * value:.1f}"
    return text if len(text) < 4 and value else f"{100 * value:.0f}"


def _auc(group: AttributeGroup) -> str:
    if group.auc is None:
        return "too few" if group.n_real and group.n_fake else NOTHING
    return f"{group.auc.value:.3f} [{group.auc.low:.3f}, {group.auc.high:.3f}]"
