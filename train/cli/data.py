"""The verbs of `fauxlens data`: from folders of pictures to an audited, packed manifest."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from train.cli.app import App, group_in_order
from train.cli.audit import ManifestFile, audit_verb
from train.cli.croissant import croissant_verb
from train.cli.merge import merge_verb
from train.cli.outputs import OUTPUT_FOLDER, OUTPUT_WHOLE_FOLDER, WritePlace
from train.cli.reconstruct import reconstruct_verb
from train.cli.rows import OutManifest, PartOption, chosen_part, counts_of, show_counts, show_part
from train.cli.show import show_verb
from train.cli.terminal import Json, bar, command, console, print_json, print_lines, print_table, verb
from train.common.errors import DataError, TrainError

if TYPE_CHECKING:
    import polars as pl

data_app = App(
    cls=group_in_order(
        (
            "list",
            "get",
            "sample",
            "scan",
            "show",
            "merge",
            "faces",
            "reconstruct",
            "audit",
            "split",
            "croissant",
            "pack",
        )
    ),
    help="Download, scan, check, split and pack data.",
    no_args_is_help=True,
)
data_app.command("merge")(merge_verb)
data_app.command("audit")(audit_verb)
data_app.command("reconstruct")(reconstruct_verb)
data_app.command("show")(show_verb)
data_app.command("croissant")(croissant_verb)
_verb = verb(DataError, TrainError)
_SHOWN = 10

CardName = Annotated[str | None, typer.Option("--card", help="A card of `data list`, or your own TOML file.")]


@data_app.command("list")
@_verb
def data_list(as_json: Json = False) -> None:
    """List the dataset cards that come with Fauxlens: contents, licence and how to get them."""
    from train.data.cards.registry import card_rows, card_table, shipped_cards

    rows = card_rows(shipped_cards())
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        console().print(card_table(rows))


@data_app.command("get")
@_verb
def data_get(
    card: Annotated[str, typer.Argument(help="A card of `data list`, or your own TOML file.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the dataset.", show_default="runs/data/NAME"),
        WritePlace("whole folder", place=lambda given: given["out"] or _dataset_folder(given["card"])),
    ] = None,
) -> None:
    """Download a dataset as its card says. To resume an interrupted download, run it again."""
    from train.data.cards.registry import find_card
    from train.data.get.getting import get_dataset

    found = find_card(card)
    folder = out or _dataset_folder(card)
    with bar("fetching", unit="bytes") as progress:
        get_dataset(
            found,
            folder,
            now=datetime.now(UTC),
            on_progress=lambda done, total, what: progress(done, total, f" ({what})"),
        )
    print_lines(
        f"{found.title}: {folder}",
        f"licence: {found.licence}",
        f"next: {command('data', 'scan', folder, '--card', card)}",
    )


@data_app.command("sample")
@_verb
def data_sample(
    folder: Annotated[Path, typer.Argument(help="Folder for the pictures."), OUTPUT_WHOLE_FOLDER],
    count: Annotated[int, typer.Option(min=30, help="Number of portraits.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 2026,
) -> None:
    """Draw sample data: simple portraits that exercise the pipeline. They are not real faces."""
    from train.data.sample.make import make_sample

    with bar("drawing") as progress:
        make_sample(folder, count=count, seed=seed, on_progress=progress)
    print_lines(f"{count} drawn portraits in {folder}; next: {command('data', 'scan', folder)}")


@data_app.command("scan")
@_verb
def data_scan(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with real/ and fake/ in a common layout, or in the layout of --card."),
    ],
    card: CardName = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="Without a card: the name of the source.",
            show_default="the folder's name",
        ),
    ] = None,
    out: OutManifest = Path("manifest.csv"),
    trust: Annotated[
        Literal["cache", "nothing"],
        typer.Option(help="`cache` skips unchanged files; `nothing` reads all files again."),
    ] = "cache",
    part: PartOption = None,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask",
            metavar="ADDRESS",
            help="Scan on the Dask cluster with this scheduler, e.g. tcp://10.0.0.1:8786.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Scan a folder of pictures into a manifest: one row per image, near-duplicates grouped, splits assigned."""
    from train.data.cards.expected_counts import compare_counts
    from train.data.manifest import followed
    from train.data.scan.folder import scan_folder, scan_folder_part

    mine = chosen_part(part)
    if mine is not None and dask is not None:
        raise DataError(f"--dask makes all parts and merges them: leave out --part {part}.")
    out = followed(out)
    with bar("scanning", as_json) as progress:
        callbacks: Any = {
            "on_unpacking": lambda done, total: progress(done, total, " (unpacking)"),
            "on_progress": progress,
        }
        if dask is not None:
            from train.data.scan.dask_cluster import scan_on_dask

            found = scan_on_dask(dask, folder, out, card=card, source=source, trust=trust, **callbacks)
        elif mine is None:
            found = scan_folder(folder, out, card=card, source=source, trust=trust, **callbacks)
        else:
            path = scan_folder_part(folder, out, mine, card=card, source=source, trust=trust, **callbacks)
    if mine is not None:
        show_part(path, mine, as_json)
        return
    unmet = compare_counts(found.card.name, found.card.expected, found.manifest.frame)
    if as_json:
        counts = counts_of(found.manifest.frame)
        skips = [asdict(one) for one in found.skipped]
        print_json({"manifest": out, "counts": counts.to_dicts(), "skipped": skips, "expected": unmet})
        return
    show_counts(found.manifest.frame, out)
    for sentence in unmet:
        print_lines(sentence)
    if found.skipped:
        for one in found.skipped[:_SHOWN]:
            print_lines(f"skipped: {one.reason}")
        print_lines(f"{len(found.skipped):,} skipped, listed with reasons in {found.skipped_path}")


