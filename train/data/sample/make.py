"""Write the built-in sample: drawn portraits through three imaging models, as a folder of JPEG files.

A stand-in, so that the whole pipeline can be tried without downloading anything. It shows in miniature what happens
with real sets (a detector trained on one kind of generator misses another); it says nothing about real faces.
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image

from train.common.errors import DataError
from train.common.locks import filled_folder
from train.common.progress import ProgressCallback

from .imaging import camera, diffusion_like, gan_like
from .portrait import draw_portrait
from .scene import choose_scene

JPEG_QUALITY = 95
ImagingModel = Callable[[np.ndarray, np.random.Generator], np.ndarray]
# Folder, imaging model, share of the sample.
CLASSES: tuple[tuple[str, ImagingModel, float], ...] = (
    ("real", camera, 0.4),
    ("fake/gan-like", gan_like, 0.3),
    ("fake/diffusion-like", diffusion_like, 0.3),
)


def make_sample(
    folder: Path,
    *,
    count: int = 600,
    size: int = 128,
    seed: int = 2026,
    workers: int = 2,
    on_progress: ProgressCallback | None = None,
) -> None:
    """Write `count` drawn portraits of `size` x `size` pixels as JPEG files under `folder`.

    Makes real/NNNN.jpg (40 %), fake/gan-like/NNNN.jpg and fake/diffusion-like/NNNN.jpg (30 % each), every one a
    different portrait. The same count, size and seed give the same bytes with the same library versions, however many
    `workers` (threads). `on_progress(done, count)` is called after each picture, from the calling thread. The folder
    appears when it is complete; after an error or an interruption nothing is left.
    Raises DataError for a folder that exists and is not empty, a count below 3, or a size that is not a multiple of 8
    of at least 64.
    """
    if count < 3:
        raise DataError(f"a sample of {count} pictures is too small for all classes; ask for a count of at least 3.")
    if size < 64 or size % 8:
        raise DataError(f"{size} is not a size for sample pictures; choose a multiple of 8 of at least 64.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} already exists and is not an empty folder; remove it or choose another.")
    folder = folder.resolve()
    if folder in (Path.cwd(), Path(folder.anchor)):
        raise DataError(f"{folder} is the current folder, which cannot be replaced: name one inside it.")
    with filled_folder(folder) as inside:
        _write_all(inside, _plan(count), size, seed, workers, on_progress)


def draw_sample_picture(model: ImagingModel, *, index: int, size: int, seed: int) -> np.ndarray:
    """Draw the portrait number `index` of the sample and put it through an imaging model: uint8 [size, size, 3]."""
    rng = np.random.default_rng([seed, index])
    return model(draw_portrait(choose_scene(rng), size), rng)


def _plan(count: int) -> list[tuple[Path, ImagingModel]]:
    fakes = [max(1, round(count * share)) for _, _, share in CLASSES[1:]]
    numbers = [count - sum(fakes), *fakes]
    return [
        (Path(name) / f"{index:04d}.jpg", model)
        for (name, model, _), number in zip(CLASSES, numbers, strict=True)
        for index in range(number)
    ]


def _write_all(
    folder: Path,
    plan: list[tuple[Path, ImagingModel]],
    size: int,
    seed: int,
    workers: int,
    on_progress: ProgressCallback | None,
) -> None:
    for parent in {path.parent for path, _ in plan}:
        (folder / parent).mkdir(parents=True, exist_ok=True)

    def write(index: int) -> None:
        path, model = plan[index]
        picture = Image.fromarray(draw_sample_picture(model, index=index, size=size, seed=seed))
        data = io.BytesIO()
        # Into a file by its name Pillow writes JPEG itself, and takes no notice where the disk takes a part of it only.
        picture.save(data, format="JPEG", quality=JPEG_QUALITY)
        (folder / path).write_bytes(data.getvalue())

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        jobs = [pool.submit(write, index) for index in range(len(plan))]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if on_progress is not None:
                    on_progress(done, len(plan))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
