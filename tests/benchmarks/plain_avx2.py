"""Run a script with LiteRT held to AVX2, FMA and F16C, as on an x86 machine without 512-bit registers and VNNI.

    .venv/bin/python tests/benchmarks/plain_avx2.py [--as-is] SCRIPT [ARGUMENT ...]

XNNPACK and ruy choose their microkernels by what cpuinfo, a library inside LiteRT's own, has found out about the
processor, and no option or environment variable changes that. So cpuinfo is started here before anything else uses it,
and the extensions that such a machine lacks are struck from its table in memory; no file is touched. After the script,
the microkernels that XNNPACK has chosen are read back from its own tables by name. Standard error tells what its matrix
products are made with, and the exit status is 1 if any microkernel needs more than AVX2. TensorFlow's oneDNN is held by
its own variable. With --as-is nothing is limited, and the microkernels are only told.

What stays that of the real machine: caches, clock, and how well it runs AVX2. So times are what this machine would
take without its newer extensions, not those of an old machine.
"""

import ctypes
import importlib.util
import os
import platform
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Places in struct cpuinfo_x86_isa (pytorch/cpuinfo, include/cpuinfo.h, 64-bit), of which LiteRT 2.3.0's code reads the
# same ones; the kernel's names for them. They are compared with /proc/cpuinfo before anything is changed.
PLACES = {
    "sse4_1": 0x12,
    "avx": 0x16,
    "avx_vnni": 0x17,
    "fma": 0x18,
    "f16c": 0x1B,
    "avx2": 0x1C,
    "avx512f": 0x1D,
    "avx512dq": 0x21,
    "avx512bw": 0x22,
    "avx512vl": 0x23,
    "avx512vbmi": 0x25,
    "avx512_vnni": 0x29,
}
BEYOND_AVX2 = (PLACES["avx_vnni"], *range(PLACES["avx512f"], 0x39))  # all of AVX-512, AVX10, AMX and the later AVX-VNNI
TOO_NEW = ("avx512", "avxvnni", "avx256", "avx10", "amx")  # how XNNPACK's microkernels are called that need them

SECTION = np.dtype("<u4, <u4, <u8, <u8, <u8, <u8, <u4, <u4, <u8, <u8")  # Elf64_Shdr
SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("s", "<u8")]
)
SYMBOL_TABLE, ZEROED = 2, 8  # SHT_SYMTAB, SHT_NOBITS


@dataclass(frozen=True)
class Library:
    """LiteRT's native library as loaded: where it begins, its symbols' offsets, and its zeroed data (.bss)."""

    base: int
    symbols: dict[str, int]
    data: range

    def at(self, symbol: str) -> int:
        """The address of a symbol; SystemExit if this LiteRT has none of that name."""
        if symbol not in self.symbols:
            raise SystemExit(f"This LiteRT has no symbol {symbol}: its kernels cannot be limited.")
        return self.base + self.symbols[symbol]


def open_library() -> Library:
    """Load LiteRT's interpreter, and read the symbol table of the library behind it."""
    package = importlib.util.find_spec("ai_edge_litert")
    if platform.machine() != "x86_64" or package is None or not package.submodule_search_locations:
        raise SystemExit("This needs an x86 machine with Linux and ai-edge-litert.")
    import ai_edge_litert.interpreter  # noqa: F401

    path = Path(package.submodule_search_locations[0]) / "libpywrap_litert_common.so"
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    bases = [int(line[0].split("-")[0], 16) for line in lines if line[-1] == str(path) and int(line[2], 16) == 0]
    if not bases:
        raise SystemExit(f"LiteRT has not loaded {path.name}: its kernels cannot be limited.")
    raw = path.read_bytes()
    sections = np.frombuffer(raw, SECTION, int.from_bytes(raw[60:62], "little"), int.from_bytes(raw[40:48], "little"))
    symbols: dict[str, int] = {}
    for section in sections[sections["f1"] == SYMBOL_TABLE]:
        start, size = int(section["f4"]), int(section["f5"])
        names = int(sections[int(section["f6"])]["f4"])
        for symbol in np.frombuffer(raw, SYMBOL, size // SYMBOL.itemsize, start):
            begin = names + int(symbol["name"])
            symbols[raw[begin : raw.index(b"\0", begin)].decode()] = int(symbol["value"])
    zeroed = max(sections[sections["f1"] == ZEROED], key=lambda section: int(section["f5"]))
    return Library(bases[0], symbols, range(int(zeroed["f3"]), int(zeroed["f3"] + zeroed["f5"]), 8))


def limit(library: Library) -> None:
    """Strike what is beyond AVX2 from cpuinfo's table; SystemExit where the table is not as expected."""
    ctypes.CFUNCTYPE(ctypes.c_bool)(library.at("cpuinfo_initialize"))()
    table = (ctypes.c_uint8 * 0x40).from_address(library.at("cpuinfo_isa"))
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    for name, place in PLACES.items():
        if table[place] != (name in flags):
            raise SystemExit(
                f"cpuinfo's table in this LiteRT is laid out differently (at {name}): look up PLACES anew."
            )
    if "avx2" not in flags:
        raise SystemExit("This machine has no AVX2.")
    for place in BEYOND_AVX2:
        table[place] = 0


def microkernels(library: Library) -> list[str]:
    """Names of all microkernels that XNNPACK's tables hold by now; it fills a table when an operator first needs it."""
    words = (ctypes.c_uint64 * len(library.data)).from_address(library.base + library.data.start)
    names = {library.base + value: name for name, value in library.symbols.items() if "ukernel_" in name}
    return sorted({names[word] for word in words if word in names})


def products(chosen: list[str]) -> str:
    """What the matrix products among microkernels are made with, e.g. "f32 by avx512f_broadcast"."""
    pairs = (name.removeprefix("xnn_").split("_minmax", 1) for name in chosen if "_gemm_minmax" in name)
    found: dict[str, set[str]] = {}
    for kind, rest in pairs:
        found.setdefault(kind.removesuffix("_gemm"), set()).add(rest.split("__")[1])
    return "; ".join(f"{kind} by {', '.join(sorted(isa))}" for kind, isa in sorted(found.items())) or "none"


def main() -> None:
    """Limit, run, look."""
    as_is = sys.argv[1:2] == ["--as-is"]
    arguments = sys.argv[2:] if as_is else sys.argv[1:]
    if not arguments:
        raise SystemExit("Name a script: plain_avx2.py [--as-is] SCRIPT [ARGUMENT ...]")
    library = open_library()
    if not as_is:
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
        limit(library)
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).resolve().parent)
    runpy.run_path(arguments[0], run_name="__main__")
    chosen = microkernels(library)
    print("XNNPACK's matrix products:", products(chosen), file=sys.stderr)
    too_new = [name for name in chosen if any(mark in name for mark in TOO_NEW)]
    if not as_is and (too_new or not chosen):
        raise SystemExit(f"XNNPACK was not held to AVX2: {' '.join(too_new) or 'it chose no microkernel at all'}")


if __name__ == "__main__":
    main()
