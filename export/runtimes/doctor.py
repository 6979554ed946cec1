"""What of Fauxlens can be done on this machine: packages, processor, memory, weights, runtimes. Imports nothing big."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from export.runtimes.interface import Guarantee
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError
from train.common.extras import install_command
from train.common.places import home_folder
from train.common.progress import LogCallback

PACKAGES = {
    # By the extra of pyproject.toml that brings them; "" for what is always there.
    "": ("ai-edge-litert", "numpy", "pillow"),
    "train": (
        "tensorflow",
        "tf_keras",
        "tensorflow-model-optimization",
        "tf-keras-vis",
        "opencv-python-headless",
        "polars",
        "scikit-learn",
    ),
    "faces": ("mtcnn",),
    "hubs": ("kagglehub", "huggingface_hub"),
    "benchmark": ("onnxruntime", "openvino", "onnx", "tf2onnx"),
}
"""The packages that decide what works or what comes out."""

ALL = "all"
"""Stands for every runtime in `set_up_runtimes`."""

# What LiteRT's and TensorFlow's kernels are chosen by, in the kernel's names; x86 calls the line flags, arm64 Features.
_FLAGS = ("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp", "i8mm", "sve")


@dataclass(frozen=True)
class Package:
    """An installed package or, where `version` is None, one that is absent; `extra` is what brings it."""

    name: str
    extra: str
    version: str | None


@dataclass(frozen=True)
class Place:
    """A runtime of the table: `missing` says in one sentence what is absent, None where it can be used."""

    name: str
    guarantee: Guarantee
    missing: str | None


@dataclass(frozen=True)
class Machine:
    """What was found.

    legacy_keras: why TensorFlow cannot take legacy Keras, None where it can. cores: those that this process may use.
    memory: bytes of the machine, None where it does not say. imagenet: Keras's MobileNet V1 weights in its cache.
    """

    python: str
    system: str
    packages: tuple[Package, ...]
    legacy_keras: str | None
    processor: str
    flags: tuple[str, ...]
    cores: int
    memory: int | None
    imagenet: tuple[Path, ...]
    runtimes: tuple[Place, ...]


def examine() -> Machine:
    """Look at versions, files and what the system tells; starts no program and imports no package that it looks at."""
    cpuinfo = _read(Path("/proc/cpuinfo"))
    home = home_folder()
    packages = tuple(Package(name, extra, _version(name)) for extra, names in PACKAGES.items() for name in names)
    return Machine(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        packages=packages,
        legacy_keras=why_no_legacy_keras({package.name: package.version for package in packages}),
        processor=_processor(cpuinfo),
        flags=flags_of(cpuinfo),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=_memory(),
        # Where tf_keras.utils.get_file keeps what keras.applications downloads.
        imagenet=tuple(sorted(home.glob(".keras/models/mobilenet_*_tf_no_top.h5"))) if home else (),
        runtimes=tuple(Place(one.name, one.guarantee, one.missing()) for one in RUNTIMES.values()),
    )


def absent(machine: Machine, names: Sequence[str]) -> list[str]:
    """A sentence for each of these runtimes that cannot be used. Raises ExportError for a name that is not known."""
    check_runtime_names(names)
    return [place.missing for place in machine.runtimes if place.name in names and place.missing is not None]


def set_up_runtimes(names: Sequence[str], log: LogCallback) -> list[str]:
    """Make the assets of runtimes, of all that can be set up for the name `all`; one failure does not stop the others.

    Returns a sentence for each that still cannot be used. Raises ExportError, before anything is made, for a name that
    is not known.
    """
    check_runtime_names([name for name in names if name != ALL])
    asked = [name for name, one in RUNTIMES.items() if one.set_up] if ALL in names else dict.fromkeys(names)
    failures = [_set_up_one(name, log) for name in asked]
    # Runtimes that share assets fail alike.
    return list(dict.fromkeys(failure for failure in failures if failure is not None))


def check_runtime_names(names: Sequence[str]) -> None:
    """Raises ExportError for a name that is not in the table of runtimes."""
    for name in names:
        if name not in RUNTIMES:
            raise ExportError(f"Unknown runtime {name!r}: choose one of {', '.join(RUNTIMES)}.")


def _set_up_one(name: str, log: LogCallback) -> str | None:
    runtime = RUNTIMES[name]
    if runtime.set_up is not None:
        try:
            runtime.set_up(lambda line: log(f"{name}: {line}"))
        except ExportError as error:
            return str(error)
    reason = runtime.missing()
    if reason is None:
        log(f"{name}: ready")
    return reason


def why_no_legacy_keras(versions: Mapping[str, str | None]) -> str | None:
    """One sentence where TensorFlow cannot take legacy Keras, which tfmot and tf-keras-vis need; None where it can.

    TensorFlow reads TF_USE_LEGACY_KERAS and then imports tf_keras, which is made for one minor version of it.
    """
    tensorflow, keras = versions.get("tensorflow"), versions.get("tf_keras")
    if tensorflow is None or keras is None:
        absent = " and ".join(name for name in ("tensorflow", "tf_keras") if versions.get(name) is None)
        return f"{absent} not installed: {install_command('train')}."
    if tensorflow.split(".")[:2] != keras.split(".")[:2]:
        return f"tf_keras {keras} is not made for TensorFlow {tensorflow}: {install_command('train')}."
    return None


def flags_of(cpuinfo: str) -> tuple[str, ...]:
    """Those of a processor's extensions that kernels are chosen by, from the text of /proc/cpuinfo."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    present = set(found[1].split()) if found else set()
    return tuple(flag for flag in _FLAGS if flag in present)


def _processor(cpuinfo: str) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
