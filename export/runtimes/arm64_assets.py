"""The assets of an emulated arm64 machine: Debian's Python, LiteRT and NumPy for arm64, and what its kernel would say.

All come by apt and pip with the user's own configuration; nothing is installed, and apt's lists, cache and list of
architectures stay as they are.
"""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from export.runtimes.assets import assets_folder, make_assets
from export.runtimes.process import run_tool
from train.common.errors import ExportError
from train.common.progress import LogCallback


@dataclass(frozen=True)
class Core:
    """A processor core: its name for `qemu-aarch64 -cpu`, its main ID register and the extensions that it has.

    The numbers are those of QEMU's target/arm/cpu64.c, in the fields of /proc/cpuinfo; the features' names those of
    Linux's arch/arm64/kernel/cpuinfo.c. LiteRT chooses its kernels by them, so they must agree with what is emulated.
    """

    qemu: str
    part: str
    variant: str
    revision: int
    features: str

    @property
    def dot_product(self) -> bool:
        """Whether it has Armv8.2's integer dot product."""
        return "asimddp" in self.features.split()

    @property
    def cpuinfo(self) -> str:
        """What /proc/cpuinfo says on a machine with one such core; 0x41 is Arm's number as a maker."""
        lines = {
            "processor": "0",
            "BogoMIPS": "100.00",
            "Features": self.features,
            "CPU implementer": "0x41",
            "CPU architecture": "8",
            "CPU variant": self.variant,
            "CPU part": self.part,
            "CPU revision": str(self.revision),
        }
        return "".join(f"{name}\t: {value}\n" for name, value in lines.items()) + "\n"


_PLAIN = "fp asimd aes pmull sha1 sha2 crc32"
CORES = {
    # Phones since 2018: XNNPACK's kernels with the dot product.
    "arm64": Core("cortex-a76", "0xd0b", "0x4", 1, f"{_PLAIN} atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"),
    # Small cores and older phones: plain NEON.
    "arm64-a53": Core("cortex-a53", "0xd03", "0x0", 4, f"{_PLAIN} cpuid"),
}

_DEBIAN = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
_WHEELS = ("ai-edge-litert", "numpy")
# An apt of its own, for another architecture. The hooks are cleared because they would run on the machine's own lists
# and cache. Descriptions for software centres are not fetched.
_APT = """\
#clear APT::Update;
#clear APT::Architectures;
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
"""
# What a wheel may call itself to run on the oldest Debian with such a Python, whose glibc is 2.36.
_PLATFORMS = (*(f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)), "manylinux2014_aarch64")
# A clone has it; an installed package has not.
_LOCK = Path(__file__).parents[2] / "requirements.lock"
_TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg"}


def folder() -> Path:
    """Where the assets stand, for all cores; another version of LiteRT or NumPy has another place."""
    return assets_folder("arm64", [*pins(), *_DEBIAN, _APT, *(core.cpuinfo for core in CORES.values())])


def emulated_root(core: Core) -> Path:
    """What the emulated machine sees as its root folder, wherever a file of that name is in it."""
    return folder() / core.qemu


def packages() -> Path:
    """Where LiteRT and NumPy for arm64 stand."""
    return folder() / "packages"


def emulator() -> str | None:
    """QEMU's emulator of arm64 programs, from the package qemu-user or qemu-user-static."""
    return shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")


def make(log: LogCallback) -> None:
    """Fetch and unpack the assets, 200 MB. Raises ExportError where a tool is absent or fails."""
    if folder().exists():
        return
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            raise ExportError(f"The runtime arm64 needs {tool} ({package}) to be set up: use Debian, or a container.")
    if find_spec("pip") is None:
        raise ExportError(f"The runtime arm64 needs pip to be set up: run {sys.executable} -m ensurepip.")

    def fill(target: Path) -> None:
        debian = target / "debian"
        debian.mkdir()
        log("apt fetches Debian's Python for arm64 (lists 9 MB, packages 16 MB) ...")
        _unpack_debian(debian)
        log(f"pip fetches {' and '.join(pins())} for arm64 ...")
        _install_wheels(target / "packages", debian)
        for core in CORES.values():
            _fill_root(target / core.qemu, core)

    make_assets(folder(), fill)


def _unpack_debian(debian: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fauxlens-apt-") as name:
        place = Path(name)
        (place / "apt.conf").write_text(_APT, encoding="utf-8")
        # No package is installed yet, so that apt fetches all that Python needs.
        (place / "status").touch()
        for inner in ("state/lists/partial", "cache/archives/partial", "log"):
            (place / inner).mkdir(parents=True)
        settings = {
            "Dir::State": place / "state",
            "Dir::State::status": place / "status",
            "Dir::Cache": place / "cache",
            "Dir::Log": place / "log",
            # For root, apt would fetch as a user who cannot enter this folder.
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "-q", "-y", "-c", str(place / "apt.conf")]
        apt += [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        run_tool("apt-get update for arm64", [*apt, "update"], place)
        install = ["install", "--download-only", "--no-install-recommends", *_DEBIAN]
        run_tool("apt-get for arm64 packages", [*apt, *install], place)
        for package in sorted((place / "cache" / "archives").glob("*.deb")):
            run_tool("dpkg-deb", ["dpkg-deb", "--extract", str(package), str(debian)], place)
    # Since Debian 13 the packages have nothing there, and the loader is looked for there still.
    if not (debian / "lib").exists():
        (debian / "lib").symlink_to("usr/lib")


def _install_wheels(target: Path, debian: Path) -> None:
    link = debian / "usr/bin/python3"
    if not link.is_symlink():
        raise ExportError("apt has no Python packages for arm64: check that apt's sources are Debian's.")
    python = link.readlink().name.removeprefix("python")
    requirements = target.with_suffix(".txt")
    requirements.write_text("\n".join(locked_pins()) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"]
    command += ["--target", str(target), "--python-version", python, "--requirement", str(requirements)]
    command += [f"--platform={platform}" for platform in _PLATFORMS]
    run_tool("pip for arm64", command, requirements.parent)


def _fill_root(place: Path, core: Core) -> None:
    """What QEMU is to find before the machine's own files, which tell of an x86 processor and crash LiteRT."""
    cpus = place / "sys/devices/system/cpu"
    cpus.mkdir(parents=True)
    for file in ("possible", "present", "online"):
        (cpus / file).write_text("0\n", encoding="ascii")
    (place / "proc").mkdir()
    (place / "proc/cpuinfo").write_text(core.cpuinfo, encoding="ascii")
    for shared in ("usr", "lib", "etc"):
        (place / shared).symlink_to(f"../debian/{shared}")


def pins() -> list[str]:
    """LiteRT and NumPy as pip pins, in the versions that are installed here: what is compared is the processor."""
    return [f"{name}=={version(name)}" for name in _WHEELS]


def locked_pins() -> list[str]:
    """The pins, with the hashes of the lock file if it is here and of these versions; pip then demands them."""
    lock = _LOCK.read_text(encoding="utf-8") if _LOCK.is_file() else ""
    locked = []
    for pin in pins():
        # A line of uv: name==version \, then a --hash a line.
        found = re.search(rf"^{re.escape(pin)} \\\n((?: +--hash=\S+(?: \\)?\n)+)", lock, re.MULTILINE)
        locked.append(" ".join([pin, *re.findall(r"--hash=\S+", found[1])]) if found else pin)
    return locked if all("--hash" in line for line in locked) else pins()
