"""The verb `fauxlens data split`: which groups are trained on, chosen again."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.rows import ManifestFile, show_counts
from train.cli.terminal import verb
from train.common.errors import DataError, TrainError


@verb(DataError, TrainError)
def split_verb(
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
    from train.common.own_files import MANIFEST_MARK, foreign_file
    from train.data.audit.pixels.transformed_copies import read_transformed_copies
    from train.data.manifest import moved, read_manifest, write_manifest
    from train.data.resplit import join_groups, name_of, parse_split_specs, resplit_all

    found = read_manifest(manifest)
    if join is not None:
        found = join_groups(found, [(copy.first, copy.second) for copy in read_transformed_copies(join)])
    specs = () if split_spec == "keep" else parse_split_specs(split_spec, found)
    results = resplit_all(found, specs) if specs else [(manifest.stem, found)]
    names = [name_of(one) for one in specs] or [manifest.stem]
    foreign = foreign_file({out / f"{name}.csv": MANIFEST_MARK for name in names})
    if foreign is not None:
        raise DataError(f"{foreign} is there already and no manifest: name another folder with --out.")
    for name, result in results:
        path = out / f"{name}.csv"
        write_manifest(moved(result, out), path)
        show_counts(result.frame, path)
