"""Mean heatmaps of a manifest by class, generator and source: where a detector looks on the whole.

Every picture counts alike: a heatmap is divided by its own largest value, so that a picture that hardly speaks for
"fake" weighs as much as one that shouts. Empty heatmaps count as zeros, and how many there were is said. The mean over
the pictures called fake stands beside the one over all, for the map of a picture called real explains no verdict.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from export.explain.explain_picture import SENTENCE
from export.inference.detect_files import detector_path
from export.inference.detector import LoadedDetector, load_detector, threshold_of
from export.inference.records import about
from export.runtimes.interface import Output
from train.common.errors import ExportError
from train.common.progress import ProgressCallback
from train.data.manifest import Manifest, read_manifest
from train.data.store import Store, pack_beside
from train.evaluate.selection import mark_manifest, reported, rows_to_report

Rows = Literal["judged", "all"]
_CHUNK = 256


@dataclass(frozen=True)
class MeanHeatmap:
    """The mean heatmap of one group of pictures.

    `kind` is "class", "generator" (fakes only) or "source" (reals only); `seen` says whether generator and source were
    in training, None where the group has both. `n` pictures, of which the share `empty` has an empty heatmap and
    `called_fake` are called fake at the operating point. `mean` float32 [h, w], 0..1, is over all of them and
    `mean_called` over those called fake, None where there are none. `picture` uint8 [S, S, 3] is their views' mean.
    """

    kind: str
    name: str
    seen: bool | None
    n: int
    empty: float
    called_fake: int
    mean: np.ndarray
    mean_called: np.ndarray | None
    picture: np.ndarray

    @property
    def title(self) -> str:
        """The group in words."""
        mark = "" if self.seen is None else ", seen" if self.seen else ", unseen"
        return f"{self.name}{mark}"


@dataclass(frozen=True)
class MeanHeatmaps:
    """What `explain --mean` found: the groups, and of what they are."""

    groups: tuple[MeanHeatmap, ...]
    detector: LoadedDetector
    path: Path
    rows: Rows
    pictures: int
    dropped: int
    operating_point: str
    threshold: float


@dataclass
class _Sums:
    n: int
    empty: int
    called: int
    heat: np.ndarray
    heat_called: np.ndarray
    views: np.ndarray

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


_Key = tuple[str, str, str, bool]
"""Label, generator, source, seen."""


def find_mean_heatmaps(
    manifest_path: Path,
    model: Path | None,
    *,
    rows: Rows = "judged",
    operating_point: str = "balanced",
    on_progress: ProgressCallback | None = None,
) -> MeanHeatmaps:
    """Run a detector file, a bundle or a run folder over a manifest, packing its views where `evaluate` does.

    `judged` rows are the test split of what was in training and all of what was not. Raises DataError, TrainError or
    ExportError for what is wrong with the manifest or the model, and where no row is left.
    """
    manifest = read_manifest(manifest_path)
    if manifest.frame.is_empty():
        raise ExportError(f"{manifest_path} has no pictures: scan a folder that has some.")
    path = detector_path(model)
    detector, store = _open(path, manifest, manifest_path)
    threshold = threshold_of(detector.description, operating_point)
    marked = mark_manifest(store.manifest, detector.description.seen)
    chosen = marked if rows == "all" else rows_to_report(marked)
    if chosen.is_empty():
        raise ExportError(f"{manifest_path} has no picture on which {path} may be evaluated: give --rows all.")
    groups = _groups(_sum_up(store, chosen, lambda _, views: _run(detector, views), threshold, on_progress))
    return MeanHeatmaps(tuple(groups), detector, path, rows, chosen.height, store.dropped, operating_point, threshold)


def mean_heatmaps_of(
    store: Store, rows: pl.DataFrame, probability: np.ndarray, heatmaps: np.ndarray, threshold: float
) -> tuple[MeanHeatmap, ...]:
    """The same groups from what a detector has already said of some rows of a store (columns `seen` and `row`).

    probability: P(fake) [N] and heatmaps: float32 [N, h, w], row by row. Rows that may not be evaluated are left out.
    """
    fits = reported(rows).to_numpy()
    scores, maps = np.stack([1 - probability[fits], probability[fits]], axis=1), heatmaps[fits]

    def remembered(places: np.ndarray, _: np.ndarray) -> Output:
        return Output(scores[places], maps[places])

    return tuple(_groups(_sum_up(store, rows.filter(fits), remembered, threshold, None)))


def as_document(found: MeanHeatmaps) -> dict[str, Any]:
    """Mean heatmaps for a JSON document."""
    return {
        "detector": about(found.detector, found.path),
        "rows": found.rows,
        "pictures": found.pictures,
        "dropped": found.dropped,
        "operating_point": found.operating_point,
        "threshold": found.threshold,
        "caution": SENTENCE,
        "means": [
            {
                "kind": group.kind,
                "name": group.name,
                "seen": group.seen,
                "n": group.n,
                "empty": group.empty,
                "called_fake": group.called_fake,
                "mean": group.mean.round(6).tolist(),
                "mean_called_fake": None if group.mean_called is None else group.mean_called.round(6).tolist(),
            }
            for group in found.groups
        ],
    }


def _open(path: Path, manifest: Manifest, manifest_path: Path) -> tuple[LoadedDetector, Store]:
    if not path.is_dir():
        detector = load_detector(path)
        return detector, pack_beside(manifest, manifest_path, detector.view, unclear=detector.description.unclear_faces)
    from export.explain.run_detector import open_run_detector

    detector, _, run = open_run_detector(path)
    if manifest.sha256 == run.manifest_sha256 and manifest_path.resolve() == run.manifest_path.resolve():
        return detector, run.store()
    return detector, pack_beside(manifest, manifest_path, run.view, unclear=run.recipe.data.unclear_faces)


def _run(detector: LoadedDetector, views: np.ndarray) -> Output:
    output = detector.run(views)
    if not np.isfinite(output.scores).all() or not np.isfinite(output.heatmaps).all():
        raise ExportError(f"The detector {detector.description.name} gave no finite score; train it again.")
    return output


def _sum_up(
    store: Store,
    chosen: pl.DataFrame,
    run: Callable[[np.ndarray, np.ndarray], Output],
    threshold: float,
    on_progress: ProgressCallback | None,
) -> dict[_Key, _Sums]:
    """Sums by group; `run` is given places in `chosen` [N] and the views there, uint8 [N, S, S, 3]."""
    sums: dict[_Key, _Sums] = {}
    done = 0
    for (label, generator, source, seen), rows in chosen.with_row_index("place").group_by(
        ["label", "generator", "source", "seen"], maintain_order=True
    ):
        key = (str(label), str(generator), str(source), bool(seen))
        for part_of_rows in rows.iter_slices(_CHUNK):
            views = np.ascontiguousarray(store.pixels[part_of_rows["row"].to_numpy()])
            output = run(part_of_rows["place"].to_numpy(), views)
            called = output.scores[:, 1] >= threshold
            part = _Sums(
                n=len(views),
                empty=int((~output.heatmaps.any(axis=(1, 2))).sum()),
                called=int(called.sum()),
                heat=output.heatmaps.sum(axis=0, dtype=np.float64),
                heat_called=output.heatmaps[called].sum(axis=0, dtype=np.float64),
                views=views.sum(axis=0, dtype=np.float64),
            )
            sums[key] = sums[key] + part if key in sums else part
            done += len(views)
            if on_progress:
                on_progress(done, chosen.height)
    return sums


def _groups(sums: Mapping[_Key, _Sums]) -> Iterable[MeanHeatmap]:
    """Classes first, split into seen and unseen where there are both; then generators of fakes and sources of reals."""
    for label in ("real", "fake"):
        of_class = {key: one for key, one in sums.items() if key[0] == label}
        marks = sorted({key[3] for key in of_class}, reverse=True)
        if of_class:
            yield _mean("class", label, marks[0] if len(marks) == 1 else None, of_class.values())
        for seen in marks if len(marks) > 1 else []:
            yield _mean("class", label, seen, (one for key, one in of_class.items() if key[3] is seen))
    for kind, label, place in (("generator", "fake", 1), ("source", "real", 2)):
        names = {(key[place], key[3]) for key in sums if key[0] == label}
        for name, seen in sorted(names, key=lambda one: (not one[1], one[0])):
            members = (one for key, one in sums.items() if (key[0], key[place], key[3]) == (label, name, seen))
            yield _mean(kind, str(name), bool(seen), members)


def _mean(kind: str, name: str, seen: bool | None, members: Iterable[_Sums]) -> MeanHeatmap:
    first, *others = members
    whole = sum(others, first)
    return MeanHeatmap(
        kind=kind,
        name=name,
        seen=seen,
        n=whole.n,
        empty=whole.empty / whole.n,
        called_fake=whole.called,
        mean=(whole.heat / whole.n).astype(np.float32),
        mean_called=(whole.heat_called / whole.called).astype(np.float32) if whole.called else None,
        picture=np.rint(whole.views / whole.n).astype(np.uint8),
    )
