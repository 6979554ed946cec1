"""The verbs of `fauxlens data`: from folders of pictures to an audited, packed manifest."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from train.data.errors import DataError
from train.errors import TrainError
from train.terminal import Json, bar, print_json, print_table, verb

data_app = typer.Typer(help="Get, read, check and prepare data.", no_args_is_help=True)
_verb = verb(DataError, TrainError)
ManifestFile = Annotated[Path, typer.Argument(help="A manifest made by `data scan`.")]


@data_app.command("sample")
@_verb
def data_sample(
    folder: Annotated[Path, typer.Argument(help="A folder to make.")],
    count: Annotated[int, typer.Option(min=30, help="How many portraits.")] = 600,
    seed: Annotated[int, typer.Option(min=0)] = 2026,
) -> None:
    """Draw the built-in sample: stand-ins to see the pipeline work, not faces to learn from."""
    from train.data.sample.make import make_sample

    with bar("drawing") as move:
        make_sample(folder, count=count, seed=seed, on_progress=move)
    typer.echo(f"{count} drawn portraits in {folder}; next: fauxlens data scan {folder}")


@data_app.command("scan")
@_verb
def data_scan(
    folder: Annotated[Path, typer.Argument(help="A folder with real/ and fake/ (or fake/GENERATOR/) in it.")],
    card: Annotated[Path | None, typer.Option(help="A dataset card (TOML) for any other layout.")] = None,
    out: Annotated[Path, typer.Option("--out", help="The manifest to write.")] = Path("manifest.csv"),
    as_json: Json = False,
) -> None:
    """Read a folder of pictures into a manifest: one row an image, near-duplicates grouped, splits made."""
    from train.data.cards import read_card, usual_layout
    from train.data.manifest import read_manifest, write_manifest
    from train.data.scan import scan

    layout = read_card(card) if card else usual_layout()
    previous = read_manifest(out) if out.exists() else None
    with bar("scanning", as_json) as move:
        manifest, skipped = scan(folder, layout, manifest_path=out, previous=previous, on_progress=move)
    write_manifest(manifest, out)
    counts = manifest.frame.group_by("label", "generator", "source", "split").len().sort("label", "generator", "source")
    if as_json:
        print_json({"manifest": out, "counts": counts.to_dicts(), "skipped": [asdict(one) for one in skipped]})
        return
    totals = counts.pivot("split", index=["label", "generator", "source"], values="len").fill_null(0)
    splits = ("train", "val", "test")
    rows = [
        (row["label"], row["generator"], row["source"], *(str(row.get(split, 0)) for split in splits))
        for row in totals.to_dicts()
    ]
    print_table(f"{manifest.frame.height} pictures -> {out}", ("label", "generator", "source", *splits), rows)
    for one in skipped:
        typer.echo(f"skipped: {one.path}: {one.reason}")
    if skipped:
        typer.echo(f"{len(skipped)} skipped.")


@data_app.command("audit")
@_verb
def data_audit(manifest: ManifestFile, as_json: Json = False) -> None:
    """Look for leaks, conflicts and file-format shortcuts; exit status 1 when the data fails."""
    from rich.console import Console

    from train.data.audit import audit
    from train.data.audit_table import render_audit
    from train.data.manifest import read_manifest

    found = audit(read_manifest(manifest))
    if as_json:
        print_json(asdict(found))
    else:
        Console().print(*render_audit(found), sep="\n")
    if found.failures:
        raise typer.Exit(1)


@data_app.command("pack")
@_verb
def data_pack(
    manifest: ManifestFile,
    view: Annotated[str, typer.Option(help="What happens to pixels, e.g. 'upright|square|resize(128)'.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of packed stores.")] = Path("runs/packed"),
) -> None:
    """Apply a view to every picture once, so that training reads pixels without decoding."""
    from train.data.manifest import read_manifest
    from train.data.store import pack
    from train.data.view import parse_view

    with bar("packing") as move:
        store = pack(read_manifest(manifest), parse_view(view), out, on_progress=move)
    typer.echo(f"{len(store.pixels)} pictures as {store.view.text} in {out}")
