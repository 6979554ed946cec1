"""The verb `fauxlens data show`: a sheet of samples, as they are or as a recipe's augmentation makes them."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import own_file
from train.cli.rows import ManifestFile
from train.cli.terminal import bar, verb
from train.common.errors import DataError, TrainError
from train.common.own_files import DRAWN
from train.common.text import printable


@verb(DataError, TrainError)
def show_verb(
    manifest: ManifestFile,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="RECIPE",
            help="Name or path of a recipe: show each picture as this recipe preprocesses it, then as it augments it.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Pictures of each generator.", show_default="12, with --augment 3"),
    ] = None,
    versions: Annotated[int, typer.Option(min=1, max=20, help="With --augment: versions of each picture.")] = 7,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of each picture on the sheet, in pixels.")] = 128,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    out: Annotated[
        Path,
        typer.Option("--out", help="The PNG to write."),
        own_file(".png", mark=DRAWN),
    ] = Path("samples.png"),
) -> None:
    """Draw a contact sheet (PNG) of samples of each generator, with --augment as training sees them."""
    from train.data.manifest import read_manifest
    from train.data.samples import Band, choose_samples, draw_sample_sheet, upright_thumbnails
    from train.image.drawing import save_drawing

    found = read_manifest(manifest)
    recipe = None
    if augment is not None:
        from train.data.rows import select_rows
        from train.image.view import parse_view
        from train.recipe import read_recipe
        from train.recipe_files import find_recipe

        recipe = read_recipe(find_recipe(augment))
        # What training would leave out is not drawn.
        found = select_rows(found, parse_view(recipe.data.view), recipe.data.unclear_faces)
    samples = choose_samples(found.frame, count or (12 if recipe is None else 3), seed=seed)
    bands = []
    with bar("drawing") as progress:
        if recipe is None:
            columns = 12
            for done, sample in enumerate(samples, 1):
                bands.append(Band(sample.title, [upright_thumbnails(found, sample.rows, size)]))
                progress(done, len(samples))
        else:
            from train.fit.augmented_samples import augmented_samples

            columns = versions + 1
            for done, sample in enumerate(samples, 1):
                lines = list(augmented_samples(found, sample.rows, recipe, versions, seed=seed))
                bands.append(Band(f"{sample.title}; the view, then {versions} versions", lines))
                progress(done, len(samples))
    sheet = draw_sample_sheet(bands, size, columns)
    save_drawing(sheet, out)
    typer.echo(printable(f"{sum(len(one.rows) for one in samples)} pictures of {len(samples)} kinds: {out}"))
