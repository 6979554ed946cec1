"""Whatever a person names where a verb reads: what is no such file or folder is one sentence that names it, status 2.

Every parameter that takes a path is in the table, and every entry meets every kind of thing that may stand at a path.
"""

import os
import re
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

import fauxlens
from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED
from tests.train.cli.test_outputs import READ
from train.data.manifest import read_manifest
from train.features.table import LABELS, FeatureNote, FeatureTable, write_features
from train.fit.run_folder import start_run
from train.recipe import read_recipe

RECIPE = """title = "t"
[data]
view = "upright|square|resize(32)"
generators = ["*"]
[model]
width = 0.25
weights = "none"
[[stages]]
name = "s"
epochs = 1
learning_rate = 0.001
train_from = "all"
"""


@dataclass(frozen=True)
class Named:
    """Words of a command with BAD for the path; what it should be; a good file, parts of which are given."""

    words: str
    kind: Literal["file", "folder", "either"] = "file"
    good: str = ""


BUNDLE, TABLE = "good.zip", "good.csv"
# By verb and parameter; of one that takes several formats a list.
NAMED = {
    ("ablate", "grid"): [Named("ablate BAD.toml --manifest good.csv --out x", good="grid.toml")],
    ("ablate", "manifest"): [Named("ablate flip --manifest BAD.csv --out x", good=TABLE)],
    ("ablate", "weights"): [Named("ablate flip --manifest good.csv --out x --weights BAD.h5", good="good.h5")],
    ("average", "run"): [Named("average BAD good.h5 --out x", "folder")],
    ("benchmark", "bundle"): [Named("benchmark BAD.zip --rounds 1 --starts 0", good=BUNDLE)],
    ("compare", "runs"): [Named("compare BAD", "folder"), Named("compare run BAD --against fit.seed=1", "folder")],
    ("data audit", "manifest"): [Named("data audit BAD.csv", good=TABLE)],
    ("data croissant", "manifest"): [Named("data croissant BAD.csv --out x.json", good=TABLE)],
    ("data faces", "manifest"): [Named("data faces BAD.csv --out x.csv", good=TABLE)],
    ("data get", "card"): [Named("data get BAD.toml --out x", good="card.toml")],
    ("data merge", "manifests"): [Named("data merge good.csv BAD.csv --out x.csv", good=TABLE)],
    ("data pack", "manifest"): [Named("data pack BAD.csv --view upright|square|resize(32) --out x", good=TABLE)],
    ("data reconstruct", "manifest"): [Named("data reconstruct BAD.csv --out x --weights .", good=TABLE)],
    ("data reconstruct", "weights"): [Named("data reconstruct good.csv --out x --weights BAD", "folder")],
    ("data reconstruct", "autoencoder"): [Named("data reconstruct good.csv --out x --autoencoder BAD.onnx")],
    ("data scan", "folder"): [Named("data scan BAD --out x.csv", "folder")],
    ("data scan", "card"): [Named("data scan set --out x.csv --card BAD.toml")],
    ("data show", "manifest"): [Named("data show BAD.csv", good=TABLE)],
    ("data show", "augment"): [Named("data show good.csv --augment BAD.toml", good="good.toml")],
    ("data split", "manifest"): [Named("data split BAD.csv folds:2", good=TABLE)],
    ("data split", "join"): [Named("data split good.csv folds:2 --join BAD.csv", good="copies.csv")],
    ("detect", "files"): [Named("detect BAD.png --no-overlay", good="set/real/00.png")],
    ("detect", "model"): [
        Named("detect set/real/00.png --no-overlay --model BAD.tflite", good="good.tflite"),
        Named("detect set/real/00.png --no-overlay --model BAD.zip", good=BUNDLE),
    ],
    ("ela", "files"): [Named("ela BAD.png", good="set/real/00.png")],
    ("ela", "model"): [Named("ela set/real/00.png --model BAD.zip", good=BUNDLE)],
    ("embed", "model"): [Named("embed BAD.zip good.csv --out x.npz", "either", good=BUNDLE)],
    ("embed", "manifest"): [Named("embed mobilenet-v1 BAD.csv --weights none --out x.npz", good=TABLE)],
    ("evaluate", "model"): [
        Named("evaluate BAD.zip good.csv --out x", "either", good=BUNDLE),
        Named("evaluate BAD.csv good.csv --out x", good="scores.csv"),
        Named("evaluate BAD.onnx good.csv --out x"),
    ],
    ("evaluate", "manifest"): [Named("evaluate good.zip BAD.csv --out x", "either", good=TABLE)],
    ("evaluate", "card"): [Named("evaluate good.zip set --card BAD.toml --out x")],
    ("evaluate", "beside"): [Named("evaluate good.zip good.csv --beside BAD.zip --out x", "either", good=BUNDLE)],
    ("evaluate", "scores"): [Named("evaluate good.zip good.csv --scores BAD.csv --out x", good="scores.csv")],
    ("explain", "files"): [Named("explain BAD.png", good="set/real/00.png")],
    ("explain", "model"): [Named("explain set/real/00.png --model BAD.zip", "either", good=BUNDLE)],
    ("explain", "mean"): [Named("explain --mean BAD.csv", good=TABLE)],
    ("explain", "local_fakes"): [Named("explain --local-fakes BAD", "folder")],
    ("export", "run"): [Named("export BAD --out x", "folder")],
    ("loo", "manifest"): [Named("loo BAD.csv --recipe good.toml --out x", good=TABLE)],
    ("loo", "recipe"): [Named("loo good.csv --recipe BAD.toml --out x", good="good.toml")],
    ("quantize", "run"): [Named("quantize BAD", "folder")],
    ("recipe copy", "name"): [Named("recipe copy BAD.toml x.toml", good="good.toml")],
    ("recipe show", "name"): [Named("recipe show BAD.toml", good="good.toml")],
    ("recover", "model"): [Named("recover BAD.zip good.csv --out x.h5", good=BUNDLE)],
    ("recover", "manifest"): [Named("recover good.zip BAD.csv --out x.h5", good=TABLE)],
    ("svm", "features"): [
        Named("svm BAD.npz --out x", good="good.npz"),
        Named("svm BAD.parquet --out x", good="good.parquet"),
    ],
    ("threshold", "detector"): [Named("threshold BAD.zip good.csv --recall 90% --out x.zip", good=BUNDLE)],
    ("threshold", "manifest"): [Named("threshold good.zip BAD.csv --recall 90% --out x.zip", good=TABLE)],
    ("train", "recipe"): [Named("train BAD.toml --manifest good.csv --out x", good="good.toml")],
    ("train", "manifest"): [Named("train good.toml --manifest BAD.csv --out x", good=TABLE)],
    ("train", "weights"): [Named("train good.toml --manifest good.csv --out x --weights BAD.h5", good="good.h5")],
    ("train", "resume"): [Named("train --resume BAD", "folder")],
    ("verify", "bundle"): [Named("verify BAD.zip", good=BUNDLE)],
    ("verify", "self_test"): [Named("verify good.zip --self-test BAD.json")],
    ("verify", "layers"): [Named("verify good.zip --layers BAD", "folder")],
    ("verify", "inputs"): [Named("verify good.tflite --inputs BAD", "folder")],
    ("web", "model"): [Named("web --no-open --out x --model BAD.zip", good=BUNDLE)],
}
# These are looked at when a finished run has been opened: test_average.py and test_bad_input.py.
ELSEWHERE = {("average", "weights"), ("export", "references"), ("export", "local_fakes")}


