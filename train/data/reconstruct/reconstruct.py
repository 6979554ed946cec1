"""Reconstruct: fakes made of a manifest's real pictures by autoencoders, and the manifest of them.

A reconstruction has the content, framing, size and camera of its original and is saved like it, so a pair differs in
nothing but what an autoencoder leaves in every picture that a latent diffusion model makes (Rajan et al., "Aligned
Datasets Improve Detection of Latent Diffusion-Generated Images", ICLR 2025; Chen et al., "Dual Data Alignment", NeurIPS
2025).

The folder that comes of it:

    manifest.csv                       reconstructions, and reduced reals where there are any
    pairs.csv                          fake, real, autoencoder and mask of each pair, paths relative to the folder
    reconstructed.json                 the settings; a run with others is refused
    fake/AUTOENCODER/SOURCE/NAME.jpg   named by the content of the original
    real/SOURCE/NAME.jpg               the reduced original, saved as the reconstruction is (with `scale` only)
    mask/AUTOENCODER/SOURCE/NAME.png   what of a fake is reconstructed, 255 where wholly (with `region` only)

With a region AUTOENCODER is followed by its name, as in `taesd-eyes`.

A picture that needs no reduction is not copied: its real twin is the original, in its own manifest. One that is reduced
has its twin here, under the original's source, because a large original beside a small reconstruction would differ in
size.
"""

import hashlib
import io
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import polars as pl
from PIL import Image

from train.common.atomic import write_bytes, write_text
from train.common.documents import read_json, table_bytes
from train.common.errors import DataError
from train.common.locks import alone_in, holds_anything
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, attributes_of, relative_path, rows_frame, write_manifest
from train.data.reconstruct.autoencoder import Autoencoder
from train.data.reconstruct.plan import SUFFIXES, ReconstructionPlan, manifest_rows, plan_of
from train.data.reconstruct.regions import Region, paste, region_mask, turned_back, upright_size
from train.data.reconstruct.save_alike import Encoding, encode_alike, encoding_of
from train.data.scan.measure import Measured, measure_file
from train.data.scan.skipped import Skipped
from train.image.decode import decode_bytes, read_picture_file

MANIFEST, PAIRS, SETTINGS = "manifest.csv", "pairs.csv", "reconstructed.json"
FORMAT = 1
"""Version of SETTINGS; another one is refused."""
# Pictures that are decoded or saved while the network is at work.
_AHEAD = 4


@dataclass(frozen=True)
class ReconstructedPair:
    """A reconstruction, its original and its mask or None (paths relative to the folder), the autoencoder's name."""

    fake: str
    real: str
    autoencoder: str
    mask: str | None


