"""LiteRT as arm64 code on two cores: every int8 bit of x86, a float head a few steps away, and what machine it was."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED
from export.inference.detector import read_detector
from export.runtimes import arm64, arm64_assets
from export.runtimes.arm64_assets import CORES
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny
    from tests.export.runtimes.conftest import Put


@pytest.fixture
def _set_up() -> None:
    if (reason := arm64.missing()) is not None:
        pytest.skip(reason)


@pytest.fixture
def views() -> np.ndarray:
    """The views that the shipped bundle carries."""
    return read_bundle(SHIPPED).references.views


# Both need nothing but what a worker has.
INT8_PART = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
interpreter = Interpreter(sys.argv[2], num_threads=1, experimental_op_resolver_type=OpResolverType[sys.argv[5]])
interpreter.allocate_tensors()
rows = []
for view in np.load(sys.argv[3]):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], view[np.newaxis])
    interpreter.invoke()
    rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
np.save(sys.argv[4], np.stack(rows))
"""
EXTENSIONS = "import ctypes; print(ctypes.CDLL(None).getauxval(16))"


def int8_part(tflite: bytes) -> bytes:
    """A detector cut off before its last DEQUANTIZE: the int8 features that the float head is given."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    last = [one for one in graph.operators if codes[one.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE][-1]
    graph.outputs, model.signatureDefs = [int(last.inputs[0])], []
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.usefixtures("_set_up")
def test_every_int8_feature_is_that_of_x86(views: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "int8.tflite").write_bytes(int8_part(read_detector(SHIPPED)))
    np.save(tmp_path / "views.npy", views)

    def features(name: str, python: list[str], packages: Path, kernels: str = "AUTO") -> np.ndarray:
        files = [tmp_path / "int8.tflite", tmp_path / "views.npy", tmp_path / f"{name}.npy"]
        command = [*python, "-c", INT8_PART, str(packages), *map(str, files), kernels]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        found: np.ndarray = np.load(files[-1])
        return found

    here = Path(np.__file__).parents[1]
    expected = features("x86", [sys.executable], here)
    assert expected.dtype == np.int8
    assert expected.size > 8 * 1000
    for runtime in CORES:
        found = features(runtime, arm64.emulated_python(runtime), arm64_assets.packages())
        assert np.count_nonzero(found != expected) == 0
    other = features("builtin", [sys.executable], here, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    assert (other != expected).any(), "these pictures cannot tell one arithmetic from another"


@pytest.mark.usefixtures("_set_up")
@pytest.mark.parametrize("runtime", CORES)
def test_the_cores_say_of_themselves_what_is_emulated(runtime: str) -> None:
    command = [*arm64.emulated_python(runtime), "-c", EXTENSIONS]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    # AT_HWCAP's bits in the order of Linux's arch/arm64/include/uapi/asm/hwcap.h.
    names = (
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop "
        "sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg"
    )
    emulated = {name for bit, name in enumerate(names.split()) if int(done.stdout) >> bit & 1}
    # A later QEMU may emulate more of a core.
    assert set(CORES[runtime].features.split()) <= emulated
    assert ("asimddp" in emulated) == (runtime == "arm64")


@pytest.mark.usefixtures("_set_up")
def test_another_core_is_found_out(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    python = arm64.emulated_python("arm64-a53")
    monkeypatch.setattr(arm64, "emulated_python", lambda runtime: python)
    with pytest.raises(ExportError, match=r'arm64 ran on another machine: .*"dot_product": false.* should say .*true'):
        arm64.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, *python: str) -> None:
    """Assets that are there, and another Python that runs the worker."""
    monkeypatch.setattr(arm64, "missing", lambda: None)
    monkeypatch.setattr(arm64, "emulated_python", lambda runtime: list(python))
    monkeypatch.setattr(arm64_assets, "packages", lambda: folder)


def test_code_of_this_machine_is_found_out(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, Path(np.__file__).parents[1], sys.executable, "-I", "-B")
    with pytest.raises(ExportError, match=r"ran on another machine: it says .* and should say .*aarch64-linux-gnu"):
        arm64.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])


def test_a_worker_that_crashes_is_one_sentence(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, sys.executable, "-c", "import os; os.abort()")
    with pytest.raises(ExportError, match=r"^The runtime arm64 failed with status -6, without a word; .*\.$"):
        arm64.run(tiny.sealed["ptq-int8"], tiny.bundle.references.views[:1])


def test_what_is_missing_is_said_in_one_sentence(put: Put, bare: Path, tiny: Tiny) -> None:
    reason = arm64.missing()
    assert reason is not None
    assert reason.endswith("apt-get install qemu-user.")
    with pytest.raises(ExportError, match=re.escape(reason)):
        arm64.set_up(lambda line: None)
    put("qemu-aarch64-static")
    reason = arm64.missing()
    assert reason is not None
    assert reason.endswith("run `fauxlens doctor --set-up arm64`.")
    for runtime in CORES:
        with pytest.raises(RuntimeAbsentError, match="doctor --set-up arm64"):
            RUNTIMES[runtime].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ({}, r"needs apt-get \(apt\) to be set up"),
        ({"apt-get": "exit 0"}, r"needs dpkg-deb \(dpkg\) to be set up"),
        (
            {"apt-get": "echo 'E: Error: no such host' >&2; exit 100", "dpkg-deb": "exit 0"},
            r"^apt-get update for arm64 failed \(E: Error: no such host\);",
        ),
        ({"apt-get": "exit 0", "dpkg-deb": "exit 0"}, "has no Python"),
    ],
)
def test_a_set_up_that_fails_leaves_nothing(put: Put, bare: Path, tools: dict[str, str], sentence: str) -> None:
    for name, script in {"qemu-aarch64": "exit 0", **tools}.items():
        put(name, script)
    with pytest.raises(ExportError, match=sentence):
        arm64.set_up(lambda line: None)
    assert list(bare.glob("assets/*")) + list(bare.glob("assets/.*")) == []


def test_apt_is_kept_from_the_machine_s_own_lists(put: Put, bare: Path) -> None:
    put("qemu-aarch64")
    put("dpkg-deb")
    put("apt-get", f'echo "$@" >> {bare}/asked')
    with pytest.raises(ExportError):
        arm64.set_up(lambda line: None)
    asked = (bare / "asked").read_text().splitlines()
    assert len(asked) == 2
    for line in asked:
        for key in ("Dir::State", "Dir::State::status", "Dir::Cache", "Dir::Log"):
            assert re.search(rf"-o {key}=\S*fauxlens-apt-", line)
    assert " --download-only " in asked[1]
    assert list(Path(tempfile.gettempdir()).glob("fauxlens-apt-*")) == []


def test_hashes_are_the_lock_file_s_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = [f"{name}=={version(name)}" for name in ("ai-edge-litert", "numpy")]
    assert arm64_assets.pins() == pins
    lock = tmp_path / "requirements.lock"
    monkeypatch.setattr(arm64_assets, "_LOCK", lock)
    assert arm64_assets.locked_pins() == pins

    def entry(pin: str, *digits: str) -> str:
        return " \\\n".join([pin, *(f"    --hash=sha256:{digit * 64}" for digit in digits)]) + "\n    # via tests\n"

    lock.write_text(entry(pins[0], "a", "b") + entry("other==1", "d") + entry(pins[1], "c"))
    hashes = [[f"--hash=sha256:{digit * 64}" for digit in digits] for digits in ("ab", "c")]
    assert arm64_assets.locked_pins() == [" ".join([pin, *found]) for pin, found in zip(pins, hashes, strict=True)]
    # pip wants hashes of all or of none.
    lock.write_text(entry(pins[0], "a") + entry("numpy==0.1", "c"))
    assert arm64_assets.locked_pins() == pins
