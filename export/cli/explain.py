"""The verb `fauxlens explain`: a panel for each picture, or the mean heatmaps of a manifest."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.outputs import WritePlace
from train.cli.terminal import Json, bar, print_json, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError

if TYPE_CHECKING:
    from export.explain.explain_picture import ExplainedModel, Explanation


class RowChoice(StrEnum):
    """Which rows of a manifest count."""

    judged = "judged"
    all = "all"


def _sheets(folder: Path, given: Mapping[str, Any]) -> dict[Path, bytes]:
    """What is written into the output folder by names that are no picture's."""
    name, mark = ("mean-heatmaps", b'"operating_point"') if given["mean"] else ("local-fakes", b'"local_fakes"')
    wanted = given["mean"] or given["local_fakes"]
    return {folder / f"{name}.json": mark, folder / f"{name}.png": b""} if wanted else {}


@verb(ElaError, DataError, TrainError, ExportError)
def explain_verb(
    files: Annotated[list[Path] | None, typer.Argument(help="Pictures.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="A .tflite, a bundle or a run folder.", show_default="the shipped detector")
    ] = None,
    at: Annotated[str, typer.Option(help="Operating point: balanced, fpr-1% or fpr-0.5%.")] = "balanced",
    what: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="heatmap, overlay, planes; with a run folder also gradcam, gradcam++, scorecam, integrated-gradients, "
            "activations. Default: all that the model offers.",
        ),
    ] = None,
    mean: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="Instead of pictures: show mean heatmaps by class and generator."),
    ] = None,
    local_fakes: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Instead of pictures: measure how well heatmaps match the masks of `data reconstruct --regions`.",
        ),
    ] = None,
    rows: Annotated[
        RowChoice,
        typer.Option(help="With --mean: only rows that were not in training (judged), or all.", show_default=True),
    ] = RowChoice.judged,
    out: Annotated[Path, typer.Option("--out", help="Output folder."), WritePlace("folder", owned=_sheets)] = Path(),
    as_json: Json = False,
) -> None:
    """Explain a score by heatmaps, input planes and, with a run folder, Grad-CAM++ and other attributions."""
    if mean is not None:
        if files or what is not None or local_fakes is not None:
            raise ExportError("--mean takes a manifest instead of pictures, --what or --local-fakes: give one.")
        _explain_manifest(mean, model, at, rows, out, as_json)
        return
    if local_fakes is not None:
        if files or what is not None:
            raise ExportError("--local-fakes takes a folder instead of pictures and --what: give one or the other.")
        _measure_local_fakes(local_fakes, model, out, as_json)
        return
    if not files:
        raise ExportError("Nothing to explain: give pictures, a manifest with --mean or a folder with --local-fakes.")
    _explain_files(files, model, at, what, out, as_json)


def _explain_files(files: list[Path], model: Path | None, at: str, what: str | None, out: Path, as_json: bool) -> None:
    from export.explain.explain_picture import SENTENCE, explain_picture, open_subject, parts_to_show
    from export.explain.panels import draw_panel, panel_side
    from export.inference.detector import threshold_of
    from export.inference.evidence import verdict_sentence
    from export.inference.face_alignment import align_face
    from export.inference.records import about, record
    from train.common.own_files import drawing_places
    from train.image.decode import decode
    from train.image.drawing import save_drawing

    subject = open_subject(model)
    threshold_of(subject.detector.description, at)
    chosen = parts_to_show(subject, what)
    places = drawing_places([out / f"{file.name}.explained.png" for file in files], files)
    for sentence in places.kept:
        print_lines(sentence, err=True)
    pictures: list[dict[str, Any]] = []
    failed = False
    with bar("explaining", as_json) as progress:
        for done, (file, panel) in enumerate(zip(files, places.targets, strict=True), 1):
            progress(done - 1, len(files), f" {file.name}")
            try:
                picture = decode(file)
                aligned = align_face(subject.preprocessing.view, picture)
                looking, side = subject.through(aligned.view), panel_side(subject)
                explained = explain_picture(looking, picture, chosen, operating_point=at, eyes=aligned.eyes, side=side)
            except DataError as error:
                print_lines(str(error), err=True)
                failed = True
                pictures.append({"file": str(file), "error": str(error)})
                continue
            notes = (*aligned.notes, *explained.verdict.notes)
            save_drawing(draw_panel(subject, explained, chosen, file.name, notes), panel)
            pictures.append(record(file, explained.verdict, notes) | _plain(subject, explained) | {"panel": str(panel)})
            if not as_json:
                lines = [f"{file}: {verdict_sentence(explained.verdict)}", f"  panel: {panel}"]
                print_lines(*lines, *(f"  note: {note}" for note in notes))
    if as_json:
        detector = about(subject.detector, subject.path) | {"front_end": subject.preprocessing.front_end.text}
        print_json({"detector": detector, "shown": chosen, "caution": SENTENCE, "pictures": pictures})
    elif not all("error" in one for one in pictures):
        typer.echo(SENTENCE)
    if failed:
        raise typer.Exit(2)


