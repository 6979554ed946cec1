"""The verb `fauxlens verify`: one variant of a bundle on one runtime, stage by stage."""

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
    bundle: Annotated[Path, typer.Argument(help="A bundle made by `export`.")],
    variant: Annotated[str | None, typer.Option(help="Variant of the bundle.", show_default="the shipped one")] = None,
    runtime: Annotated[
        str | None,
        typer.Option(help="Runtime to use; `fauxlens doctor` lists the available ones.", show_default="litert"),
    ] = None,
    self_test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Self-test JSON shared by the app; no phone needed."),
    ] = None,
    layers: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Run folder of the bundle: show the error of each layer against Keras."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check stage by stage that a runtime gives the trained scores. Exit status 1 if a stage differs."""
    from export.artifacts.bundle import read_bundle
    from export.parity.verify import verify
    from export.runtimes.self_test_runtime import phone_sentence

    chosen_runtime = _runtime(runtime, self_test, bundle)
    opened = read_bundle(bundle)
    chosen = variant or opened.default
    errors = None
    if layers:
        from export.parity.layer_errors import COLUMNS, bundle_layers, cells, to_plain, verdict
        from train.fit.run_folder import open_run

        errors = bundle_layers(opened, chosen, open_run(layers))
    parity = verify(opened, variant=chosen, runtime=chosen_runtime)
    if as_json:
        print_json(asdict(parity) | ({"by_layer": to_plain(errors)} if errors else {}))
    else:
        rows = [(stage.name, "pass" if stage.passed else "FAIL", stage.sentence) for stage in parity.stages]
        print_table(f"{parity.variant} on {parity.runtime}", ("stage", "", "what was found"), rows)
        if parity.phone:
            print_lines(phone_sentence(parity.phone))
        print_lines(parity.sentence)
        if errors:
            print_table(f"{chosen} against its Keras state", COLUMNS, [cells(error) for error in errors])
            print_lines(verdict(errors))
        elif not next(stage.passed for stage in parity.stages if stage.name == "converting"):
            by_layer = command("verify", bundle, "--variant", chosen, "--layers", "RUN")
            print_lines(f"to see which layer differs: {by_layer}")
    if not parity.passed:
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
        raise ExportError(f"--self-test is about the runtime device and not about {name}: leave out one of the two.")
    return shared_self_test(self_test, bundle)
