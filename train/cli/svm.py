"""The verb `fauxlens svm`: a support vector machine on features, evaluated as a detector is."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.compare import show_evaluations
from train.cli.outputs import folder_of
from train.cli.terminal import Json, print_lines, print_table, verb
from train.common.errors import DataError, TrainError
from train.common.own_files import REPORT, SVM


@verb(DataError, TrainError)
def svm_verb(
    features: Annotated[Path, typer.Argument(help="A file made by `embed`.")],
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for report, scores and svm.json."),
        folder_of(REPORT, SVM),
    ] = Path("svm"),
    generators: Annotated[
        str, typer.Option(help="Train on these generators only, separated by commas (camera: real pictures).")
    ] = "*",
    held_out: Annotated[
        str, typer.Option(help="Generators and sources to leave out of training, separated by commas.")
    ] = "",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the folds.")] = 0,
    as_json: Json = False,
) -> None:
    """Fit a support vector machine to features (grid search over kernel and C) and report as for detectors."""
    from train.features.svm import SvmSettings, svm_report
    from train.features.table import read_features

    settings = SvmSettings(_names(generators), _names(held_out), folds, seed)
    found = svm_report(read_features(features), settings, out, f"SVM on {features.name}", features.resolve().parent)
    if as_json:
        typer.echo((out / "svm.json").read_text(encoding="utf-8"), nl=False)
        return
    fitted = found.fitted
    rows = [
        (one.kernel, f"{one.cost:g}", f"{one.auc:.4f}", f"{one.deviation:.4f}", "best" if one == fitted.best else "")
        for one in fitted.grid
    ]
    title = f"Grid search: AUC over {folds} folds of {fitted.pictures:,} pictures"
    print_table(title, ("kernel", "C", "mean", "deviation", ""), rows)
    show_evaluations([found.evaluation])
    print_lines(
        f"macro F1 of the reported pictures at the balanced point: {found.macro_f1.value:.3f} "
        f"[{found.macro_f1.low:.3f}, {found.macro_f1.high:.3f}]",
        f"report: {found.paths.html}; each picture's scores: {out / 'scores.csv'}",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
