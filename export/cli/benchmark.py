"""The verb `fauxlens benchmark`: how long a bundle's detectors take here, and what they need."""

from pathlib import Path
from typing import Annotated

import typer

from train.cli.outputs import own_file
from train.cli.terminal import Json, print_json, print_lines, print_table, verb
from train.common.errors import ExportError
from train.common.own_files import BENCHMARK


@verb(ExportError)
def benchmark_verb(
    bundle: Annotated[Path, typer.Argument(help="A bundle made by `export`.")],
    variant: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Variant of the bundle; all if not given. Repeatable.")
    ] = None,
    threads: Annotated[str, typer.Option(metavar="N,...", help="Thread counts, comma-separated.")] = "1,2",
    rounds: Annotated[int, typer.Option(help="Timed runs per variant and part.")] = 200,
    starts: Annotated[
        int, typer.Option(help="New processes per variant, for cold start and memory; 0 skips these.")
    ] = 5,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.json", help="Also write the JSON here."),
        own_file(".json", "", mark=BENCHMARK),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure latency, cold start and memory of a bundle's detectors, and compare with other engines."""
    import json

    from export.artifacts.bundle import read_bundle
    from export.benchmark.benchmark_run import measure_bundle, measurement_document
    from export.benchmark.table import measurement_tables, notes
    from train.common.atomic import write_text

    if rounds < 1:
        raise ExportError(f"--rounds {rounds} is too few: give a number from 1.")
    if starts < 0:
        raise ExportError(f"--starts {starts} is not a number of processes: give 0 or more.")
    counts = parse_threads(threads)
    found = measure_bundle(
        read_bundle(bundle),
        str(bundle),
        variants=variant or (),
        threads=counts,
        rounds=rounds,
        starts=starts,
        log=lambda line: print_lines(line, err=True),
    )
    document = measurement_document(found)
    if as_json:
        print_json(document)
    else:
        for table in measurement_tables(found):
            print_table(*table)
        print_lines(*notes(found))
    # After the tables: what was measured is seen, whatever happens to the file.
    if out:
        write_text(out, json.dumps(document, indent=1, allow_nan=False) + "\n")
        if not as_json:
            print_lines(f"numbers: {out}")


def parse_threads(text: str) -> tuple[int, ...]:
    """`1,2` as numbers, each once. Raises ExportError for anything else and for numbers outside 1 to 64."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 64 for part in parts):
        raise ExportError(f"--threads {text!r} is not a list of numbers from 1 to 64: write it like 1,2.")
    return tuple(dict.fromkeys(int(part) for part in parts))
