"""The verb `fauxlens export`: a quantised run to `.tflite` variants, references, bundle and report."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.compare import show_evaluations
from train.cli.outputs import OUTPUT_WHOLE_FOLDER, WritePlace, folder_of
from train.cli.terminal import Json, command, print_json, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError
from train.common.own_files import EXPORTED, REPORT, in_folder


@verb(ElaError, DataError, TrainError, ExportError)
def export_verb(
    run: Annotated[Path, typer.Argument(help="A run folder made by `train`.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Output folder.", show_default="RUN/export"),
        WritePlace(
            "folder",
            place=lambda given: given["out"] or given["run"] / "export",
            owned=lambda folder, _: in_folder(folder, EXPORTED) | in_folder(folder / "report", REPORT),
        ),
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST", help="Take the bundle's reference pictures from this manifest instead of the run's own."
        ),
    ] = None,
    local_fakes: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Output of `data reconstruct --regions`: report and card get how well heatmaps match its masks.",
        ),
    ] = None,
    android: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write a slim bundle for an app's assets into this folder."),
        folder_of({"bundle.zip": EXPORTED["bundle.zip"]}),
    ] = None,
    web: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write a web site that runs the detector in the browser."),
        OUTPUT_WHOLE_FOLDER,
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the .tflite variants, the bundle with its references, the model card and a report of a quantised run."""
    from export.artifacts.slim import write_slim
    from export.release.pipeline import export_run
    from export.release.variants import NOTES, lying, variants_document
    from train.fit.run_folder import open_run

    if web:
        from export.web.site import check_site_folder, write_site

        check_site_folder(web)
    made = export_run(
        open_run(run),
        out or run / "export",
        reference_manifest=references,
        local_fakes=local_fakes,
        log=lambda line: print_lines(line, err=True),
    )
    paths = {"bundle": made.bundle, "table": made.table, "report": made.report}
    if android:
        paths["android"] = write_slim(made.bundle, android)
    if web:
        paths["web"] = write_site(made.bundle, web)
    if as_json:
        print_json(variants_document(made.comparison) | {"paths": paths})
        return
    print_table(f"{made.bundle} ships {made.default}: {made.why}", *lying(made.comparison.variants))
    print_lines(*NOTES, made.comparison.machine.sentence)
    show_evaluations(made.evaluations)
    if android:
        print_lines(f"for the app: {paths['android']}")
    if web:
        print_lines(f"web page: {paths['web']}")
    print_lines(f"table: {made.table}", f"report: {made.report}", f"next: {command('verify', made.bundle)}")
