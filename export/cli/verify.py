"""The verb `fauxlens verify`: one variant of a bundle on one runtime, stage by stage."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.terminal import Json, command, print_json, print_lines, print_table, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError

if TYPE_CHECKING:
    from export.runtimes.interface import Runtime


@verb(ElaError, DataError, TrainError, ExportError)
def verify_verb(
    bundle: Annotated[
        Path,
        typer.Argument(
            help="A bundle made by `export`; with --inputs any .tflite or .onnx, also a third-party one, which runs "
            "here in LiteRT or onnxruntime."
        ),
    ],
    variant: Annotated[str | None, typer.Option(help="Variant of the bundle.", show_default="the shipped one")] = None,
    runtime: Annotated[
        str | None,
        typer.Option(help="Runtime to use; `fauxlens doctor` lists the available ones.", show_default="litert"),
    ] = None,
    self_test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Self-test JSON exported by the app (no phone needed)."),
    ] = None,
    layers: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="The bundle's run folder: show each layer's error against Keras."),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="For a third-party model: inputs as .npy arrays, or pictures."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="OTHER",
            help="With --inputs: litert-builtin (TFLite's own kernels, for a .tflite), or the same model as .onnx (in "
            "onnxruntime) or .tflite, or a folder with the outputs of your own runtime for each input: NAME.npz, or "
            "NAME.npy if there is one output.",
            show_default="litert-builtin",
        ),
    ] = None,
    view: Annotated[
        str, typer.Option(metavar="VIEW", help="With --inputs of pictures: the view, e.g. upright|square|resize(224).")
    ] = "",
    pixels: Annotated[
        str,
        typer.Option(metavar="RANGE", help="With --view: 0..255, 0..1, -1..1 or imagenet."),
    ] = "",
    by_layer: Annotated[
        bool, typer.Option("--by-layer", help="With --inputs: also compare intermediate tensors of the same name.")
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="With --inputs: largest difference allowed, relative for values above 1.",
            show_default="0.001",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check stage by stage that a runtime gives the scores of the trained model; exit status 1 if not."""
    ours = {"--variant": variant, "--runtime": runtime, "--self-test": self_test, "--layers": layers}
    theirs = {
        "--against": against,
        "--view": view,
        "--pixels": pixels,
        "--by-layer": by_layer,
        "--tolerance": tolerance,
    }
    if inputs is not None:
        _nothing_of(ours, "is about bundles and not about --inputs")
        chosen_against, chosen_tolerance = against or "litert-builtin", 1e-3 if tolerance is None else tolerance
        _verify_foreign(bundle, inputs, chosen_against, view, pixels, by_layer, chosen_tolerance, as_json)
        return
    _nothing_of(theirs, "goes with --inputs FOLDER, and not with a bundle")
    from export.artifacts.bundle import read_bundle
    from export.parity.verify import verify_bundle
    from export.runtimes.self_test_runtime import phone_sentence

    chosen_runtime = _runtime(runtime, self_test, bundle)
    opened = read_bundle(bundle)
    chosen = variant or opened.default
    errors = None
    if layers:
        from export.parity.layer_errors import COLUMNS, bundle_layers, layer_cells, layer_errors_document, verdict
        from train.fit.run_folder import open_run

        errors = bundle_layers(opened, chosen, open_run(layers))
    parity = verify_bundle(opened, variant=chosen, runtime=chosen_runtime)
    if as_json:
        print_json(asdict(parity) | ({"by_layer": layer_errors_document(errors)} if errors else {}))
    else:
        rows = [(stage.name, "pass" if stage.passed else "FAIL", stage.sentence) for stage in parity.stages]
        print_table(f"{parity.variant} on {parity.runtime}", ("stage", "", "what was found"), rows)
        if parity.phone:
            print_lines(phone_sentence(parity.phone))
        print_lines(parity.sentence)
        if errors:
            print_table(f"{chosen} against its Keras state", COLUMNS, [layer_cells(error) for error in errors])
            print_lines(verdict(errors))
        elif not next(stage.passed for stage in parity.stages if stage.name == "converting"):
            look = command("verify", bundle, "--variant", chosen, "--layers", "RUN")
            print_lines(f"to see which layer differs: {look}")
    if not parity.passed:
        raise typer.Exit(1)


def _nothing_of(options: Mapping[str, object], why: str) -> None:
    """Raise ExportError for the first option that was given: it would be ignored."""
    for name, value in options.items():
        if not (value is None or value is False or value == ""):
            raise ExportError(f"{name} {why}: leave out one of the two.")


def _verify_foreign(
    model: Path,
    inputs: Path,
    against: str,
    view: str,
    pixels: str,
    by_layer: bool,
    tolerance: float,
    as_json: bool,
) -> None:
    from export.parity.foreign import verify_foreign
    from export.parity.layer_errors import COLUMNS, layer_cells, layer_errors_document, verdict

    found = verify_foreign(
        model, inputs, against=against, view=view, pixels=pixels, by_layer=by_layer, tolerance=tolerance
    )
    if as_json:
        print_json(
            {
                "format": 1,
                "model": found.model,
                "against": found.against,
                "inputs": found.inputs,
                "tolerance": found.tolerance,
                "passed": found.passed,
                "sentence": found.sentence,
                "outputs": layer_errors_document(found.outputs)["layers"],
                "by_layer": layer_errors_document(found.layers) if found.layers else None,
            }
        )
    else:
        print_table("outputs", COLUMNS, [layer_cells(error) for error in found.outputs])
        if found.layers:
            print_table(
                "in between, in the order of execution", COLUMNS, [layer_cells(error) for error in found.layers]
            )
            print_lines(verdict(found.layers))
        elif by_layer:
            print_lines("No tensor in between has the same name in both: nothing to compare layer by layer.")
        print_lines(found.sentence)
    if not found.passed:
        raise typer.Exit(1)


def _runtime(name: str | None, self_test: Path | None, bundle: Path) -> "Runtime":
    """The runtime of this name, or `device` by what a phone has reported already."""
    from export.runtimes.registry import RUNTIMES
    from export.runtimes.self_test_runtime import shared_self_test

    if name is not None and name not in RUNTIMES:
        raise ExportError(f"Unknown runtime {name!r}: choose one of {', '.join(RUNTIMES)}.")
    if self_test is None:
        return RUNTIMES[name or "litert"]
    if name not in (None, "device"):
        raise ExportError(f"--self-test is for the runtime device, not {name}: omit one of them.")
    return shared_self_test(self_test, bundle)
