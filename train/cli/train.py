"""The verb `fauxlens train`: a recipe and a manifest to a run folder with a report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from train.cli.compare import show_judgements
from train.cli.terminal import bar, command, ticker, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError


@verb(ElaError, DataError, TrainError, ExportError)
def train_verb(
    recipe: Annotated[Path, typer.Argument(help="A recipe (TOML), such as those in train/recipes/.")],
    manifest: Annotated[Path, typer.Option(help="A manifest made by `data scan`.")] = Path("manifest.csv"),
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the run.", show_default="runs/RECIPE")] = None,
    weights: Annotated[
        str | None, typer.Option(help="`imagenet`, `none` or an .h5 file. Overrides the recipe.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Random seed. Overrides the recipe.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a recipe value, e.g. model.front_end=npr. Repeatable."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
) -> None:
    """Train, calibrate and evaluate a detector from a recipe."""
    from train.fit.loop import kept_epoch
    from train.fit.pipeline import begin, complete
    from train.fit.pipeline import resume as go_on
    from train.recipe import parse_setting, read_recipe

    changed = dict(map(parse_setting, settings or ()))
    changed |= {key: value for key, value in (("model.weights", weights), ("fit.seed", seed)) if value is not None}
    chosen = read_recipe(recipe, changed)
    folder = out or Path("runs") / recipe.stem
    run = go_on(folder, chosen) if resume else begin(chosen, manifest, folder)
    with bar("training") as move:
        found = complete(run, on_pack=move, on_tick=ticker(move), on_epoch=_epoch_line)
    show_judgements(found.judgements)
    typer.echo(kept_epoch(run))
    if dropped := run.store().dropped:
        typer.echo(f"{dropped} pictures with no or several faces were left out ([data] unclear_faces).")
    typer.echo(f"report: {found.paths.html}\nnext: {command('quantize', folder)}")


def _epoch_line(stage: str, epoch: Any) -> None:
    typer.echo(
        f"{stage}, epoch {epoch.epoch + 1}: loss {epoch.train_loss:.4f}, "
        f"validation loss {epoch.val_loss:.4f}, AUC {epoch.val_auc:.4f}",
        err=True,
    )
