"""What a recipe's file processing and augmentation make of single pictures, as training does, for people to see."""

from collections.abc import Iterator, Sequence

import numpy as np

from train.common.errors import DataError
from train.data.manifest import Manifest
from train.data.rows import Row, view_row
from train.fit.augment import augment
from train.fit.crops import margin_of, square_of
from train.fit.file_processing import process_square
from train.image.view import parse_view
from train.recipe import Recipe


def augmented_samples(
    manifest: Manifest, rows: Sequence[Row], recipe: Recipe, count: int, *, seed: int = 0
) -> Iterator[list[np.ndarray | None]]:
    """Give for each row its view and then `count` versions as epochs would show it, uint8 [S, S, 3] each.

    Reconstructions are not mixed with their originals and batches not mixed up: those take two pictures. A row that
    cannot be read, or has no face where the view needs one, is one None.
    """
    view = parse_view(recipe.data.view)
    for row in rows:
        try:
            plain = view_row(manifest, row, view, recipe.data.unclear_faces)
            square = None
            if recipe.file_processing is not None:
                margin = margin_of(recipe.file_processing) if view.needs_eyes else 1.0
                side = round(recipe.file_processing.side * margin)
                square = square_of(manifest, row, view, margin, side, recipe.data.unclear_faces)
        except DataError:
            yield [None]
            continue
        line: list[np.ndarray | None] = [plain]
        for number in range(count):
            random = np.random.default_rng((seed, 0, number, int(row["sha256"][:8], 16)))
            picture = plain
            if square is not None:
                assert recipe.file_processing is not None
                picture = process_square(square, 1 / margin, view.size, recipe.file_processing, random)
            line.append(augment(picture, recipe.augment, random))
        yield line
