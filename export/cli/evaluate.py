"""The verb `fauxlens evaluate`: detectors on a manifest, as a report."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from train.cli.compare import show_evaluations
from train.cli.outputs import folder_of
from train.cli.rows import DaskOption, PartOption, chosen_part, parts_by_cluster, show_part
from train.cli.terminal import Json, bar, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import REPORT

if TYPE_CHECKING:
    from train.common.parts import WorkPart
    from train.evaluate.selection import Which


@verb(ElaError, DataError, TrainError, ExportError)
def evaluate_verb(
    model: Annotated[
        Path,
        typer.Argument(
            help="A run folder, a .tflite, a bundle, an .onnx, or a .csv or .parquet of another tool's scores."
        ),
    ],
    manifest: Annotated[
        Path, typer.Argument(help="A manifest made by `data scan`, or a folder of pictures, which is scanned first.")
    ],
    beside: Annotated[Path | None, typer.Option(help="Another model to compare on the same pictures.")] = None,
    robustness: Annotated[
        str,
        typer.Option(
            metavar="none|standard", help="Evaluate compressed, downscaled, blurred and noisy pictures as well."
        ),
    ] = "none",
    pictures: Annotated[
        int,
        typer.Option(
            min=2, help="Maximum number of pictures for --robustness and --bias-score, balanced over sources."
        ),
    ] = 400,
    bias_score: Annotated[
        bool,
        typer.Option(
            "--bias-score",
            help="Also score each class resaved with the size and JPEG quality of the other.",
        ),
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            metavar="ATTRIBUTES",
            help="Compare groups of people by attributes of the manifest, e.g. sex,age,sex+race (+ intersects).",
        ),
    ] = "",
    split: Annotated[
        Literal["test", "all"],
        typer.Option(
            help="Rows of sources that were in training: the `test` split only, or `all`. Other rows are always "
            "evaluated. --robustness never uses training pictures."
        ),
    ] = "test",
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="Name of the model in the report; give it twice with --beside.",
            show_default="the file's name",
        ),
    ] = None,
    card: Annotated[
        str | None, typer.Option("--card", help="For a folder: a card of `data list`, or your own TOML file.")
    ] = None,
    scores_at: Annotated[
        str,
        typer.Option(
            "--scores-at",
            metavar="COLUMN|OUTPUT:INDEX",
            help="Where to find the score for fake: a table's column, or an output of a third-party model.",
        ),
    ] = "",
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Also write each picture's scores as scores.parquet.")
    ] = False,
    view: Annotated[
        str,
        typer.Option(metavar="VIEW", help="View for a third-party .tflite or .onnx, e.g. square|resize(224)."),
    ] = "",
    pixels_range: Annotated[
        str,
        typer.Option(
            "--pixels", metavar="RANGE", help="Pixel range of a third-party model: 0..255, 0..1, -1..1 or imagenet."
        ),
    ] = "",
    out: Annotated[Path, typer.Option("--out", help="Folder for the report."), folder_of(REPORT)] = Path("report"),
    part: PartOption = None,
    dask: DaskOption = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores",
            metavar="TABLE",
            help="Report on scores that `data merge` merged from parts, instead of running the model.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a detector on a manifest: per generator, with intervals, as HTML, JSON and CSV."""
    from export.release.evaluate import evaluate_models, model_names
    from export.release.scanned_folder import manifest_of

    mine = chosen_part(part, dask)
    if dask is not None:
        alone = {"--beside": beside, "--scores": scores, "--scores-at": scores_at, "--view": view}
        if given := [one for one, value in alone.items() if value]:
            raise TrainError(f"--dask scores one model of Fauxlens, in parts: leave out {given[0]}.")
    if mine is not None:
        for_reports = {
            "--beside": beside,
            "--robustness": robustness != "none",
            "--bias-score": bias_score,
            "--by": by,
            "--name": bool(name),
            "--card": card,
            "--scores-at": scores_at,
            "--parquet": parquet,
            "--view": view,
            "--scores": scores,
        }
        _evaluate_part(model, manifest, out, mine, split, [one for one, given in for_reports.items() if given], as_json)
        return
    models = [one for one in (model, beside) if one]
    if not view and pixels_range:
        raise ExportError("--pixels is for third-party models: give --view too.")
    model_names(models, name or ())
    with bar("scanning", as_json) as progress:
        scanned = manifest_of(manifest, [] if view else models, out, card=card, on_progress=progress)
    if scanned != manifest and not as_json:
        print_lines(f"{manifest} is scanned into {scanned}")
    if dask is not None:
        scores = _scores_by_cluster(dask, model, scanned, out, split, as_json)
    with bar("scoring", as_json) as progress:
        found = evaluate_models(
            models,
            scanned,
            out,
            on_progress=progress,
            robustness=robustness,
            pictures=pictures,
            by=by,
            which=split,
            names=name or (),
            scores_at=scores_at,
            bias_score=bias_score,
            parquet=parquet,
            view=view,
            pixels_range=pixels_range,
            scores=scores,
        )
    if as_json:
        typer.echo(found.paths.json.read_text(encoding="utf-8"))
        return
    show_evaluations(found.evaluations)
    if found.shortcuts:
        print_lines(found.shortcuts.sentence)
        if found.shortcuts.bias:
            bias = found.shortcuts.bias
            print_lines(
                f"Bias score {bias.score:.3f}: AUC {bias.auc_before.value:.3f} becomes {bias.auc_after.value:.3f} "
                f"when each of {bias.n_real} reals and {bias.n_fake} fakes is saved as one of the other class is."
            )
    if found.robustness:
        from train.evaluate.robustness.results import hardest

        for evaluation in found.evaluations:
            print_lines(hardest(found.robustness.of(evaluation.name)))
    if found.by_attribute:
        from train.evaluate.report.attribute_tables import group_findings, group_tables

        for one in found.by_attribute:
            for table in group_tables(one):
                print_table(table.title, table.header, table.rows)
            for sentence in group_findings(one):
                print_lines(sentence)
        print_lines(f"groups: {found.paths.groups}")
    for note in found.notes:
        print_lines(note)
    print_lines(f"report: {found.paths.html}; each picture's scores: {out / 'scores.csv'}")


def _scores_by_cluster(dask: str, model: Path, manifest: Path, out: Path, split: "Which", as_json: bool) -> Path:
    """Let the workers of a Dask cluster score a manifest in parts; write the table of all and return its path."""
    from export.release.evaluate_part import evaluate_part
    from train.data.part_files import remove_parts
    from train.evaluate.scores import write_scores
    from train.evaluate.scores_parts import SCORES, merge_scores_parts

    make = partial(evaluate_part, model.resolve(), manifest.resolve(), out.resolve(), which=split)
    parts = parts_by_cluster(dask, make, "scoring", as_json)
    write_scores(merge_scores_parts(parts), out / SCORES)
    remove_parts(parts)
    return out / SCORES


def _evaluate_part(
    model: Path, manifest: Path, out: Path, part: "WorkPart", split: "Which", refused: list[str], as_json: bool
) -> None:
    from export.release.evaluate_part import evaluate_part

    if refused:
        raise TrainError(f"--part only scores pictures: omit {refused[0]}, which is for the report on all parts.")
    if manifest.is_dir():
        raise DataError(f"{manifest} is a folder, but --part needs a manifest: make one with `fauxlens data scan`.")
    with bar("scoring", as_json) as progress:
        path = evaluate_part(model, manifest, out, part, which=split, on_progress=progress)
    show_part(path, part, as_json)
