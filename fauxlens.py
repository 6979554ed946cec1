"""The command table, in the order of use, and Fauxlens from Python.

Each verb stands in its own module of `train/cli` or `export/cli`, which is imported when the verb is run. What
`import fauxlens` offers stands in `export/api.py` and is loaded when it is first asked for; docs/python-api.md has
examples.
"""

import signal
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

if (__name__ == "__main__" or PurePath(sys.argv[0]).stem == "fauxlens") and (
    signal.getsignal(signal.SIGINT) == signal.default_int_handler
):
    # While the command is loaded, Ctrl-C ends it without a traceback; `run_app` takes it up again.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import typer

from train.cli.app import HELP_OPTIONS, App, VerbEntry, group_of, version_option
from train.cli.process import debug_option, run_app
from train.common.version import VERSION as __version__

if TYPE_CHECKING:
    from export.api import Detection, Detector, evaluate, metrics, open_detector, verify

START, PICTURES, MAKE, SHIP = "Start here", "Analyse pictures", "Train a detector", "Export and verify"
VERBS = {
    # In the order of use; help shows them like this.
    "demo": VerbEntry(
        "export.cli.demo:demo_verb",
        "Run the full pipeline offline on drawn sample data: training, int8, .tflite, verification, report.",
        START,
    ),
    "doctor": VerbEntry(
        "export.cli.doctor:doctor_verb",
        "Check this machine: packages, processor, weights, and the runtimes that `verify` can use.",
        START,
    ),
    "detect": VerbEntry(
        "export.cli.detect:detect_verb",
        "Classify pictures as real or AI-generated, with evidence: file metadata, faces, the detector's score.",
        PICTURES,
    ),
    "explain": VerbEntry(
        "export.cli.explain:explain_verb",
        "Explain a score by heatmaps, input planes and, with a run folder, Grad-CAM++ and other attributions.",
        PICTURES,
    ),
    "ela": VerbEntry(
        "export.cli.ela:ela_verb",
        "Draw Error Level Analysis as NAME.ela.png next to each picture.",
        PICTURES,
    ),
    "web": VerbEntry(
        "export.cli.web:web_verb",
        "Classify pictures on a local web page; pictures are not uploaded.",
        PICTURES,
    ),
    "data": VerbEntry("train.cli.data.verbs:data_app", "Download, scan, check, split and pack data.", MAKE),
    "recipe": VerbEntry("train.cli.recipe:recipe_app", "List, show and copy recipes.", MAKE),
    "train": VerbEntry(
        "train.cli.train:train_verb",
        "Train, calibrate and evaluate a detector from a recipe.",
        MAKE,
    ),
    "evaluate": VerbEntry(
        "export.cli.evaluate:evaluate_verb",
        "Evaluate a detector on a manifest: per generator, with intervals, as HTML, JSON and CSV.",
        MAKE,
    ),
    "embed": VerbEntry(
        "export.cli.embed:embed_verb",
        "Write a network's features of a manifest's pictures, for `svm` and your own analyses.",
        MAKE,
    ),
    "svm": VerbEntry(
        "train.cli.svm:svm_verb",
        "Fit a support vector machine to features (grid search over kernel and C) and report as for detectors.",
        MAKE,
    ),
    "compare": VerbEntry(
        "train.cli.compare:compare_verb",
        "Compare runs as a matrix trained-on x tested-on, or recipes over several seeds (--against).",
        MAKE,
    ),
    "loo": VerbEntry(
        "train.cli.loo:loo_verb",
        "Leave each generator or source out of training and test on it, to estimate accuracy on new ones.",
        MAKE,
    ),
    "recover": VerbEntry(
        "export.cli.recover:recover_verb",
        "Recover Keras weights from a detector file, to continue training with `train --weights`.",
        MAKE,
    ),
    "average": VerbEntry(
        "train.cli.train:average_verb",
        "Average a run's weights with the weights it started from, which is often better than either.",
        MAKE,
    ),
    "ablate": VerbEntry(
        "train.cli.ablate:ablate_verb",
        "Train and compare recipes over a grid of keys and seeds.",
        MAKE,
    ),
    "quantize": VerbEntry(
        "export.cli.quantize:quantize_verb",
        "Quantise a trained run to int8, post-training (PTQ) and by quantisation-aware fine-tuning (QAT).",
        SHIP,
    ),
    "export": VerbEntry(
        "export.cli.export:export_verb",
        "Write the .tflite variants, the bundle with its references, the model card and a report of a quantised run.",
        SHIP,
    ),
    "verify": VerbEntry(
        "export.cli.verify:verify_verb",
        "Check stage by stage that a runtime gives the scores of the trained model; exit status 1 if not.",
        SHIP,
    ),
    "threshold": VerbEntry(
        "export.cli.threshold:threshold_verb",
        "Choose new thresholds for a detector on your own pictures and write them into a copy.",
        SHIP,
    ),
    "benchmark": VerbEntry(
        "export.cli.benchmark:benchmark_verb",
        "Measure latency, cold start and memory of a bundle's detectors, and compare with other engines.",
        SHIP,
    ),
}

app = App(
    cls=group_of(VERBS),
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


def main() -> None:
    """What the `fauxlens` command runs."""
    run_app(app)


if __name__ == "__main__":
    main()
