"""The verb `fauxlens doctor`: what this machine has, and the assets of runtimes that it can be given."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.terminal import Json, print_json, print_lines, print_table, verb
from train.common.errors import ExportError
from train.common.extras import install_command

if TYPE_CHECKING:
    from export.runtimes.doctor import Machine


@verb(ExportError)
def doctor_verb(
    set_up: Annotated[
        list[str] | None,
        typer.Option("--set-up", metavar="NAME", help="Install what a runtime needs, or `all`. Repeatable."),
    ] = None,
    need: Annotated[
        list[str] | None,
        typer.Option("--need", metavar="NAME", help="Exit with status 1 if this runtime cannot be used. Repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine: packages, processor, weights, and the runtimes that `verify` can use."""
    from export.runtimes import doctor

    doctor.check_runtime_names(need or ())
    failures = doctor.set_up_runtimes(set_up, lambda line: print_lines(line, err=True)) if set_up else []
    machine = doctor.examine()
    if as_json:
        print_json(_document(machine))
    else:
        print_table("this machine", ("what", "found"), _rows(machine))
        runtimes = [(one.name, one.guarantee, "ok" if one.missing is None else one.missing) for one in machine.runtimes]
        print_table("runtimes, for `verify --runtime NAME`", ("name", "guarantee", "status"), runtimes)
    for sentence in failures:
        print_lines(sentence, err=True)
    if failures:
        raise typer.Exit(2)
    if doctor.absent(machine, need or ()):
        raise typer.Exit(1)


def _rows(machine: "Machine") -> list[tuple[str, str]]:
    packages = [(one.name, one.version or f"absent: {install_command(one.extra)}") for one in machine.packages]
    weights = ", ".join(path.name for path in machine.imagenet)
    return [
        ("Python", f"{machine.python} on {machine.system}"),
        *packages,
        ("legacy Keras", machine.legacy_keras or "can be chosen"),
        ("processor", f"{machine.processor}, {machine.cores} cores"),
        ("extensions", " ".join(machine.flags) or "none known"),
        ("memory", f"{machine.memory / 2**30:.1f} GiB" if machine.memory else "unknown"),
        ("ImageNet weights", weights or "not downloaded yet; a training with `--weights imagenet` does it"),
    ]


def _document(machine: "Machine") -> dict[str, Any]:
    """The machine as JSON: packages by name, and `ok` beside what is missing of a runtime."""
    runtimes = [
        {"name": one.name, "promise": one.guarantee, "missing": one.missing, "ok": one.missing is None}
        for one in machine.runtimes
    ]
    packages = {one.name: one.version for one in machine.packages}
    return {**asdict(machine), "packages": packages, "runtimes": runtimes}
