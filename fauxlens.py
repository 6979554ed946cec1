"""The command table, in the order of use, and Fauxlens from Python.

Each verb stands in its own module of `train/cli` or `export/cli`. What `import fauxlens` offers stands in
`export/api.py` and is loaded when it is first asked for; docs/python-api.md has examples.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from export.cli.benchmark import benchmark_verb
from export.cli.demo import demo_verb
from export.cli.detect import detect_verb
from export.cli.doctor import doctor_verb
from export.cli.ela import ela_verb
from export.cli.embed import embed_verb
from export.cli.evaluate import evaluate_verb
from export.cli.explain import explain_verb
from export.cli.export import export_verb
from export.cli.quantize import quantize_verb
from export.cli.recover import recover_verb
from export.cli.threshold import threshold_verb
from export.cli.verify import verify_verb
from export.cli.web import web_verb
from train.cli.ablate import ablate_verb
from train.cli.app import HELP_OPTIONS, App, group_in_order, version_option
from train.cli.compare import compare_verb
from train.cli.data import data_app
from train.cli.loo import loo_verb
from train.cli.process import debug_option, run_app
from train.cli.recipe import recipe_app
from train.cli.svm import svm_verb
from train.cli.train import average_verb, train_verb
from train.common.version import VERSION as __version__

if TYPE_CHECKING:
    from export.api import Detection, Detector, evaluate, metrics, open_detector, verify

START, PICTURES, MAKE, SHIP = "Start here", "Analyse pictures", "Train a detector", "Export and verify"
VERBS: dict[str, tuple[Callable[..., None] | typer.Typer, str]] = {
    # In the order of use; help shows them like this.
    "demo": (demo_verb, START),
    "doctor": (doctor_verb, START),
    "detect": (detect_verb, PICTURES),
    "explain": (explain_verb, PICTURES),
    "ela": (ela_verb, PICTURES),
    "web": (web_verb, PICTURES),
    "data": (data_app, MAKE),
    "recipe": (recipe_app, MAKE),
    "train": (train_verb, MAKE),
    "evaluate": (evaluate_verb, MAKE),
    "embed": (embed_verb, MAKE),
    "svm": (svm_verb, MAKE),
    "compare": (compare_verb, MAKE),
    "loo": (loo_verb, MAKE),
    "recover": (recover_verb, MAKE),
    "average": (average_verb, MAKE),
    "ablate": (ablate_verb, MAKE),
    "quantize": (quantize_verb, SHIP),
    "export": (export_verb, SHIP),
    "verify": (verify_verb, SHIP),
    "threshold": (threshold_verb, SHIP),
    "benchmark": (benchmark_verb, SHIP),
}

app = App(
    cls=group_in_order(VERBS),
    context_settings=HELP_OPTIONS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


__all__ = ["Detection", "Detector", "__version__", "evaluate", "metrics", "open_detector", "verify"]


def __getattr__(name: str) -> Any:
    """Load the Python API when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'fauxlens' has no attribute {name!r}; docs/python-api.md lists what it offers")
    from export import api

    return getattr(api, name)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=version_option, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an internal error.", callback=debug_option)
    ] = False,
) -> None:
    """Detect AI-generated faces; train, export and verify detectors that run on phones and in browsers."""


for _name, (_verb, _panel) in VERBS.items():
    if isinstance(_verb, typer.Typer):
        app.add_typer(_verb, name=_name, rich_help_panel=_panel)
    else:
        app.command(_name, rich_help_panel=_panel)(_verb)


def main() -> None:
    """What the `fauxlens` command runs."""
    run_app(app)


if __name__ == "__main__":
    main()