def _plain(subject: "ExplainedModel", explained: "Explanation") -> dict[str, Any]:
    """An explanation for a JSON document; pictures are in the panel."""
    from export.explain.explain_picture import cosine_if_any

    spread, evidence, gradients = explained.spread, explained.evidence, explained.gradients
    plain: dict[str, Any] = {
        "heatmap_mean": spread.mean,
        "heatmap_share_above_half": spread.above_half,
        "heatmap_strongest": spread.strongest,
        "planes": {
            text: {"mean": float(plane.mean()), "largest": int(plane.max())} for text, plane in explained.planes
        },
    }
    if evidence is not None:
        plain["evidence"] = {
            "cells": evidence.cells.round(6).tolist(),
            "bias": evidence.bias,
            "logit": evidence.logit,
        }
        plain["maps"] = {
            name: {"cells": cells.tolist(), "cosine_to_heatmap": cosine_if_any(cells, explained.verdict.heatmap)}
            for name, cells in explained.maps.items()
        }
    if gradients is not None:
        plain["integrated_gradients"] = {
            "sum": gradients.total,
            "logit": gradients.logit,
            "blank_logit": gradients.blank_logit,
            "residual": gradients.residual,
            "complete": gradients.complete,
            "steps": gradients.steps,
        }
    if explained.activations:
        plain["activations"] = {
            one.layer: {"mean": float(one.mean.mean()), "strongest": [number for number, _ in one.strongest]}
            for one in explained.activations
        }
    return plain


def _explain_manifest(manifest: Path, model: Path | None, at: str, rows: RowChoice, out: Path, as_json: bool) -> None:
    import json

    from export.explain.mean_heatmaps import as_document, find_mean_heatmaps
    from export.explain.mean_sheet import draw_mean_sheet
    from train.common.atomic import write_atomically, write_text

    with bar("looking", as_json) as progress:
        found = find_mean_heatmaps(manifest, model, rows=rows.value, operating_point=at, on_progress=progress)
    sheet, numbers = out / "mean-heatmaps.png", out / "mean-heatmaps.json"
    document = as_document(found) | {"manifest": str(manifest)}
    # First: by it the sheet is known to be ours.
    write_text(numbers, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_atomically(sheet, partial(draw_mean_sheet(found, manifest.name).save, format="PNG"))
    if as_json:
        print_json(document | {"sheet": str(sheet)})
        return
    table = [
        (
            group.kind,
            group.title,
            str(group.n),
            f"{100 * group.empty:.1f} %",
            f"{group.mean.mean():.2f}",
            f"{100 * group.called_fake / group.n:.1f} %",
        )
        for group in found.groups
    ]
    columns = ("", "pictures", "n", "empty heatmaps", "mean of the heatmap", "called fake")
    print_table(f"{found.pictures} {rows.value} pictures of {manifest} by {found.path}", columns, table)
    print_lines(f"sheet: {sheet}", f"numbers: {numbers}")


def _measure_local_fakes(folder: Path, model: Path | None, out: Path, as_json: bool) -> None:
    import json

    from export.explain.explain_picture import open_subject
    from export.explain.localisation import COLUMNS, localisation_document, measure_localisation, table_rows
    from export.explain.localisation_sheet import draw_localisation_sheet
    from train.common.atomic import write_atomically, write_text

    subject = open_subject(model)
    found = measure_localisation(subject.detector, folder)
    sheet, numbers = out / "local-fakes.png", out / "local-fakes.json"
    document = {"local_fakes": str(folder), "groups": localisation_document(found.groups)}
    name = subject.detector.description.name
    write_text(numbers, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_atomically(sheet, partial(draw_localisation_sheet(found, name).save, format="PNG"))
    if as_json:
        print_json(document | {"sheet": str(sheet)})
        return
    print_table(f"Heatmaps of {name} on {folder}", COLUMNS, table_rows(found.groups))
    print_lines(f"sheet: {sheet}", f"numbers: {numbers}")
