"""The verb `fauxlens data faces`: where the faces are, for views that are cut around them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from train.cli.outputs import manifest_file
from train.cli.rows import DaskOption, ManifestFile, PartOption, chosen_part, parts_by_cluster, show_part
from train.cli.terminal import Json, bar, print_json, print_table, verb
from train.common.errors import DataError, TrainError

if TYPE_CHECKING:
    import polars as pl


@verb(DataError, TrainError)
def faces_verb(
    manifest: ManifestFile,
    finder: Annotated[
        Literal["blazeface", "mtcnn"],
        typer.Option(help="`blazeface`, as in the apps and `detect`, or `mtcnn`, as in the literature."),
    ] = "blazeface",
    skin_tone: Annotated[
        bool,
        typer.Option(
            "--skin-tone",
            help="Also estimate skin tone from the colour of the cheeks, as the attribute skin_tone_estimated.",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes.", show_default="one per core")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The manifest to write.", show_default="MANIFEST itself"),
        manifest_file(lambda given: given["out"] or given["manifest"]),
    ] = None,
    part: PartOption = None,
    dask: DaskOption = None,
    as_json: Json = False,
) -> None:
    """Find faces and write the eye positions into the manifest, for views with face(K)."""
    from train.common.parts import ALL
    from train.data.faces.finders import open_finder
    from train.data.faces.parts import faces_part_on_worker, find_part, write_faces_part, write_faces_whole
    from train.data.faces.skin_tone import estimate_skin_tones
    from train.data.manifest import followed, moved, read_manifest, write_manifest

    mine = chosen_part(part, dask)
    target = followed(out or manifest)
    detector = open_finder(finder)
    whole = moved(read_manifest(manifest), target.parent)
    if dask is not None:
        make = partial(faces_part_on_worker, manifest.resolve(), finder, skin_tone, target.resolve())
        found = write_faces_whole(parts_by_cluster(dask, make, "finding faces", as_json), target)
    else:
        with bar("finding faces", as_json) as progress:
            found = find_part(whole, mine or ALL, detector, target, workers=workers, on_progress=progress)
        if skin_tone:
            with bar("estimating skin tones", as_json) as progress:
                found = estimate_skin_tones(found, workers=workers, on_progress=progress)
        if mine is not None:
            show_part(write_faces_part(found, whole, mine, detector, target, skin_tone=skin_tone), mine, as_json)
            return
        write_manifest(found, target)
    rows = _face_counts(found.frame)
    if as_json:
        print_json([dict(zip(("source", "none", "one", "several"), row, strict=True)) for row in rows])
        return
    shown = [(source, *(f"{count:,}" for count in counts)) for source, *counts in rows]
    print_table(f"faces in {target}", ("source", "none", "one", "several"), shown)
    if skin_tone:
        _show_skin_tones(found.frame)


def _show_skin_tones(frame: "pl.DataFrame") -> None:
    from train.data.faces.skin_tone import ATTRIBUTE, NOTE

    counts = frame[ATTRIBUTE].value_counts().sort(ATTRIBUTE, nulls_last=True)
    rows = [(tone or "not estimated", f"{count:,}") for tone, count in counts.iter_rows()]
    print_table(ATTRIBUTE, ("class", "pictures"), rows)
    typer.echo(NOTE)


def _face_counts(frame: "pl.DataFrame") -> list[tuple[str, int, int, int]]:
    import polars as pl

    faces = pl.col("faces")
    table = frame.group_by("source").agg(none=(faces == 0).sum(), one=(faces == 1).sum(), several=(faces > 1).sum())
    return list(table.sort("source").iter_rows())
