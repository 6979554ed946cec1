"""The front door: one verb each, heavy imports inside the verbs, errors told in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from export.cli.benchmark import benchmark_verb
from export.cli.doctor import doctor_verb
from export.cli.ela import ela_verb
from export.cli.explain import explain_verb
from export.cli.verify import verify_verb
from train.cli.compare import compare_verb, show_judgements
from train.cli.data import ManifestFile, data_app
from train.cli.terminal import Json, Move, bar, print_json, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError

app = typer.Typer(
    help="Train a detector of AI-generated faces, ship it to a phone, and prove that the phone gives the same score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")

_verb = verb(ElaError, DataError, TrainError, ExportError)
RunFolder = Annotated[Path, typer.Argument(help="A run folder made by `train`.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where to write.")]


@app.command()
@_verb
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for all that is made.")] = Path("runs/demo"),
) -> None:
    """Take the whole trip on the built-in sample, offline: data, training, int8, .tflite, proof, report."""
    from export.cli.demo import closing_lines, run_demo

    shown = run_demo(out, bar, lambda line: typer.echo(line, err=True))
    show_judgements(shown.judgements)
    typer.echo("\n".join(closing_lines(shown, out)))
    if not shown.parity.passed:
        raise typer.Exit(1)


@app.command()
@_verb
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe (TOML); train/recipes/ has some.")],
    manifest: Annotated[Path, typer.Option(help="A manifest made by `data scan`.")] = Path("manifest.csv"),
    out: Annotated[Path | None, typer.Option("--out", help="The run folder.", show_default="runs/RECIPE")] = None,
    weights: Annotated[str | None, typer.Option(help="`imagenet`, `none` or an .h5 file; else the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's seed.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Instead of the recipe's, e.g. model.front_end=npr; repeatable."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
) -> None:
    """Train, calibrate and judge a detector by a recipe."""
    from train.fit.pipeline import begin, complete
    from train.fit.pipeline import resume as go_on
    from train.recipe import parse_setting, read_recipe

    changed = dict(map(parse_setting, settings or ()))
    changed |= {key: value for key, value in (("model.weights", weights), ("fit.seed", seed)) if value is not None}
    chosen = read_recipe(recipe, changed)
    folder = out or Path("runs") / recipe.stem
    run = go_on(folder, chosen) if resume else begin(chosen, manifest, folder)
    with bar("training") as move:
        found = complete(run, on_pack=move, on_tick=_ticker(move), on_epoch=_epoch_line)
    show_judgements(found.judgements)
    if dropped := run.store().dropped:
        typer.echo(f"{dropped} pictures with no or several faces were left out ([data] unclear_faces).")
    typer.echo(f"report: {found.paths.html}\nnext: fauxlens quantize {folder}")


@app.command()
@_verb
def quantize(run: RunFolder) -> None:
    """Calibrate and fine-tune a trained run for int8 (post-training and quantisation-aware)."""
    from export.quantize.fake_quant import quantise_run
    from train.fit.run_folder import open_run

    with bar("quantising") as move:
        states = quantise_run(open_run(run), on_tick=_ticker(move))
    typer.echo(f"{', '.join(states)} in {run / 'quantized'}; next: fauxlens export {run}")


@app.command()
@_verb
def export(
    run: RunFolder,
    out: Out = None,
    references: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="Pictures that the bundle may carry, instead of the run's own."),
    ] = None,
    android: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also put a slim bundle into this folder: an app's assets.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the .tflite variants, the references and the bundle of a quantised run, with a report beside them."""
    from export.artifacts.slim import write_slim
    from export.release.pipeline import export_run
    from export.release.variants import NOTES, lying, to_plain
    from train.fit.run_folder import open_run

    made = export_run(
        open_run(run),
        out or run / "export",
        reference_manifest=references,
        say=lambda line: typer.echo(line, err=True),
    )
    paths = {"bundle": made.bundle, "table": made.table, "report": made.report}
    if android:
        paths["android"] = write_slim(made.bundle, android)
    if as_json:
        print_json(to_plain(made.comparison) | {"paths": paths})
        return
    print_table(f"{made.bundle} ships {made.default}: {made.why}", *lying(made.comparison.variants))
    typer.echo("\n".join((*NOTES, made.comparison.machine.sentence)))
    show_judgements(made.judgements)
    if android:
        typer.echo(f"for the app: {paths['android']}")
    typer.echo(f"table: {made.table}\nreport: {made.report}\nnext: fauxlens verify {made.bundle}")