@dataclass(frozen=True)
class Reconstructed:
    """What came of a run: the manifest, which has been written, its pairs, and the originals that could not be used."""

    manifest: Manifest
    pairs: tuple[ReconstructedPair, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Made:
    """Rows of the manifest, pairs, and the originals that could not be used, in the order in which they were made."""

    frame: pl.DataFrame
    pairs: Sequence[ReconstructedPair]
    skipped: Sequence[Skipped]


@dataclass(frozen=True)
class _Opened:
    """A decoded, reduced original, uint8 [H, W, 3] as stored, how it is saved, and its mask, uint8 [H, W]."""

    pixels: np.ndarray
    encoding: Encoding
    mask: np.ndarray | None


def reconstruct(
    manifest: Manifest,
    rows: pl.DataFrame,
    autoencoders: Sequence[Autoencoder],
    folder: Path,
    *,
    scale: int | None = None,
    region: Region | None = None,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> Reconstructed:
    """Reconstruct real pictures into `folder`; this file's opening says what is in it afterwards.

    `rows` are those of the manifest to be reconstructed (see `select_reals`); each goes through one of `autoencoders`,
    by its content. `scale` first reduces a picture so that its longer side is at most so many pixels, by Pillow's
    antialiased LANCZOS. With a `region` only that is replaced, through a soft mask. A fake has label fake, the
    autoencoder's name as generator, family reconstruction, source SOURCE/AUTOENCODER, and the group, split and face of
    its original. Every picture is worked on alone, files are written whole or not at all, and what is there is not made
    again, so a run that was stopped goes on to the same bytes, and a larger one adds to a smaller. `workers` threads
    decode and save beside the network.

    Raises DataError if the folder holds other things or pictures of other settings, if a region needs eyes and nobody
    has looked for them, or if no picture could be reconstructed.
    """
    check_reconstruction(manifest, rows, folder, region)
    with alone_in(folder, busy_in(folder)):
        prepare_folder(folder, autoencoders, scale, region)
        made = make_reconstructions(manifest, rows, autoencoders, folder, scale, region, workers, on_progress)
        return write_reconstructed(made, folder)


def busy_in(folder: Path) -> DataError:
    """What is wrong where another process is at work."""
    return DataError(f"Another process works in {folder}: wait until it is done, or name another folder.")


def check_reconstruction(manifest: Manifest, rows: pl.DataFrame, folder: Path, region: Region | None) -> None:
    """Raise DataError where the folder holds other things, or a region needs eyes and nobody has looked for them."""
    if region not in (None, "random") and (unknown := rows["faces"].null_count()):
        raise DataError(
            f"The region {region} is placed by the eyes, and faces have not been detected yet in {unknown} of "
            f"{rows.height} pictures of the manifest in {manifest.folder}: run `fauxlens data faces MANIFEST` first."
        )
    # In this order: whoever begins at the same time writes the settings first of all.
    if folder.is_file() or (holds_anything(folder) and not (folder / SETTINGS).exists()):
        raise DataError(f"{folder} contains other files: name a folder that is empty or does not exist.")


def make_reconstructions(
    manifest: Manifest,
    rows: pl.DataFrame,
    autoencoders: Sequence[Autoencoder],
    folder: Path,
    scale: int | None,
    region: Region | None,
    workers: int,
    on_progress: ProgressCallback | None,
) -> Made:
    """Make what is missing of the rows' reconstructions; tables are left to the caller, who is alone at these rows."""
    plans = [plan_of(row, autoencoders, scale, region) for row in rows.iter_rows(named=True)]
    # By content, so that all sources and sizes come evenly and the time that is left can be told.
    plans.sort(key=lambda plan: plan.row["sha256"])
    made: list[dict[str, Any]] = []
    pairs: list[ReconstructedPair] = []
    skipped: list[Skipped] = []
    for done, (plan, why) in enumerate(_work(manifest, plans, folder, workers), 1):
        if why is None:
            made += manifest_rows(plan, folder)
            twin = plan.real or relative_path(manifest.picture_path(plan.row["path"]), folder)
            pairs.append(ReconstructedPair(plan.fake, twin, plan.autoencoder.name, plan.mask))
        else:
            skipped.append(Skipped(plan.row["path"], why))
        if on_progress is not None:
            on_progress(done, len(plans))
    return Made(rows_frame(made, attributes_of(manifest.frame)), pairs, skipped)


def write_reconstructed(made: Made, folder: Path) -> Reconstructed:
    """Write the manifest and the pairs of all that was made; DataError where that is nothing."""
    if made.frame.is_empty():
        reason = made.skipped[0].reason if made.skipped else "none was chosen"
        raise DataError(f"No picture could be reconstructed ({reason}): choose other pictures.")
    result = Manifest(made.frame.sort("path"), folder)
    write_manifest(result, folder / MANIFEST)
    pairs = sorted(made.pairs, key=lambda pair: pair.fake)
    table = pl.DataFrame(
        [asdict(pair) for pair in pairs], schema=dict.fromkeys(ReconstructedPair.__dataclass_fields__, pl.String)
    )
    write_bytes(folder / PAIRS, table_bytes(table))
    return Reconstructed(result, tuple(pairs), tuple(sorted(made.skipped, key=attrgetter("path"))))


def prepare_folder(
    folder: Path, autoencoders: Sequence[Autoencoder], scale: int | None, region: Region | None
) -> dict[str, Any]:
    """Refuse a folder that is for other settings, or write down what its pictures are; return the settings."""
    settings = {
        "format": FORMAT,
        "autoencoders": {one.name: one.sha256 for one in autoencoders},
        "scale": scale,
        "region": region,
        "pillow": PIL.__version__,
    }
    path = folder / SETTINGS
    if path.exists():
        if read_json(path, error=DataError, remedy="name another folder") != settings:
            raise DataError(f"{folder} contains reconstructions with other settings: name another folder.")
    else:
        write_text(path, json.dumps(settings, indent=1) + "\n")
    return settings


def _work(
    manifest: Manifest, plans: Sequence[ReconstructionPlan], folder: Path, workers: int
) -> Iterator[tuple[ReconstructionPlan, str | None]]:
    """Make what is missing; yield every plan once its files are there, or with a sentence why they are not."""
    pool = ThreadPoolExecutor(max(1, workers))
    saving: deque[tuple[ReconstructionPlan, Future[str | None]]] = deque()
    opening: deque[tuple[ReconstructionPlan, Future[_Opened | str | None]]] = deque()
    waiting = deque(plans)
    try:
        while waiting or opening or saving:
            while waiting and len(opening) < _AHEAD:
                plan = waiting.popleft()
                opening.append((plan, pool.submit(_open, manifest, plan, folder)))
            while saving and (len(saving) > _AHEAD or not opening):
                plan, saved = saving.popleft()
                yield plan, saved.result()
            if not opening:
                continue
            plan, opened = opening.popleft()
            found = opened.result()
            if isinstance(found, _Opened):
                try:
                    fake = plan.autoencoder.reconstruct(found.pixels)
                except DataError as error:
                    yield plan, f"{plan.row['path']} does not go through {plan.autoencoder.name}: {error}"
                    continue
                saving.append((plan, pool.submit(_save, plan, folder, found, fake)))
            else:
                yield plan, found
    finally:
        pool.shutdown(cancel_futures=True)


def _open(manifest: Manifest, plan: ReconstructionPlan, folder: Path) -> _Opened | str | None:
    """Decode and reduce an original; None if its files are there already, a sentence if it cannot be used."""
    if all(_is_whole(folder / name, plan.size) for name in plan.files):
        return None
    path = manifest.picture_path(plan.row["path"])
    if plan.row["format"] not in SUFFIXES:
        return f"{path} is {plan.row['format']}, which is not written here: save it as PNG or JPEG and scan again."
    if misfit := plan.autoencoder.misfit(*plan.size):
        return f"{path} {misfit}"
    if plan.region not in (None, "random") and plan.eyes is None:
        return f"{path} shows no face that was found, so it has no {plan.region} to be replaced."
    try:
        data = read_picture_file(path)
        if hashlib.sha256(data).hexdigest() != plan.row["sha256"]:
            return f"{path} has changed since the scan: scan again."
        picture = decode_bytes(data, str(path))
        encoding = encoding_of(data, str(path))
    except DataError as error:
        return str(error)
    pixels, mask = picture.pixels, None
    if plan.real is not None:
        pixels = np.asarray(Image.fromarray(pixels).resize(plan.size, Image.Resampling.LANCZOS))
    if plan.region is not None:
        width, height = upright_size(picture.orientation, plan.size)
        upright = region_mask(plan.region, width, height, plan.eyes, plan.row["sha256"])
        mask = turned_back(upright, picture.orientation)
    return _Opened(pixels, encoding, mask)


def _is_whole(path: Path, size: tuple[int, int]) -> bool:
    if not path.exists():
        return False
    found = measure_file(path)
    return isinstance(found, Measured) and (found.width, found.height) == size


def _save(plan: ReconstructionPlan, folder: Path, opened: _Opened, fake: np.ndarray) -> str | None:
    """Write the files of a plan; return a sentence if they cannot be saved as the original is."""
    if (opened.pixels == opened.pixels[..., :1]).all():
        # An autoencoder tints a grey picture, which would tell it without any other trace.
        fake = np.repeat(np.asarray(Image.fromarray(fake).convert("L"))[..., None], 3, axis=2)
    files = {}
    if opened.mask is not None and plan.mask is not None:
        fake = paste(opened.pixels, fake, opened.mask)
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(opened.mask)).save(buffer, "PNG")
        files[plan.mask] = buffer.getvalue()
    try:
        if plan.real is not None:
            files[plan.real] = encode_alike(opened.pixels, opened.encoding)
        files[plan.fake] = encode_alike(fake, opened.encoding)
    except DataError as error:
        return f"{plan.row['path']}: {error}"
    for name, data in files.items():
        write_bytes(folder / name, data)
    return None