def test_every_parameter_that_reads_a_path_is_tried() -> None:
    assert {(verb, name) for verb, names in READ.items() for name in names} <= set(NAMED) | ELSEWHERE


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder, with a good one of everything."""
    folder = tmp_path_factory.mktemp("named")
    before = Path.cwd()
    os.chdir(folder)
    random = np.random.default_rng(1)
    for label in ("real", "fake/g"):
        Path("set", label).mkdir(parents=True)
        for number in range(24):
            small = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            small.resize((64, 64)).save(f"set/{label}/{number:02}.png")
    assert CliRunner().invoke(fauxlens.app, ["data", "scan", "set", "--out", TABLE]).exit_code == 0
    shutil.copy(SHIPPED, BUNDLE)
    bundle = read_bundle(Path(BUNDLE))
    Path("good.tflite").write_bytes(bundle.variants[bundle.default])
    Path("good.toml").write_text(RECIPE)
    start_run(folder / "run", read_recipe(Path("good.toml")), folder / TABLE, read_manifest(Path(TABLE)))
    note = FeatureNote("mobilenet-v1 (none)", "upright|square|resize(32)", "drop", "0" * 64, TABLE)
    rows = pl.DataFrame({name: [f"{name}-{number}" for number in range(3)] for name in LABELS})
    for name in ("good.npz", "good.parquet"):
        write_features(FeatureTable(rows, random.normal(size=(3, 50)).astype(np.float32), note), Path(name))
    Path("scores.csv").write_text("path,score\nset/real/00.png,0.5\n")
    Path("copies.csv").write_text("first,second\nset/real/00.png,set/real/01.png\n")
    with h5py.File("good.h5", "w") as file:
        file["kernel"] = np.zeros(1000)
    root = Path(fauxlens.__file__).parent
    shutil.copy(root / "train/grids/flip.toml", "grid.toml")
    shutil.copy(root / "datasets/drawn-sample.toml", "card.toml")
    yield folder
    os.chdir(before)


def contents(good: str) -> Iterator[tuple[str, bytes]]:
    """What a file may hold that is none of the kind."""
    yield "empty", b""
    yield "random", np.random.default_rng(7).bytes(4096)
    yield "not UTF-8", "path,sha256,label\ntitle = 'café'\n".encode("latin-1")
    yield "UTF-16", "path,label\n".encode("utf-16")
    yield "nested", b"[" * 100_000
    yield "digits of JSON", b'{"format": ' + b"1" * 5000 + b"}"
    yield "digits of TOML", b"format = " + b"1" * 5000
    if good:
        data = Path(good).read_bytes()
        yield "cut short", data[: len(data) // 2]


@contextmanager
def limited(megabytes: int | None, seconds: int) -> Iterator[None]:
    """End what reads without end: too much memory is a MemoryError, too much time an error that no verb catches."""

    class Endless(BaseException):
        pass

    def stop(number: int, frame: FrameType | None) -> None:
        raise Endless

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    earlier = signal.signal(signal.SIGALRM, stop)
    if megabytes is not None:
        used = int(re.findall(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[0]) << 10
        resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20), hard))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, earlier)


def is_told(words: str, given: str, shown: str) -> None:
    """Whether the verb ends with one sentence that names what it was given, and leaves nothing."""
    before = set(Path().rglob("*"))
    # Devices without end come last: what a verb imports has been imported.
    with limited(6000 if given.startswith("/dev") else None, 300):
        done = CliRunner().invoke(fauxlens.app, [given if word.startswith("BAD") else word for word in words.split()])
    made = set(Path().rglob("*")) - before
    for path in made:
        if path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert (done.exit_code, done.stdout, made) == (2, "", set()), done.output
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert shown in done.stderr
    assert "Traceback" not in done.stderr


def suffix_of(one: Named) -> str:
    return Path(next(word for word in one.words.split() if word.startswith("BAD"))).suffix


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


EVERY = pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=f"{' '.join(name)} {suffix_of(one)}") for name, several in NAMED.items() for one in several],
)


@EVERY
def test_what_is_no_such_path_is_told(one: Named, place: Path) -> None:
    suffix = suffix_of(one)
    is_told(one.words, f"absent{suffix}", f"absent{suffix}")
    is_told(one.words, f"odd\n\x1b[31mred\u202e{suffix}", f"odd\\n\\x1b[31mred\\u202e{suffix}")
    is_told(one.words, "x" * 300 + suffix, "xxx")
    path = Path(f"bad{suffix}")
    makers: list[Callable[[], None]] = [lambda: os.mkfifo(path), lambda: path.symlink_to(path.name)]
    if one.kind == "file":
        makers.append(path.mkdir)
    for make in makers:
        make()
        try:
            is_told(one.words, str(path), str(path))
        finally:
            remove(path)
    is_told(one.words, "/dev/zero", "/dev/zero")


@EVERY
def test_what_holds_something_else_is_told(one: Named, place: Path) -> None:
    path = Path(f"bad{suffix_of(one)}")
    if one.kind != "file":
        path.mkdir()
        try:
            is_told(one.words, str(path), str(path))
        finally:
            remove(path)
    for kind, data in contents(one.good) if one.kind != "folder" else [("a table", b"x,y\n1,2\n")]:
        path.write_bytes(data)
        try:
            is_told(one.words, str(path), str(path))
        except AssertionError as error:
            raise AssertionError(f"{kind}: {error}") from error
        finally:
            remove(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
@EVERY
def test_what_may_not_be_read_is_told(one: Named, place: Path) -> None:
    path = Path(f"bad{suffix_of(one)}")
    path.mkdir() if one.kind == "folder" else path.write_bytes(b"x")
    path.chmod(0)
    try:
        is_told(one.words, str(path), str(path))
    finally:
        path.chmod(0o700)
        remove(path)