@app.command()
@_verb
def evaluate(
    model: Annotated[Path, typer.Argument(help="A run folder, a .tflite or a bundle.")],
    manifest: ManifestFile,
    beside: Annotated[Path | None, typer.Option(help="Another model, shown side by side with flips.")] = None,
    robustness: Annotated[
        str,
        typer.Option(
            metavar="none|standard", help="Also judge pictures compressed, downscaled, blurred and made noisy."
        ),
    ] = "none",
    pictures: Annotated[
        int, typer.Option(min=2, help="So many pictures at most go through --robustness, balanced over sources.")
    ] = 400,
    out: Annotated[Path, typer.Option("--out", help="The report's folder.")] = Path("report"),
    as_json: Json = False,
) -> None:
    """Judge a detector on a manifest: per generator, with intervals, as HTML, JSON and CSV."""
    from export.release.evaluate import evaluate_models

    with bar("scoring", as_json) as move:
        found = evaluate_models(
            [one for one in (model, beside) if one],
            manifest,
            out,
            on_progress=move,
            robustness=robustness,
            pictures=pictures,
        )
    if as_json:
        typer.echo(found.paths.json.read_text(encoding="utf-8"))
        return
    show_judgements(found.judgements)
    if found.robustness:
        from train.evaluate.robustness.results import hardest

        for judgement in found.judgements:
            typer.echo(hardest(found.robustness.of(judgement.name)))
    typer.echo(f"report: {found.paths.html}")


app.command("compare")(compare_verb)


@app.command()
@_verb
def detect(
    files: Annotated[list[Path], typer.Argument(help="Pictures.")],
    model: Annotated[
        Path | None, typer.Option(help="A .tflite or a bundle.", show_default="the shipped detector")
    ] = None,
    at: Annotated[str, typer.Option(help="Operating point: balanced, fpr-1% or fpr-0.5%.")] = "balanced",
    out: Annotated[Path, typer.Option("--out", help="Folder for the heatmap overlays.")] = Path(),
    as_json: Json = False,
) -> None:
    """Say of pictures whether they look real or AI-generated, and write a heatmap overlay for each."""
    from export.inference.detect_files import detect_files

    told = detect_files(files, model, at, out)
    if as_json:
        print_json(told.document)
    else:
        for line in told.lines:
            typer.echo(line)
    for sentence in told.errors:
        typer.echo(sentence, err=True)
    if told.errors:
        raise typer.Exit(2)


app.command("ela")(ela_verb)
app.command("doctor")(doctor_verb)
app.command("explain")(explain_verb)
app.command("verify")(verify_verb)
app.command("benchmark")(benchmark_verb)


def _ticker(move: Move) -> Callable[[Any], None]:
    def tick(one: Any) -> None:
        move(one.batch, one.batches, f" {one.stage} {one.epoch}/{one.epochs}, loss {one.loss:.4f}")

    return tick


def _epoch_line(stage: str, epoch: Any) -> None:
    typer.echo(
        f"{stage}, epoch {epoch.epoch + 1}: loss {epoch.train_loss:.4f}, "
        f"validation loss {epoch.val_loss:.4f}, AUC {epoch.val_auc:.4f}",
        err=True,
    )


def main() -> None:
    """What the `fauxlens` command runs."""
    app()


if __name__ == "__main__":
    main()
