"""The native library of the Android app, taken out of its APK and run under QEMU's user emulation.

It is the very file that a phone loads. Only what stands below it is another: glibc behind stand-ins for Android's C
library (bionic_shim.py), and a small program in C in the place of the app (apk_source/run_views.c).
"""

import shutil
import zipfile
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes import bionic_shim
from export.runtimes.arm64_assets import CORES, emulator
from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.interface import Output, RuntimeAbsentError
from export.runtimes.process import Program, run_program, run_tool
from train.common.errors import ExportError
from train.common.progress import LogCallback

_SOURCES = Path(__file__).parent / "apk_source"
APK = Path(__file__).parents[2] / "android_demo" / "app" / "target" / "fauxlens-debug.apk"
"""Where `make apk` leaves the app; a clone has it, an installed package has not."""

_MEMBER = "lib/arm64-v8a/libtensorflowlite_jni.so"
_COMPILER = "aarch64-linux-gnu-gcc"
_PACKAGES = "apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
# Where Debian keeps the C library for programs of another architecture.
_ROOT = Path("/usr/aarch64-linux-gnu")
_CORES = {"apk": "arm64", "apk-a53": "arm64-a53"}
# Apart from libbionic.so, or the linker would take the stand-in for libc.so as the C library.
_STAND_INS = "android"
_THREADS = "2"  # as the app's settings have it at first


def run(tflite: bytes, views: np.ndarray, runtime: str = "apk") -> Output:
    """Run views uint8 [N, S, S, 3] through a sealed detector file on the core of `runtime`, apk or apk-a53.

    Raises RuntimeAbsentError where assets are missing, ExportError for an APK that lacks the library, else as
    run_program.
    """
    read_description(tflite)
    if (reason := missing()) is not None:
        raise RuntimeAbsentError(reason)
    folder = _folder()
    emulated = [str(emulator()), "-L", str(_ROOT), "-cpu", CORES[_CORES[runtime]].qemu]
    # -E: a variable of the emulated program, for the emulator's own loader is this machine's.
    emulated += ["-E", f"LD_LIBRARY_PATH={folder}:{folder / _STAND_INS}"]
    command = [*emulated, str(folder / "run_views"), str(folder / Path(_MEMBER).name), _THREADS]
    return run_program(Program(runtime, command, folder), tflite, views)


def missing() -> str | None:
    """What is absent of emulator, compiler, APK and assets in one sentence, or None. It starts nothing."""
    if emulator() is None or not _ROOT.is_dir():
        return f"The runtime apk needs QEMU's user emulation and arm64's C library, which are not here: {_PACKAGES}."
    if not APK.is_file():
        return "The runtime apk needs the Android app, which is not built here: run `make apk`."
    if not _folder().exists():
        return "The runtime apk needs replacements for Android's C library: run `fauxlens doctor --set-up apk`."
    return None


def set_up(log: LogCallback) -> None:
    """Take the library out of the APK and compile what it needs. Raises ExportError where a tool is absent or fails."""
    if shutil.which(_COMPILER) is None or emulator() is None:
        raise ExportError(
            f"The runtime apk needs {_COMPILER} and QEMU to be set up, which are not installed: {_PACKAGES}."
        )
    if not APK.is_file():
        raise ExportError(str(missing()))
    if _folder().exists():
        return

    def fill(folder: Path) -> None:
        log("Compiling replacements for Android's C library ...")
        library = _library()
        (folder / Path(_MEMBER).name).write_bytes(library)
        _compile(folder / "libbionic.so", _SOURCES / "bionic.c", "-shared", "-fPIC")
        for needs in bionic_shim.read_needs(library):
            _stand_in(folder, needs)
        _compile(folder / "run_views", _SOURCES / "run_views.c")

    make_assets(_folder(), fill)


def _stand_in(folder: Path, needs: bionic_shim.Needs) -> None:
    target = folder / _STAND_INS
    target.mkdir(exist_ok=True)
    code, script = target / f"{needs.file}.c", target / f"{needs.file}.map"
    code.write_text(bionic_shim.source(needs), encoding="utf-8")
    options = ["-shared", "-fPIC", f"-Wl,-soname,{needs.file}", f"-L{folder}", "-lbionic"]
    if needs.version:
        script.write_text(bionic_shim.version_script(needs), encoding="utf-8")
        options.append(f"-Wl,--version-script={script}")
    # Names of the compiler's own functions are declared otherwise here.
    _compile(target / needs.file, code, "-fno-builtin", *options)


def _compile(result: Path, code: Path, *options: str) -> None:
    command = [_COMPILER, "-O1", "-o", str(result), str(code), *options]
    run_tool("The compiler for arm64", command, result.parent)


def _library() -> bytes:
    try:
        with zipfile.ZipFile(APK) as archive:
            return archive.read(_MEMBER)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ExportError(f"{APK} has no {_MEMBER} ({error}); build it again with `make apk`.") from error


def _folder() -> Path:
    """Where the assets stand: another library, another shim or another program has another place."""
    with zipfile.ZipFile(APK) as archive:
        checksum = archive.getinfo(_MEMBER).CRC
    sources = [path.read_text(encoding="utf-8") for path in sorted(_SOURCES.glob("*.c"))]
    shim = Path(bionic_shim.__file__).read_text(encoding="utf-8")
    return assets_folder("apk", [f"{checksum:08x}", *sources, shim])
