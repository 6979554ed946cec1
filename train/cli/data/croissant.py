"""The verb `fauxlens data croissant`: a manifest as JSON-LD that dataset search engines and hubs read."""

import json
from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import own_file
from train.cli.rows import ManifestFile
from train.cli.terminal import print_lines, verb
from train.common.atomic import write_text
from train.common.errors import DataError
from train.common.own_files import CROISSANT


@verb(DataError)
def croissant_verb(
    manifest: ManifestFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write.", show_default="MANIFEST.croissant.json"),
        own_file(
            *(".json", ".jsonld", ""), mark=CROISSANT, place=lambda given: given["out"] or _beside(given["manifest"])
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the dataset.", show_default="the file's name")] = "",
    licence: Annotated[
        str, typer.Option("--licence", metavar="SPDX", help="SPDX identifier such as CC-BY-4.0, or a URL.")
    ] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The dataset's page.")] = "",
    citation: Annotated[str, typer.Option("--cite-as", metavar="TEXT", help="How to cite it.")] = "",
) -> None:
    """Describe a manifest as Croissant (JSON-LD), for Hugging Face, Kaggle and dataset search."""
    # With hashlib and tomllib these are 5 ms of every `--help`.
    import hashlib

    from train.common.documents import MAX_TABLE_BYTES, read_bytes
    from train.data.croissant import croissant
    from train.data.manifest import read_manifest

    target = out or _beside(manifest)
    opened = read_manifest(manifest)
    data = read_bytes(manifest, error=DataError, remedy="name a manifest", limit=MAX_TABLE_BYTES)
    document = croissant(
        opened,
        manifest.name,
        hashlib.sha256(data).hexdigest(),
        name=name or manifest.stem,
        licence=licence,
        url=url,
        citation=citation,
    )
    write_text(target, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    missing = [word for word, value in (("--licence", licence), ("--url", url)) if not value]
    print_lines(f"written: {target}")
    if missing:
        print_lines(f"Croissant requires a licence and a URL of every dataset: give {' and '.join(missing)}.")


def _beside(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.stem}.croissant.json")