@data_app.command("faces")
@_verb
def data_faces(
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
        WritePlace("file", place=lambda given: given["out"] or given["manifest"], replaces=True),
    ] = None,
    part: PartOption = None,
    as_json: Json = False,
) -> None:
    """Find faces and write the eye positions into the manifest, for views with face(K)."""
    from train.common.parts import ALL
    from train.data.faces.mtcnn import mtcnn_detector
    from train.data.faces.parts import find_part, write_faces_part
    from train.data.faces.skin_tone import estimate_skin_tones
    from train.data.manifest import followed, moved, read_manifest, write_manifest
    from train.image.face_finder.finder import blazeface_detector

    mine = chosen_part(part)
    target = followed(out or manifest)
    detector = mtcnn_detector() if finder == "mtcnn" else blazeface_detector()
    whole = moved(read_manifest(manifest), target.parent)
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


@data_app.command("split")
@_verb
def data_split(
    manifest: ManifestFile,
    split_spec: Annotated[
        str,
        typer.Argument(
            help="shares:0.7/0.15/0.15, folds:5, fold:2/5, leave-out:NAME,..., leave-each-out:generator, or keep.",
        ),
    ] = "keep",
    out: Annotated[Path, typer.Option("--out", help="Folder for the new manifests."), OUTPUT_FOLDER] = Path("splits"),
    join: Annotated[
        Path | None, typer.Option(help="copies.csv of `data audit --pixels`: put each pair into one group.")
    ] = None,
) -> None:
    """Split a manifest again by group: shares, k folds, or generators left out of training."""
    from train.data.audit.pixels.transformed_copies import read_transformed_copies
    from train.data.manifest import moved, read_manifest, write_manifest
    from train.data.resplit import join_groups, parse_split_specs, resplit_all

    found = read_manifest(manifest)
    if join is not None:
        found = join_groups(found, [(copy.first, copy.second) for copy in read_transformed_copies(join)])
    specs = () if split_spec == "keep" else parse_split_specs(split_spec, found)
    results = resplit_all(found, specs) if specs else [(manifest.stem, found)]
    for name, result in results:
        path = out / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_manifest(moved(result, out), path)
        show_counts(result.frame, path)


@data_app.command("pack")
@_verb
def data_pack(
    manifest: ManifestFile,
    view: Annotated[str, typer.Option(help="Preprocessing, e.g. 'upright|square|resize(128)'.")],
    unclear_faces: Annotated[
        Literal["drop", "centre", "keep"],
        typer.Option(help="With face(K): skip pictures with no face or several, crop their centre, or keep them."),
    ] = "drop",
    out: Annotated[Path, typer.Option("--out", help="Folder for packed stores."), OUTPUT_FOLDER] = Path("runs/packed"),
    part: PartOption = None,
) -> None:
    """Preprocess all pictures once, so that training need not decode them. `train` does this automatically."""
    from train.data.manifest import read_manifest
    from train.data.store import pack
    from train.data.store_parts import pack_part
    from train.image.view import parse_view

    mine = chosen_part(part)
    if mine is not None:
        with bar("packing") as progress:
            path = pack_part(
                read_manifest(manifest), parse_view(view), mine, out, unclear=unclear_faces, on_progress=progress
            )
        show_part(path, mine, as_json=False)
        return
    with bar("packing") as progress:
        store = pack(read_manifest(manifest), parse_view(view), out, unclear=unclear_faces, on_progress=progress)
    dropped = f", {store.dropped} with no or several faces dropped" if store.dropped else ""
    print_lines(f"{len(store.pixels)} pictures as {store.view.text} in {out}{dropped}")


def _dataset_folder(card: str) -> Path:
    return Path("runs") / "data" / Path(card).name.removesuffix(".toml")


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
