"""kill -9 at random moments of train, quantize, export and reconstruct: run again, each ends in the same bytes.

    .venv/bin/python tests/benchmarks/killed.py [--kills 30] [--in-a-row 1] [--pictures 40] [--epochs 2] [--seed 7]
        [--weights FOLDER] [--verbs NAMES] [--report MD]

A small network (width 0.25, 32 px, with dropout) on drawn portraits. Every verb is first run twice to its end: what
differs between these two (latencies, and what tells them) is named and compared no further. Then each trial starts from
what the verb starts from, is killed at a moment drawn evenly from the time that it takes, and is run again as its own
words ask for: `train --resume`, for the others the same command. With --in-a-row N it is killed N times so before it
may end, which costs less time a kill. All files of the folder are compared by their names and SHA-256, the members of a
bundle one by one. Verbs run in children of this process, which has imported TensorFlow but computed nothing, so that a
trial costs no imports; a child is killed alone, as by the system when memory is short. --pictures is their number, 30
at least, and --epochs that of the second training stage, after one of the head.

--weights is a folder with TAESD's weights; without one reconstruct is left out. Exit status 1 where anything differs.
"""

import argparse
import hashlib
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """
title = "Killed"
[data]
view = "upright|square|resize(32)"
generators = ["camera", "gan-like", "diffusion-like"]
[model]
width = 0.25
weights = "none"
dropout = 0.2
batch_norm_momentum = 0.9
[[stages]]
name = "head"
epochs = 1
learning_rate = 0.001
train_from = "head"
[[stages]]
name = "all"
epochs = {epochs}
learning_rate = 0.001
train_from = "all"
[fit]
batch_size = 8
patience = 9
seed = 3
[quantize]
calibration_batches = 2
epochs = 1
"""


@dataclass
class Verb:
    """A command, the one that goes on after a kill, and what was found."""

    name: str
    words: tuple[str, ...]
    resume: tuple[str, ...] | None = None
    seconds: float = 0.0
    wanted: dict[str, str] = field(default_factory=dict)
    varying: list[str] = field(default_factory=list)
    kills: int = 0
    too_late: int = 0
    same: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Run the trials."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--in-a-row", type=int, default=1, metavar="N", help="kills before a command may end")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--verbs", default="train,quantize,export,reconstruct", help="those to be killed")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    _import_much()
    with tempfile.TemporaryDirectory(prefix="fauxlens-killed-") as name:
        place, befores = Path(name) / "place", Path(name) / "befores"
        verbs = _measured(place, befores, given.verbs.split(","), given.weights, given.pictures, given.epochs)
        _kill(verbs, place, befores, given.kills, given.in_a_row, random.Random(given.seed))
    text = _table(verbs, given.seed)
    print(text)
    if given.report:
        given.report.write_text(text, encoding="utf-8")
    return 1 if any(verb.wrong for verb in verbs) else 0


def _measured(
    place: Path, befores: Path, chosen: Sequence[str], weights: Path | None, pictures: int, epochs: int
) -> list[Verb]:
    """The verbs to be killed, each run twice to its end; what each starts from is in `befores`."""
    place.mkdir()
    befores.mkdir()
    (place / "recipe.toml").write_text(RECIPE.replace("{epochs}", str(epochs)))
    _must(_run(place, ("data", "sample", "set", "--count", str(pictures))))
    _must(_run(place, ("data", "scan", "set", "--out", "manifest.csv")))
    verbs = [
        Verb("train", ("train", "recipe.toml", "--out", "run"), ("train", "--resume", "run")),
        Verb("quantize", ("quantize", "run")),
        Verb("export", ("export", "run")),
    ]  # fmt: skip
    if weights is not None:
        words = ("reconstruct", "manifest.csv", "--out", "fakes", "--weights", str(weights.resolve()))
        verbs.append(Verb("reconstruct", ("data", *words, "--autoencoder", "taesd", "--scale", "64")))
    # What is made of a training needs one; reconstructions do not.
    verbs = [verb for verb in verbs if verb.name in chosen or (verb.name != "reconstruct" and _is_needed(verb, chosen))]
    for verb in verbs:
        shutil.copytree(place, befores / verb.name)
        seen = []
        # What is only needed by others runs once.
        for _ in range(2 if verb.name in chosen else 1):
            _restore(befores / verb.name, place)
            start = time.monotonic()
            _must(_run(place, verb.words))
            verb.seconds = max(verb.seconds, time.monotonic() - start)
            seen.append(_digests(place))
        first, verb.wanted = seen[0], seen[-1]
        verb.varying = sorted(
            one for one in first.keys() | verb.wanted.keys() if first.get(one) != verb.wanted.get(one)
        )
        varying = ", ".join(verb.varying) or "nothing"
        print(f"{verb.name}: {verb.seconds:.0f} s; differs by itself: {varying}", flush=True)
    return [verb for verb in verbs if verb.name in chosen]


