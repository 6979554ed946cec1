"""The verbs that make a run folder with a report: `train`, of a recipe and a manifest, and `average`, of two runs."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from train.cli.app import BARE
from train.cli.compare import show_evaluations
from train.cli.outputs import OUTPUT_FOLDER, WritePlace
from train.cli.terminal import bar, batch_callback, command, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError


@verb(ElaError, DataError, TrainError, ExportError)
def train_verb(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Name of a shipped recipe (`fauxlens recipe list`) or the path of one.",
            show_default="all-faces",
        ),
    ] = None,
    manifest: Annotated[Path, typer.Option(help="A manifest made by `data scan`.")] = Path("manifest.csv"),
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the run.", show_default="runs/RECIPE"),
        WritePlace("folder", place=lambda given: _new_folder(**given)),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="`imagenet`, `none` or an .h5 file. Overrides the recipe.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Side of the view in pixels. Overrides the recipe.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of the last stage. Overrides the recipe.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate of the last stage. Overrides the recipe.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Pictures per batch. Overrides the recipe.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Random seed. Overrides the recipe.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a key (`fauxlens recipe keys`): stages.0.epochs=1. Repeatable."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="[RUN]",
            help="Continue the interrupted run in this folder; without RUN: the one that --out names, or the recipe.",
        ),
        WritePlace("folder", place=lambda given: None if _is_bare(given["resume"]) else given["resume"]),
    ] = None,
    strategy: Annotated[
        Literal["mirrored", "multiworker"] | None,
        typer.Option(
            help="Train on all GPUs of this machine (mirrored), or on several workers that see the same folders, each "
            "of which runs this command with its own TF_CONFIG (multiworker).",
            show_default="one worker",
        ),
    ] = None,
) -> None:
    """Train, calibrate and evaluate a detector from a recipe."""
    from train.backbones.table import BACKBONES
    from train.fit.distribute.replicas import open_replicas
    from train.fit.loop import kept_epoch, learned_nothing
    from train.fit.pipeline import begin, complete, train_along
    from train.fit.pipeline import resume as go_on
    from train.fit.run_folder import open_run
    from train.fit.scoring import small_rates
    from train.recipe import parse_setting, read_recipe, with_options
    from train.recipe_files import DEFAULT, find_recipe

    plain = {"model.weights": weights, "fit.seed": seed, "fit.batch_size": batch_size}
    changed = dict(map(parse_setting, settings or ()))
    changed |= {key: value for key, value in plain.items() if value is not None}
    described = any(one is not None for one in (recipe, size, epochs, learning_rate, *changed))
    if resume is not None and not _is_bare(resume) and (described or out is not None):
        raise TrainError("--resume can be combined only with --strategy: the run's folder already has its recipe.")
    path = find_recipe(recipe or DEFAULT)
    folder = out or _folder(recipe) if resume is None or _is_bare(resume) else resume
    chosen = with_options(read_recipe(path, changed), size=size, epochs=epochs, learning_rate=learning_rate)
    # Before anything is computed, for TensorFlow joins workers at its start only.
    replicas = None if strategy is None else open_replicas(strategy)
    if replicas is not None and not replicas.first:
        train_along(folder, replicas)
        replicas.wait()
        print_lines(f"The first worker has written the run: {folder}", err=True)
        return
    if resume is None:
        run = begin(chosen, manifest, folder)
    elif described:
        # The recipe that is named has to be the one that the run began with.
        run = go_on(folder, chosen)
    else:
        run = open_run(folder)
    if replicas is not None:
        print_lines(f"workers: {len(replicas.cluster.workers)}, replicas: {replicas.count}", err=True)
        replicas.wait()
    try:
        with bar("training") as progress:
            found = complete(
                run,
                replicas=replicas,
                on_pack=lambda done, total: progress(done, total, ": packing pictures"),
                on_batch=batch_callback(progress),
                on_epoch=_epoch_line,
                log=lambda line: print_lines(line, err=True),
            )
    except KeyboardInterrupt:
        if (run.folder / "run.json").exists():
            options = () if strategy is None else ("--strategy", strategy)
            again = command("train", "--resume", run.folder, *options)
            print_lines(f"Completed epochs are saved; resume with: {again}", err=True)
        raise
    if replicas is not None:
        # Until here, so that no worker misses another one that is merely done.
        replicas.wait()
    show_evaluations(found.evaluations)
    print_lines(kept_epoch(run))
    if small := small_rates(run):
        print_lines(small)
    if dropped := run.store().dropped:
        print_lines(f"{dropped} pictures with no or several faces were left out ([data] unclear_faces).")
    step = "export" if BACKBONES[run.recipe.model.backbone].not_int8 else "quantize"
    print_lines(f"report: {found.paths.html}")
    nothing = learned_nothing(run)
    print_lines(nothing or f"next: {command(step, run.folder)}")


@verb(ElaError, DataError, TrainError)
def average_verb(
    run: Annotated[Path, typer.Argument(help="A run folder made by `train`.")],
    weights: Annotated[Path, typer.Argument(help="The weights.h5 of another run, or a file made by `recover`.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the new run."), OUTPUT_FOLDER],
    share: Annotated[float, typer.Option(min=0.01, max=0.99, help="Share of the other weights.")] = 0.5,
) -> None:
    """Average a run's weights with the weights it started from, which is often better than either.

    Choose --share by the validation metrics.
    """
    from train.backbones.table import BACKBONES
    from train.fit.average import average_run
    from train.fit.pipeline import complete
    from train.fit.run_folder import open_run
    from train.fit.scoring import small_rates

    made = average_run(open_run(run), weights, share, out)
    found = complete(made, log=lambda line: print_lines(line, err=True))
    show_evaluations(found.evaluations)
    if small := small_rates(made):
        print_lines(small)
    print_lines(f"report: {found.paths.html}")
    step = "export" if BACKBONES[made.recipe.model.backbone].not_int8 else "quantize"
    print_lines(f"next: {command(step, made.folder)}")


def _folder(recipe: str | None) -> Path:
    from train.recipe_files import DEFAULT

    return Path("runs") / Path(recipe or DEFAULT).name.removesuffix(".toml")


def _is_bare(resume: Path | None) -> bool:
    return resume == Path(BARE)


def _new_folder(recipe: str | None, out: Path | None, resume: Path | None, **_: Any) -> Path | None:
    """Where a run will be written; None where that is what --resume names."""
    return out or _folder(recipe) if resume is None or _is_bare(resume) else None


def _epoch_line(stage: str, epoch: Any) -> None:
    print_lines(
        f"{stage}, epoch {epoch.epoch + 1}: loss {epoch.train_loss:.4f}, "
        f"validation loss {epoch.val_loss:.4f}, AUC {epoch.val_auc:.4f}",
        err=True,
    )
