"""The verb `fauxlens data audit`: in the terminal, as JSON, as a page; with the pixels; and equalised."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.outputs import OUTPUT_FOLDER, WritePlace
from train.cli.rows import ManifestFile
from train.cli.terminal import Json, bar, console, print_json, print_lines, verb
from train.common.errors import DataError, TrainError
from train.common.own_files import AUDIT, COPIES, in_folder

if TYPE_CHECKING:
    from train.data.audit.audit import Audit
    from train.data.audit.findings import Finding
    from train.data.audit.limits import AuditLimits
    from train.data.audit.sharpness import Sharpness
    from train.data.manifest import Manifest
    from train.data.scan.skipped import Skipped


@verb(DataError, TrainError)
def audit_verb(
    manifest: ManifestFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for an HTML page with figures and contact sheets, JSON and CSV."),
        # What only the pixels tell is written beside the manifest where no folder is named.
        WritePlace(
            "folder",
            place=lambda given: given["out"] or (given["manifest"].parent if given["pixels"] else None),
            owned=lambda folder, given: in_folder(folder, AUDIT if given["out"] else {COPIES: AUDIT[COPIES]}),
        ),
    ] = None,
    pixels: Annotated[
        bool,
        typer.Option(
            "--pixels", help="Also read pixels: find transformed copies and processing traces, and compare sharpness."
        ),
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option("--limit", help="NAME=VALUE or NAME=none, e.g. null_auc=0.6. Repeatable."),
    ] = None,
    equalise: Annotated[
        Path | None,
        typer.Option(help="Folder for a copy of all pictures in one size and JPEG quality, which is audited too."),
        OUTPUT_FOLDER,
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the equalised squares in pixels.", show_default="proposed")
    ] = None,
    quality: Annotated[
        int | None, typer.Option(help="JPEG quality of the equalised pictures.", show_default="proposed")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check data for leaks, conflicting labels and file-format shortcuts. Exit status 1 if a check fails."""
    from train.data.audit.audit import audit
    from train.data.audit.limits import parse_limits
    from train.data.manifest import read_manifest
    from train.data.scan.skipped import read_skipped

    limits = parse_limits(limit or ())
    if equalise is None and (size is not None or quality is not None):
        raise DataError("--size and --quality are those of --equalise FOLDER: name the folder too.")
    whole = read_manifest(manifest)
    skipped = read_skipped(manifest)
    extra: tuple[Finding, ...] = ()
    sharpness = None
    if pixels:
        there, changed = _unchanged(whole, as_json)
        extra, sharpness = _from_pixels(there, out or manifest.parent, as_json)
        skipped = (*skipped, *changed)
    found = audit(whole, skipped, limits, extra=extra, sharpness=sharpness)
    _write(found, whole, out, manifest.name, as_json)
    document = found.document
    if equalise is not None:
        before = found
        found, made = _equalised(whole, limits, equalise, size, quality, as_json)
        _write(found, made, out and out / "equalised", f"{manifest.name}, equalised", as_json)
        document["equalised"] = found.document
        if not as_json:
            print_lines(f"file metadata alone: {_auc(before)} before, {_auc(found)} after; {equalise / 'manifest.csv'}")
    if as_json:
        print_json(document)
    # With --equalise it is the equalised pictures that have to do.
    if found.failures:
        raise typer.Exit(1)


def _write(found: "Audit", manifest: "Manifest", out: Path | None, title: str, silent: bool) -> None:
    page = None
    if out is not None:
        # Brings Matplotlib and Jinja, which the terminal does without.
        from train.data.audit.html import write_audit

        page = write_audit(found, manifest, out, title=title).html
    if silent:
        return
    from train.data.audit.table import render_audit

    console().print(*render_audit(found), sep="\n")
    if page is not None:
        print_lines(f"page: {page}")


def _unchanged(manifest: "Manifest", silent: bool) -> "tuple[Manifest, tuple[Skipped, ...]]":
    """The pictures that are those of the scan, and the others: one damaged file must not stop the search."""
    from train.data.manifest import Manifest
    from train.data.rows import why_changed
    from train.data.scan.skipped import Skipped

    rows = manifest.frame.to_dicts()
    kept, changed = [], []
    with bar("comparing files", silent) as progress:
        for number, row in enumerate(rows):
            why = why_changed(manifest, row)
            kept.append(why is None)
            if why is not None:
                changed.append(Skipped(row["path"], f"{why.rstrip('.')}. Its pixels were not checked."))
            progress(number + 1, len(rows))
    if not any(kept):
        raise DataError(f"{changed[0].reason} No picture of the manifest is as it was scanned: scan again.")
    return Manifest(manifest.frame.filter(kept), manifest.folder), tuple(changed)


def _from_pixels(manifest: "Manifest", folder: Path, silent: bool) -> "tuple[tuple[Finding, ...], Sharpness]":
    """Find what only the pixels tell; the pairs of copies are written for `data split --join`."""
    from train.data.audit.pixels.processing_traces import find_processing_traces, processing_traces_findings
    from train.data.audit.pixels.transformed_copies import (
        find_transformed_copies,
        transformed_copies_findings,
        write_transformed_copies,
    )
    from train.data.audit.sharpness import measure_sharpness, sharpness_findings

    with bar("looking for copies", silent) as progress:
        copies = find_transformed_copies(manifest, on_progress=progress)
    write_transformed_copies(copies, folder / COPIES)
    with bar("measuring sharpness", silent) as progress:
        sharpness = measure_sharpness(manifest, on_progress=progress)
    traces = processing_traces_findings(find_processing_traces(manifest))
    return (*transformed_copies_findings(copies, manifest), *traces, *sharpness_findings(sharpness)), sharpness


def _equalised(
    manifest: "Manifest", limits: "AuditLimits", folder: Path, size: int | None, quality: int | None, silent: bool
) -> "tuple[Audit, Manifest]":
    from train.data.audit.audit import audit
    from train.data.audit.equalise import equalise, propose_target

    target = propose_target(manifest.frame)
    with bar("equalising", silent) as progress:
        made, dropped = equalise(
            manifest,
            folder,
            size=target.size if size is None else size,
            quality=target.quality if quality is None else quality,
            on_progress=progress,
        )
    return audit(made, dropped, limits), made


def _auc(found: "Audit") -> str:
    from train.data.audit.shortcut_rules import auc_in_words

    return "not fitted" if found.baseline is None else auc_in_words(found.baseline)
