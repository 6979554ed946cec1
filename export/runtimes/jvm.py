"""LiteRT's own C library called from Java: what a detector gives on the JVM, by the same XNNPACK as on a phone.

The library is the one in the LiteRT wheel, the calls go through JNA (https://github.com/java-native-access/jna), and
the Java code stands in android_demo/jvm, where the Android demo's tests use it too.
"""

import hashlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np

from export.artifacts.metadata import read_description
from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.interface import Output, RuntimeAbsentError
from export.runtimes.process import Program, run_program, run_tool
from train.common.errors import ExportError
from train.common.progress import LogCallback

# A link to android_demo/jvm, so that an installed package has the sources too.
_SOURCES = sorted((Path(__file__).parent / "jvm_source").glob("*.java"))
_MAIN = "fauxlens.litert.RunViews"
# Records and pattern matching need 16; Debian 12 has 17.
_JAVA_RELEASE = "17"
_JNA = "net.java.dev.jna:jna:5.17.0"
_JNA_SHA256 = "b3a9408e7c51e08ef0e3bfcc08f443f6ec0f6191ba8cd7c18d53d2b22e5bdbc0"
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
INGREDIENTS = (_JNA, _JNA_SHA256, _JAVA_RELEASE, *(path.read_text(encoding="utf-8") for path in _SOURCES))

_JVM = (
    "java",
    # No file of performance data outside the folder that it works in.
    "-XX:-UsePerfData",
    "-XX:+UseSerialGC",
    # Where JNA unpacks its native half: that same folder.
    "-Djna.tmpdir=.",
)
_PACKAGES = "apt-get install openjdk-17-jdk-headless maven"


def run(tflite: bytes, views: np.ndarray) -> Output:
    """Run views uint8 [N, S, S, 3] through a sealed detector file on the JVM.

    Raises RuntimeAbsentError where assets are missing, else as run_program.
    """
    read_description(tflite)
    if (reason := missing()) is not None:
        raise RuntimeAbsentError(reason)
    folder = _folder()
    command = [*_JVM, "-cp", f"{folder / 'classes'}:{folder / 'jna.jar'}", _MAIN, str(_library())]
    return run_program(Program("jvm", command, folder), tflite, views)


def missing() -> str | None:
    """What is absent of Java, LiteRT's C library and JNA, in one sentence; None where all is there. Starts nothing."""
    if shutil.which("java") is None:
        return f"The runtime jvm needs Java, which is not on this machine: {_PACKAGES}."
    if not _library().is_file():
        return "The runtime jvm needs libLiteRt.so, which this machine's LiteRT package lacks: use Linux."
    if not _folder().exists():
        return "The runtime jvm needs its Java program, which is not set up: run `fauxlens doctor --set-up jvm`."
    return None


def set_up(log: LogCallback) -> None:
    """Let Maven fetch JNA with the user's own configuration, check its SHA-256, and compile the program against it.

    Raises ExportError where Maven or the compiler is absent or fails, and for a jar that is another.
    """
    if _folder().exists():
        return
    for tool in ("javac", "mvn"):
        if shutil.which(tool) is None:
            raise ExportError(f"The runtime jvm needs {tool} to be set up, which is not installed: {_PACKAGES}.")

    def make(folder: Path) -> None:
        log("Maven fetches JNA (2 MB) ...")
        fetched = folder / "fetched"
        run_tool(
            "Maven", ["mvn", "-B", "-q", _MAVEN_COPY, f"-Dartifact={_JNA}", f"-DoutputDirectory={fetched}"], folder
        )
        jar = folder / "jna.jar"
        found = list(fetched.glob("*.jar"))
        if len(found) != 1 or hashlib.sha256(found[0].read_bytes()).hexdigest() != _JNA_SHA256:
            raise ExportError(f"What Maven fetched as {_JNA} is not the expected jar; check Maven's mirrors.")
        found[0].rename(jar)
        fetched.rmdir()
        log("javac compiles the program ...")
        command = ["javac", "--release", _JAVA_RELEASE, "-cp", str(jar), "-d", str(folder / "classes")]
        run_tool("javac", [*command, *map(str, _SOURCES)], folder)

    make_assets(_folder(), make)


def _folder() -> Path:
    return assets_folder("jvm", INGREDIENTS)


def _library() -> Path:
    """LiteRT's C library in its wheel, found without importing LiteRT."""
    spec = importlib.util.find_spec("ai_edge_litert")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "libLiteRt.so"
