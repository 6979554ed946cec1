"""The command table, in the order of use: each verb stands in its own module of `train/cli` or `export/cli`."""

import typer

from export.cli.benchmark import benchmark_verb
from export.cli.demo import demo_verb
from export.cli.detect import detect_verb
from export.cli.doctor import doctor_verb
from export.cli.ela import ela_verb
from export.cli.evaluate import evaluate_verb
from export.cli.explain import explain_verb
from export.cli.export import export_verb
from export.cli.quantize import quantize_verb
from export.cli.verify import verify_verb
from train.cli.compare import compare_verb
from train.cli.data import data_app
from train.cli.train import train_verb

app = typer.Typer(
    help="Train a detector of AI-generated faces, ship it to a phone, and prove that the phone gives the same score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_verb)
app.add_typer(data_app, name="data")
app.command("train")(train_verb)
app.command("quantize")(quantize_verb)
app.command("export")(export_verb)
app.command("evaluate")(evaluate_verb)
app.command("compare")(compare_verb)
app.command("detect")(detect_verb)
app.command("ela")(ela_verb)
app.command("doctor")(doctor_verb)
app.command("explain")(explain_verb)
app.command("verify")(verify_verb)
app.command("benchmark")(benchmark_verb)


def main() -> None:
    """What the `fauxlens` command runs."""
    app()


if __name__ == "__main__":
    main()
