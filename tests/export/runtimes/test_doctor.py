"""The doctor says what is there without importing it, sets up what it is told to, and answers scripts by its status."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from export.cli.doctor import doctor_verb
from export.runtimes import doctor
from export.runtimes.interface import Output, Runtime
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError
from train.common.progress import LogCallback

ROOT = Path(doctor.__file__).parents[2]
HEAVY = ("tensorflow", "tf_keras", "ai_edge_litert", "cv2", "polars", "sklearn", "mtcnn", "mediapipe")
app = typer.Typer()
app.command()(doctor_verb)


def no_call(tflite: bytes, views: np.ndarray) -> Output:
    raise AssertionError("the doctor runs no detector")


class Assets:
    """Assets of a runtime that are absent until they are set up."""

    def __init__(self, fault: str = "") -> None:
        self.made = 0
        self.fault = fault

    def missing(self) -> str | None:
        return None if self.made else "The assets are absent: set them up."

    def set_up(self, log: LogCallback) -> None:
        log("fetching ...")
        if self.fault:
            raise ExportError(self.fault)
        self.made += 1


@pytest.fixture
def assets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Assets]:
    """A table of runtimes: `here` needs no assets, `good` and `other` have some, those of `bad` cannot be made."""
    made = {"good": Assets(), "other": Assets(), "bad": Assets("The disk of the runtime bad is full: make room.")}
    table = {"here": Runtime("here", "bits", no_call, lambda: None)}
    table |= {name: Runtime(name, "bits", no_call, one.missing, one.set_up) for name, one in made.items()}
    monkeypatch.setattr(doctor, "RUNTIMES", table)
    return made


def status(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_command_line_tells_of_every_runtime_and_imports_nothing_big(tmp_path: Path) -> None:
    for name in HEAVY:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, str(ROOT / "fauxlens.py"), "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["python"] == ".".join(map(str, sys.version_info[:3]))
    assert document["packages"]["numpy"] == np.__version__
    assert document["cores"] >= 1
    assert document["imagenet"] == []
    assert [one["name"] for one in document["runtimes"]] == list(RUNTIMES)
    for one in document["runtimes"]:
        assert one["ok"] == (one["missing"] is None)
    assert document["runtimes"][0] == {"name": "litert", "promise": "bits", "missing": None, "ok": True}


def test_the_table_says_the_same_to_people(assets: dict[str, Assets], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, told = status()
    assert (code, told) == (0, "")
    for word in ("numpy", np.__version__, "legacy Keras", "GiB", "here", "ok", "The assets are absent: set them up."):
        assert word in shown


def test_what_is_needed_decides_the_status(assets: dict[str, Assets]) -> None:
    assert status("--need", "here")[0] == 0
    assert status("--need", "here", "--need", "good")[0] == 1
    assert status("--need", "good", "--set-up", "good")[0] == 0
    assert status("--need", "good", "--json")[0] == 0


@pytest.mark.parametrize("option", ["--need", "--set-up"])
def test_an_unknown_runtime_is_wrong_usage(assets: dict[str, Assets], option: str) -> None:
    code, shown, told = status("--set-up", "good", option, "abacus")
    assert (code, shown) == (2, "")
    assert told == "Unknown runtime 'abacus': choose one of here, good, other, bad.\n"
    assert not assets["good"].made


def test_set_up_speaks_on_standard_error_and_only_of_what_was_asked(assets: dict[str, Assets]) -> None:
    code, shown, told = status("--set-up", "good", "--set-up", "here", "--json")
    assert code == 0
    assert told.splitlines() == ["good: fetching ...", "good: ready", "here: ready"]
    assert {one["name"]: one["ok"] for one in json.loads(shown)["runtimes"]} == {
        "here": True,
        "good": True,
        "other": False,
        "bad": False,
    }
    assert (assets["good"].made, assets["other"].made) == (1, 0)


def test_one_that_fails_does_not_stop_the_others(assets: dict[str, Assets]) -> None:
    code, shown, told = status("--set-up", "all")
    assert code == 2
    assert told.splitlines()[-1] == assets["bad"].fault
    assert "bad: ready" not in told
    assert (assets["good"].made, assets["other"].made) == (1, 1)
    assert "runtimes" in shown


@pytest.mark.parametrize(
    ("tensorflow", "keras", "says"),
    [
        ("2.21.0", "2.21.1", None),
        ("2.21.0", "2.20.0", "tf_keras 2.20.0 is not made for TensorFlow 2.21.0"),
        (None, "2.21.0", "tensorflow not installed"),
        (None, None, "tensorflow and tf_keras not installed"),
    ],
)
def test_legacy_keras_must_be_of_tensorflow_s_version(
    tensorflow: str | None, keras: str | None, says: str | None
) -> None:
    reason = doctor.why_no_legacy_keras({"tensorflow": tensorflow, "tf_keras": keras})
    assert reason is None if says is None else reason is not None and reason.startswith(says)


def test_flags_are_read_as_whole_words() -> None:
    assert doctor.flags_of("processor\t: 0\nflags\t\t: fpu avx2 avx512f_not fma sse\n") == ("avx2", "fma")
    assert doctor.flags_of("Features\t: fp asimd asimddp\n") == ("asimd", "asimddp")
    assert doctor.flags_of("") == ()


def test_weights_in_keras_s_cache_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    for name in ("mobilenet_2_5_128_tf_no_top.h5", "mobilenet_1_0_224_tf.h5", "vgg16.h5"):
        (folder / name).touch()
    assert [path.name for path in doctor.examine().imagenet] == ["mobilenet_2_5_128_tf_no_top.h5"]


def test_the_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    for extra, names in doctor.PACKAGES.items():
        required = {line.split(">")[0].split("=")[0] for line in lists[extra]}
        assert set(names) <= required
