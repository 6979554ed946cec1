"""The verb `fauxlens detect`: evidence about pictures, row by row, with one line that sums it up."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from train.cli.outputs import WritePlace, own_file
from train.cli.terminal import Json, bar, print_json, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import DETECTED_LINES, DETECTED_TABLE, EVIDENCE_PAGE

if TYPE_CHECKING:
    from export.inference.detect_files import DetectedPicture, Result, Settings
    from export.inference.inputs import Input

# So many pictures get an overlay and all their rows on the terminal; more get a line each, unless asked for.
MANY = 20


@verb(ElaError, DataError, TrainError, ExportError)
def detect_verb(
    files: Annotated[
        list[str],
        typer.Argument(help="Pictures, folders, patterns, - for standard input, URLs (with --fetch)."),
    ],
    model: Annotated[
        Path | None, typer.Option(help="A .tflite or a bundle.", show_default="the shipped detector")
    ] = None,
    at: Annotated[str, typer.Option(help="Operating point: balanced, fpr-1% or fpr-0.5%.")] = "balanced",
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for the heatmap overlays."),
        # The folder that nobody named need not be writable: then there are no overlays.
        WritePlace("folder", place=lambda given: given["out"] if given["overlay"] or given["out"] != Path() else None),
    ] = Path(),
    overlay: Annotated[
        bool | None,
        typer.Option("--overlay/--no-overlay", help="Draw overlays.", show_default=f"up to {MANY} pictures"),
    ] = None,
    full_size: Annotated[bool, typer.Option("--full-size", help="Draw overlays in the size of the picture.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download http and https URLs.")] = False,
    traces: Annotated[
        bool,
        typer.Option(
            "--traces",
            help="Also detect resampling and double JPEG compression (slow; always on with --report).",
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write the evidence for one picture as a web page."),
        own_file(".html", ".htm", mark=EVIDENCE_PAGE),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Also write a table."),
        own_file(".csv", "", mark=DETECTED_TABLE),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Also write one JSON document per line, as results arrive."),
        own_file(".jsonl", ".ndjson", "", mark=DETECTED_LINES),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes.", show_default="one per core")
    ] = None,
    as_json: Json = False,
) -> None:
    """Classify pictures as real or AI-generated, with evidence: file metadata, faces, the detector's score."""
    from export.inference.detect_files import DetectedPicture, Settings, detect_files, detector_path, opened
    from export.inference.detector import threshold_of
    from export.inference.fetch import read_address
    from export.inference.inputs import find_inputs
    from export.inference.lines import all_lines, one_line
    from export.inference.records import FORMAT, about, result_record

    settings = Settings(detector_path(model), at, full_size, traces or report is not None)
    threshold_of(opened(settings.model).description, at)
    inputs = find_inputs(files, stdin=sys.stdin.buffer, fetch=read_address if fetch else None)
    if report is not None and len(inputs) != 1:
        raise ExportError(f"--report takes one picture, but {len(inputs)} are given: give one.")
    is_long = len(inputs) > MANY
    if overlay if overlay is not None else not is_long and report is None:
        inputs = _placed(inputs, out)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    plain: list[dict[str, Any]] = []
    status = 0
    with ExitStack() as stack:
        sinks = [sink for sink in (_csv_sink(csv, stack), _jsonl_sink(jsonl, stack)) if sink]
        progress = stack.enter_context(bar("evaluating", as_json or len(inputs) == 1))
        results = detect_files(inputs, settings, workers=workers or os.cpu_count() or 1)
        for done, result in enumerate(stack.enter_context(closing(results)), 1):
            for sink in sinks:
                sink(result)
            if as_json:
                plain.append(result_record(result))
            elif (
                lines := one_line(result)
                if is_long and isinstance(result, DetectedPicture)
                else all_lines(result, width)
            ):
                typer.echo(lines)
            for sentence in _problems(result):
                print_lines(sentence, err=True)
            status = max(status, _status(result))
            if report is not None and isinstance(result, DetectedPicture):
                _write_report(inputs[0], result, settings, report)
            progress(done, len(inputs))
    if as_json:
        detector = about(opened(settings.model), settings.model)
        print_json({"format": FORMAT, "detector": detector, "pictures": plain})
    raise typer.Exit(status)


def _placed(inputs: "list[Input]", out: Path) -> "list[Input]":
    """Inputs with places for their overlays; a folder that was not named and cannot be written only means none."""
    from export.inference.inputs import with_overlays
    from train.common.atomic import check_folder_writable

    try:
        check_folder_writable(out)
    except OSError:
        print_lines(
            f"No heatmaps are written: {out.absolute()} cannot be written; --out names another folder.", err=True
        )
        return inputs
    placed, kept = with_overlays(inputs, out)
    for sentence in kept:
        print_lines(sentence, err=True)
    return placed


def _csv_sink(path: Path | None, stack: ExitStack) -> "Callable[[Result], None] | None":
    from export.inference.records import COLUMNS, csv_line, csv_row

    if path is None:
        return None
    stream = _opened(path, stack)
    _write(path, stream, csv_line(list(COLUMNS)))
    return lambda result: _write(path, stream, csv_row(result))


def _jsonl_sink(path: Path | None, stack: ExitStack) -> "Callable[[Result], None] | None":
    from export.inference.records import result_record

    if path is None:
        return None
    stream = _opened(path, stack)
    return lambda result: _write(path, stream, json.dumps(result_record(result), allow_nan=False) + "\n")


def _opened(path: Path, stack: ExitStack) -> TextIO:
    """A text file that grows as results come: what was evaluated is kept when the rest is broken off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace", newline=""))


def _write(path: Path, stream: TextIO, line: str) -> None:
    from train.common.atomic import naming

    with naming(path):
        stream.write(line)
        stream.flush()


def _problems(result: "Result") -> list[str]:
    from export.inference.detect_files import NotRead

    if isinstance(result, NotRead):
        return [result.error]
    return [result.overlay_error] if result.overlay_error else []


def _status(result: "Result") -> int:
    """2 where a picture was not read or its overlay not written, 1 where no face was found or evaluated, else 0."""
    from export.inference.detect_files import DetectedPicture

    if not isinstance(result, DetectedPicture) or result.overlay_error:
        return 2
    picture_result = result.picture_result
    return 1 if picture_result.face_found is False or picture_result.worst is None else 0


def _write_report(one: "Input", found: "DetectedPicture", settings: "Settings", target: Path) -> None:
    from export.inference.report import write_picture_report
    from train.image.decode import read_picture_file

    data = read_picture_file(one.path) if one.path is not None else one.data or b""
    write_picture_report(found, data, settings, target)
    print_lines(f"report: {target}", err=True)