def _kill(verbs: Sequence[Verb], place: Path, befores: Path, kills: int, in_a_row: int, draw: random.Random) -> None:
    """Kill and run again, the verbs in turn; what was found is written into them."""
    number = 0
    while number < kills:
        verb = verbs[number // in_a_row % len(verbs)]
        _restore(befores / verb.name, place)
        moments = []
        for _ in range(min(in_a_row, kills - number)):
            moments.append(draw.uniform(0, verb.seconds))
            verb.too_late += not _run(place, _words(verb, place), kill_after=moments[-1])[0]
        number += len(moments)
        verb.kills += len(moments)
        _, status, said = _run(place, _words(verb, place))
        found = _digests(place)
        differ = sorted(
            one
            for one in found.keys() | verb.wanted.keys()
            if one not in verb.varying and found.get(one) != verb.wanted.get(one)
        )
        after = ", ".join(f"{moment:.2f} s" for moment in moments)
        if status or differ:
            verb.wrong.append(f"{after}: status {status}, {', '.join(differ)} {said[-300:] if status else ''}")
        else:
            verb.same += len(moments)
        print(f"{number}/{kills} {verb.name} {after}: {verb.wrong[-1] if status or differ else 'same'}", flush=True)


def _words(verb: Verb, place: Path) -> tuple[str, ...]:
    """What a person runs now: what goes on where something was begun, else the command itself."""
    begun = place / "run" / "run.json"
    return verb.resume if verb.resume and begun.exists() and begun.stat().st_size else verb.words


def _is_needed(verb: Verb, chosen: Sequence[str]) -> bool:
    order = ("train", "quantize", "export")
    return any(name in chosen for name in order[order.index(verb.name) :])


def _run(place: Path, words: Sequence[str], kill_after: float | None = None) -> tuple[bool, int, str]:
    """Run a command in a child: whether it was killed, its status, and what it said."""
    log = place.parent / "said.txt"
    child = os.fork()
    if child == 0:
        _be_fauxlens(place, words, log)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status == -signal.SIGKILL, status, log.read_text(errors="replace") if log.exists() else ""


def _be_fauxlens(place: Path, words: Sequence[str], log: Path) -> None:
    status = 70
    try:
        os.chdir(place)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        import fauxlens

        try:
            fauxlens.app(list(words), prog_name="fauxlens")
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else 0
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _import_much() -> None:
    """What a child would import, but for Polars, which starts threads at once; nothing is computed here."""
    from train.common.tf import load_tensorflow

    load_tensorflow()
    import ai_edge_litert.interpreter
    import matplotlib.figure
    import tensorflow_model_optimization

    import fauxlens

    assert all((ai_edge_litert.interpreter, matplotlib.figure, tensorflow_model_optimization, fauxlens))


def _restore(before: Path, place: Path) -> None:
    shutil.rmtree(place)
    shutil.copytree(before, place)


def _digests(place: Path) -> dict[str, str]:
    """SHA-256 of every file by its name, of a bundle's members too; locks and TensorBoard's logs are left out."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        # A log has times in it, and one more file for each time that the training was begun.
        if not path.is_file() or path.name.endswith(".lock") or "/tensorboard/" in f"/{name}":
            continue
        if path.name == "bundle.zip":
            with zipfile.ZipFile(path) as bundle:
                for member in bundle.namelist():
                    found[f"{name}: {member}"] = hashlib.sha256(bundle.read(member)).hexdigest()
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _must(done: tuple[bool, int, str]) -> None:
    if done[1]:
        raise SystemExit(f"The uninterrupted command failed with status {done[1]}: {done[2][-500:]}")


def _table(verbs: Sequence[Verb], seed: int) -> str:
    lines = ["| verb | seconds | kills | after the end | same bytes |", "|---|---|---|---|---|"]
    lines += [f"| {verb.name} | {verb.seconds:.0f} | {verb.kills} | {verb.too_late} | {verb.same} |" for verb in verbs]
    lines += [
        "",
        *(
            f"- {verb.name} differs between two uninterrupted runs in: {', '.join(verb.varying)}"
            for verb in verbs
            if verb.varying
        ),
    ]
    lines += [f"- **{verb.name}** killed at {one}" for verb in verbs for one in verb.wrong]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, seed {seed}"
    return (
        "\n".join(["# Killed and run again", "", f"Written by `tests/benchmarks/killed.py` ({machine}).", "", *lines])
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
