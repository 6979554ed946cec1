"""Java bytecode to Android's: by R8, which also leaves out what is not used."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

from . import layout
from .errors import ApkError
from .lock import check_lock, read_lock
from .platform import write_platform
from .tool import run

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_R8 = "com.android.tools:r8:8.7.18"


def make_dex(libraries: list[Path]) -> list[Path]:
    """classes.dex of the app's classes and `libraries`, as the rules for R8 say. Raises ApkError."""
    output = layout.TARGET / "dex"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    platform = layout.TARGET / "platform.jar"
    program = [_classes(), *libraries]
    write_platform(program, Path(layout.PLATFORM.read_text(encoding="utf-8").strip()), _jdk(), platform)
    # It runs for seconds: the second compiler would cost more than it brings.
    command: list[str | Path] = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", _r8()]
    command += ["com.android.tools.r8.R8", "--release", "--min-api", str(layout.MIN_SDK), "--output", output]
    command += ["--lib", platform]
    for rules in (layout.RULES, layout.LINKED_RULES):
        command += ["--pg-conf", rules]
    run([*command, *program])
    return sorted(output.glob("*.dex"))


def _classes() -> Path:
    """The app's classes as a jar, which is the form R8 takes."""
    jar = layout.TARGET / "classes-for-r8.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for path in sorted(layout.CLASSES.rglob("*.class")):
            archive.write(path, path.relative_to(layout.CLASSES))
    return jar


def _r8() -> Path:
    jar = layout.TARGET / "tools" / "{1}-{2}.jar".format(*_R8.split(":"))
    if not jar.exists() or hashlib.sha256(jar.read_bytes()).hexdigest() != read_lock().get(jar.name):
        where = f"-DoutputDirectory={jar.parent}"
        run(["mvn", "-f", layout.DEMO, "--non-recursive", _COPY, f"-Dartifact={_R8}", where])
    check_lock([jar])
    return jar


def _jdk() -> Path:
    """The folder of the JDK that runs `java`: Java's own classes are not in android-all."""
    java = shutil.which("java")
    if java is None:
        raise ApkError("java is not on this machine: apt-get install openjdk-17-jdk-headless.")
    return Path(os.path.realpath(java)).parents[1]
