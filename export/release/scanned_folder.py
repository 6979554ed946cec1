"""A folder of pictures where a manifest is wanted: scanned beside the report, with faces where a model needs them."""

from collections.abc import Sequence
from pathlib import Path

from export.artifacts.metadata import read_description
from export.inference.detector import read_detector
from train.common.atomic import made_folders
from train.common.errors import DataError
from train.common.progress import ProgressCallback
from train.data.faces.cache import faces_cache_path
from train.data.faces.find import find_faces
from train.data.manifest import write_manifest
from train.data.scan.folder import scan_folder
from train.evaluate.foreign_scores import SUFFIXES
from train.fit.run_folder import open_run
from train.image.face_finder.finder import blazeface_detector
from train.image.view import View, parse_view

SCANNED = "scanned.csv"
"""The manifest of the folder, in the folder of the report."""


def manifest_of(
    named: Path,
    models: Sequence[Path],
    out: Path,
    *,
    card: str | None = None,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Return a manifest as it is named, or scan a folder into `out` and return that manifest.

    Faces are found where the view of a model needs them. Called again it goes on with what is in `out`. Raises
    DataError as `scan`, and for a card beside a manifest, which has been scanned already.
    """
    if not named.is_dir():
        if card is not None:
            raise DataError(f"{named} is a manifest, which needs no card: omit --card, or name a folder.")
        return named
    path = out / SCANNED
    need_eyes = any(_view(model).needs_eyes for model in models if model.suffix.lower() not in SUFFIXES)
    with made_folders(out):
        try:
            manifest = scan_folder(named, path, card=card, on_unpacking=on_progress, on_progress=on_progress).manifest
        except DataError as error:
            verdicts = f"`fauxlens detect {named}` gives verdicts on pictures without labels"
            raise DataError(f"{str(error).removesuffix('.')}; {verdicts}.") from None
        if need_eyes:
            found = find_faces(manifest, blazeface_detector(), faces_cache_path(path), on_progress=on_progress)
            write_manifest(found, path)
    return path


def _view(model: Path) -> View:
    """The preprocessing of a run folder, a detector file or a bundle."""
    if model.is_dir():
        return open_run(model).view
    return parse_view(read_description(read_detector(model), str(model)).view)
