"""Parts of a reconstruction: pictures in the one folder, and the tables of all that the whole would have written.

The pictures are called by the content of their originals, so the parts of several machines lie beside each other in
one folder, on a disk that all see or copied together.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from train.common.errors import DataError
from train.common.locks import alone_with_part
from train.common.parts import WorkPart, part_path
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, attributes_of, in_order, read_manifest
from train.data.part_files import WHY, PartFile, rows_of_part, write_part
from train.data.reconstruct.autoencoder import Autoencoder
from train.data.reconstruct.open_autoencoder import open_autoencoders
from train.data.reconstruct.originals import select_reals
from train.data.reconstruct.reconstruct import (
    MANIFEST,
    Made,
    Reconstructed,
    ReconstructedPair,
    busy_in,
    check_reconstruction,
    make_reconstructions,
    prepare_folder,
    write_reconstructed,
)
from train.data.reconstruct.regions import Region
from train.data.scan.skipped import Skipped

# The pair of a fake. No attribute can be called so.
_PAIR = {"real": "pair.real", "autoencoder": "pair.autoencoder", "mask": "pair.mask"}


def reconstruct_part(
    manifest: Manifest,
    rows: pl.DataFrame,
    part: WorkPart,
    autoencoders: Sequence[Autoencoder],
    folder: Path,
    *,
    scale: int | None = None,
    region: Region | None = None,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Reconstruct those of `rows` whose content is in a part, else as `reconstruct`; return the part file.

    `rows` are those of the whole. Several parts may be worked on in one folder at once.
    """
    check_reconstruction(manifest, rows, folder, region)
    path = part_path(folder / MANIFEST, part)
    mine = rows_of_part(Manifest(rows, manifest.folder), part).frame
    with alone_with_part(folder, path.stem, busy_in(folder)):
        settings = prepare_folder(folder, autoencoders, scale, region)
        made = make_reconstructions(manifest, mine, autoencoders, folder, scale, region, workers, on_progress)
        facts = {
            **settings,
            "attributes": list(attributes_of(manifest.frame)),
            "manifest": manifest.sha256,
            "pictures": hashlib.sha256("".join(rows["sha256"]).encode()).hexdigest(),
        }
        write_part(path, "reconstruct", part, facts, _frame(made))
    return path


@dataclass(frozen=True)
class ReconstructRequest:
    """What is to be reconstructed and how, in words that another process understands; `names` and `weights` as in
    `open_autoencoders`, `count`, `share` and `sources` as in `select_reals`."""

    manifest_path: Path
    names: str
    weights: Path | None
    latent_noise: float
    count: int | None
    share: float
    sources: tuple[str, ...]
    scale: int | None
    region: Region | None


def reconstruct_part_on_worker(wanted: ReconstructRequest, folder: Path, part: WorkPart) -> Path:
    """Reconstruct a part of what is wanted, on one thread, else as `reconstruct_part`."""
    manifest = read_manifest(wanted.manifest_path)
    rows = select_reals(manifest, count=wanted.count, share=wanted.share, sources=wanted.sources)
    opened = open_autoencoders(wanted.names, wanted.weights, 1, wanted.latent_noise)
    return reconstruct_part(manifest, rows, part, opened, folder, scale=wanted.scale, region=wanted.region, workers=1)


def merge_reconstruct_parts(parts: Sequence[PartFile]) -> Reconstructed:
    """Write the manifest and the pairs of all parts into their folder, as the whole would; return them.

    Raises DataError where the parts are not in one folder, a picture of them is missing there, or nothing was made.
    """
    folder = parts[0].path.parent
    for one in parts:
        if one.path.parent.resolve() != folder.resolve():
            raise DataError(
                f"{one.path} lies outside {folder}: move the folders of all parts into one (no two pictures have the "
                "same name) and merge them there."
            )
    rows = pl.concat([one.frame for one in parts], how="diagonal")
    skips = rows.filter(pl.col(WHY).is_not_null())
    rows = rows.filter(pl.col(WHY).is_null())
    for path in rows["path"]:
        if not (folder / path).is_file():
            raise DataError(f"{folder / path} is missing: copy all output of its part into {folder}.")
    names = {column: name for name, column in _PAIR.items()}
    pairs = (
        rows.filter(pl.col(_PAIR["autoencoder"]).is_not_null())
        .select("path", *_PAIR.values())
        .rename({"path": "fake", **names})
    )
    made = Made(
        in_order(rows.drop(WHY, *_PAIR.values())),
        [ReconstructedPair(**row) for row in pairs.iter_rows(named=True)],
        [Skipped(*row) for row in skips.select("path", WHY).iter_rows()],
    )
    return write_reconstructed(made, folder)


def _frame(made: Made) -> pl.DataFrame:
    pairs = pl.DataFrame(
        [(pair.fake, pair.real, pair.autoencoder, pair.mask) for pair in made.pairs],
        schema=dict.fromkeys(("path", *_PAIR.values()), pl.String),
        orient="row",
    )
    skipped = pl.DataFrame(
        [(one.path, one.reason) for one in made.skipped], schema={"path": pl.String, WHY: pl.String}, orient="row"
    )
    rows = made.frame.join(pairs, on="path", how="left", maintain_order="left")
    return pl.concat([rows, skipped], how="diagonal")
