"""The verb `fauxlens threshold`: operating points for a setting of one's own, in a copy of the detector."""

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.outputs import WritePlace
from train.cli.rows import ManifestFile
from train.cli.terminal import Json, bar, command, print_json, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import BUNDLE, DETECTOR

if TYPE_CHECKING:
    from export.release.threshold import Rechosen
    from train.evaluate.evaluation import Called
    from train.evaluate.thresholds import Goal

FORMAT = 1


@verb(ElaError, DataError, TrainError, ExportError)
def threshold_verb(
    detector: Annotated[Path, typer.Argument(help="A .tflite or a bundle.")],
    manifest: ManifestFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The copy to write.", show_default="the detector's name with -own"),
        WritePlace(
            "file",
            endings=(".zip", ".tflite"),
            place=lambda given: given["out"] or _copy_of(given["detector"]),
            owned=lambda path, _: {path: BUNDLE if path.suffix.lower() == ".zip" else DETECTOR},
        ),
    ] = None,
    false_alarms: Annotated[
        str,
        typer.Option(metavar="RATE", help="Highest share of real pictures called fake, below 50 %, e.g. 1%."),
    ] = "",
    recall: Annotated[str, typer.Option(metavar="RATE", help="Lowest share of fakes called fake, e.g. 90%.")] = "",
    cost: Annotated[
        str,
        typer.Option(
            metavar="FP:FN", help="Minimise the cost, where a false alarm costs FP and a missed fake FN, e.g. 1:5."
        ),
    ] = "",
    conformal: Annotated[
        str,
        typer.Option(
            metavar="RATE",
            help="At most this share (below 50 %) of new reals is called fake, and of new fakes real; the rest is "
            "unsure; e.g. 5%.",
        ),
    ] = "",
    prevalence: Annotated[
        str,
        typer.Option(
            metavar="RATE", help="Expected share of fakes, for --cost and for the statements about false alarms."
        ),
    ] = "1/50",
    split: Annotated[
        str,
        typer.Option(metavar="all|train|val|test", help="Choose on this split only and keep the others for testing."),
    ] = "all",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Your name, for the model card.", show_default="your login"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose new thresholds for a detector on your own pictures and write them into a copy."""
    from export.release.threshold import rechoose
    from train.evaluate.thresholds import parse_rate

    goal = _goal(false_alarms, recall, cost, conformal, prevalence)
    target = out or _copy_of(detector)
    with bar("scoring", as_json) as show:
        found = rechoose(
            detector,
            manifest,
            target,
            goal,
            who=_login() if by is None else by,
            today=datetime.now(UTC).date(),
            split=split,
            prevalence=parse_rate(prevalence, "--prevalence"),
            on_progress=show,
        )
    if as_json:
        print_json({"format": FORMAT, **asdict(found)})
        return
    print_table(f"{found.n_real:,} reals, {found.n_fake:,} fakes", _COLUMNS, _rows(found))
    for sentence in (found.goal_sentence, *found.sentences):
        print_lines(sentence)
    print_lines(f"written: {found.written}")
    print_lines(f"next, on other pictures: {command('evaluate', found.written, 'OTHER-MANIFEST')}")


_COLUMNS = ("point", "fake from", "unsure from", "reals called fake", "reals unsure", "fakes called fake")


def _rows(found: "Rechosen") -> list[tuple[str, ...]]:
    from export.release.threshold import POINT_FIELDS

    return [
        (
            name,
            f"{found.after[name].fake_from:.4f}\nwas {found.before[name].fake_from:.4f}",
            f"{found.after[name].unsure_from:.4f}\nwas {found.before[name].unsure_from:.4f}",
            _rate(found.reals, fake),
            _rate(found.reals, unsure),
            _rate(found.fakes, fake),
        )
        for name, (fake, unsure) in POINT_FIELDS.items()
    ]


def _rate(called: "Called | None", name: str) -> str:
    if called is None:
        return "–"
    rate = getattr(called, name)
    return f"{100 * rate.value:.1f} %\n{100 * rate.low:.1f}–{100 * rate.high:.1f}"


def _goal(false_alarms: str, recall: str, cost: str, conformal: str, prevalence: str) -> "Goal":
    from train.evaluate.thresholds import (
        Conformal,
        Cost,
        FalseAlarms,
        Recall,
        parse_costs,
        parse_error_rate,
        parse_rate,
    )

    asked = [text for text in (false_alarms, recall, cost, conformal) if text]
    if len(asked) != 1:
        raise TrainError(
            f"{len(asked)} goals are given: choose one of --false-alarms 1%, --recall 90%, --cost FP:FN and "
            "--conformal 5%."
        )
    if false_alarms:
        return FalseAlarms(parse_error_rate(false_alarms, "--false-alarms"))
    if recall:
        return Recall(parse_rate(recall, "--recall"))
    if conformal:
        return Conformal(parse_error_rate(conformal, "--conformal"))
    return Cost(*parse_costs(cost, "--cost"), parse_rate(prevalence, "--prevalence"))


def _copy_of(detector: Path) -> Path:
    return Path(f"{detector.stem}-own{detector.suffix}")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
