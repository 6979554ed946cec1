"""The app's GPU delegate by OpenCL (pocl) and by OpenGL (Mesa's llvmpipe), both on this machine's processor.

It is the x86_64 twin of the library in the APK, from the same package and version, run here without emulation behind
the stand-ins of bionic_shim.py.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from android_demo.apk import layout
from export.artifacts.bundle import Bundle, read_bundle
from export.runtimes import apk
from export.runtimes.bionic_shim import Needs, read_needs, source, version_script

_C = Path(apk.__file__).parent / "apk_source"
_DEBIAN = Path("/usr/lib/x86_64-linux-gnu")
_AAR = layout.TFLITE / "aars" / "tensorflow-lite-gpu-2.16.1.aar"
_CORE, _GPU = "libtensorflowlite_jni.so", "libtensorflowlite_gpu_jni.so"
_GRAPHICS = ("egl", "gl")
# What Android calls them, and what they are here.
_LIBRARIES = {"libGLESv3.so": "libGLESv2.so.2", "libEGL.so": "libEGL.so.1", "libOpenCL.so": "libOpenCL.so.1"}


# OpenCL's floats move a probability by less than this: they have no int8 rounding. At most 0.039 of the 24 references
# on the detector of 2026-12-01, whose scores rise more steeply than those of the one before (0.006).
_NEAR = 0.05


@dataclass(frozen=True)
class Run:
    """What the program said, its status, and P(fake) of each view where it ran."""

    said: str
    status: int
    probabilities: np.ndarray | None


@dataclass(frozen=True)
class Delegate:
    """The two libraries and their stand-ins, in one folder."""

    folder: Path

    def run(self, bundle: Bundle, api: str) -> Run:
        """Run the references of a bundle by OpenCL or OpenGL."""
        folder = self.folder
        (folder / "model").write_bytes(bundle.variants[bundle.default])
        (folder / "views").write_bytes(np.ascontiguousarray(bundle.references.views).tobytes())
        command = [str(folder / name) for name in ("run_views", _CORE)] + ["2"]
        command += [str(folder / name) for name in ("model", "views", "scores", "heatmaps")]
        command += [str(folder / _GPU), api]
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": f"{folder}:{folder / 'android'}",
            "EGL_PLATFORM": "surfaceless",
            "POCL_CACHE_DIR": str(folder),
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
        scores = np.fromfile(folder / "scores", "<f4").reshape(-1, 2)[:, 1] if done.returncode == 0 else None
        return Run(done.stderr, done.returncode, scores)


@pytest.fixture(scope="module")
def delegate(tmp_path_factory: pytest.TempPathFactory) -> Delegate:
    """The delegate, ready to be run; skipped where this machine cannot."""
    if platform.machine() != "x86_64" or shutil.which("gcc") is None:
        pytest.skip("the delegate is compiled for by gcc and run on x86_64")
    if not (apk.APK.is_file() and _AAR.is_file()):
        pytest.skip("the app is not built here: run `make apk`")
    if absent := [name for name in _LIBRARIES.values() if not (_DEBIAN / name).exists()]:
        pytest.skip(f"{', '.join(absent)} not here: apt-get install libegl1 libgles2 ocl-icd-libopencl1")
    folder = tmp_path_factory.mktemp("gpu")
    with zipfile.ZipFile(apk.APK) as app, zipfile.ZipFile(_AAR) as package:
        (folder / _CORE).write_bytes(app.read(f"lib/x86_64/{_CORE}"))
        (folder / _GPU).write_bytes(package.read(f"jni/x86_64/{_GPU}"))
    _compile(folder / "libbionic.so", _C / "bionic.c", "-shared", "-fPIC")
    _compile(folder / "run_views", _C / "run_views.c")
    for needs in _needs(folder):
        _stand_in(folder, needs)
    nothing = folder / "nothing.c"
    nothing.touch()
    for name, real in _LIBRARIES.items():
        code = Path(__file__).with_name("opencl_stand_in.c") if name == "libOpenCL.so" else nothing
        _compile(folder / "android" / name, code, "-shared", "-fPIC", "-Wl,--no-as-needed", f"-l:{real}")
    return Delegate(folder)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The bundle that the app carries."""
    return read_bundle(layout.REPOSITORY / "export" / "shipped" / "bundle.zip")


def _needs(folder: Path) -> list[Needs]:
    """What both libraries need of Android's C library; OpenGL's and EGL's names are those of the real ones."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for library in (_CORE, _GPU):
        for one in read_needs((folder / library).read_bytes()):
            kept = {name for name in one.names if one.version or not name.startswith(_GRAPHICS)}
            names[one.file, one.version] |= kept
    return [Needs(file, version, tuple(sorted(found))) for (file, version), found in names.items()]


def _stand_in(folder: Path, needs: Needs) -> None:
    target = folder / "android"
    target.mkdir(exist_ok=True)
    code, script = target / f"{needs.file}.c", target / f"{needs.file}.map"
    code.write_text(source(needs, "x86_64"), encoding="utf-8")
    options = ["-shared", "-fPIC", f"-Wl,-soname,{needs.file}", f"-L{folder}", "-lbionic", "-fno-builtin"]
    if needs.version:
        script.write_text(version_script(needs), encoding="utf-8")
        options.append(f"-Wl,--version-script={script}")
    _compile(target / needs.file, code, *options)


def _compile(result: Path, code: Path, *options: str) -> None:
    subprocess.run(["gcc", "-O1", "-o", str(result), str(code), *options], check=True, capture_output=True)


@pytest.mark.skipif(not list(Path("/etc/OpenCL/vendors").glob("pocl*")), reason="apt-get install pocl-opencl-icd")
def test_by_opencl_no_decision_is_another_but_at_the_threshold(delegate: Delegate, shipped: Bundle) -> None:
    run = delegate.run(shipped, "OpenCL")
    assert run.probabilities is not None, run.said
    assert "Initialized OpenCL-based API" in run.said and "Created 1 GPU delegate kernels" in run.said
    expected = shipped.references.stages[f"tflite/{shipped.default}"]
    # It computes in floats, so no bits are equal; a delegate that had done nothing would give the CPU's.
    assert 0 < np.abs(run.probabilities - expected).max() < _NEAR
    for point, limits in shipped.descriptions[shipped.default].operating_points.items():
        for limit in (limits.fake_from, limits.unsure_from):
            same = (run.probabilities >= limit) == (expected >= limit)
            # A picture that lies on the threshold itself may fall on either side.
            assert (same | (np.abs(expected - limit) < _NEAR)).all(), (point, limit)
            assert same.mean() > 0.9


def test_what_opengl_refuses_is_what_the_app_tells(delegate: Delegate, shipped: Bundle) -> None:
    """The app's own test takes its sentence from the same golden file: EngineChoiceTest.kt."""
    run = delegate.run(shipped, "OpenGL")
    assert run.status == 1 and "the interpreter refuses the detector" in run.said
    # The Java interpreter puts what is an error, one after the other, into its exception.
    errors = re.findall(r"^ERROR: (.*?)(?=^(?:tflite|INFO|VERBOSE|ERROR): |\Z)", run.said, re.MULTILINE | re.DOTALL)
    golden = (Path(__file__).parents[2] / "golden" / "gpu_refusal.txt").read_text(encoding="utf-8")
    said = "".join(errors).partition("the interpreter refuses")[0]
    # How many operators a detector has may change with it.
    assert re.sub(r"\d+", "N", said) == re.sub(r"\d+", "N", golden)
