"""Stand-ins for Android's C libraries, so that a library built for Android can be loaded by glibc.

A library names the functions it needs together with the file and the version that they come from (`fprintf` of
`libc.so`, version `LIBC`). For each such file a library of that name is written in which every function is a jump to
what `bionic_symbol` (apk_source/bionic.c) says. The Android library itself stays as it is.

ELF: elf(5); symbol versions: Linux Standard Base 5.0, "Symbol Versioning".
"""

import struct
from collections import defaultdict
from dataclasses import dataclass

from train.common.errors import ExportError

_SYMBOL_TABLE, _VERSIONS, _NEEDS = 11, 0x6FFFFFFF, 0x6FFFFFFE
# A jump to the address that stands at an offset in the table of targets.
_JUMPS = {
    "aarch64": "  adrp x16, targets + {at}\n  ldr x16, [x16, :lo12:targets + {at}]\n  br x16\n",
    "x86_64": "  jmp *targets + {at}(%rip)\n",
}
_DATA_OF_LIBC = {"__sF"}
"""The standard files are data, and their place is told to bionic.c."""


@dataclass(frozen=True)
class Needs:
    """Of a library `file`, e.g. "libc.so": the version, "" for none, and the names that are asked of it."""

    file: str
    version: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Section:
    kind: int
    offset: int
    size: int
    link: int
    info: int


def read_needs(library: bytes, unversioned: str = "liblog.so") -> tuple[Needs, ...]:
    """Read what a 64-bit little-endian ELF library needs, by file.

    unversioned: the one file that has no versions, and so the one to which names without a version belong. Weak names
    may be absent and are left so. Raises ExportError for anything else than such a library.
    """
    try:
        return _read_needs(library, unversioned)
    except (struct.error, StopIteration, ValueError, KeyError) as error:
        raise ExportError(f"The library in the APK is not a 64-bit ELF file ({error}); build the APK again.") from error


def _read_needs(library: bytes, unversioned: str) -> tuple[Needs, ...]:
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no ELF header")
    (start,) = struct.unpack_from("<Q", library, 40)
    size, count = struct.unpack_from("<HH", library, 58)
    sections = [_section(library, start + size * index) for index in range(count)]
    by_kind = {section.kind: section for section in sections}
    symbols, versions = by_kind[_SYMBOL_TABLE], by_kind[_VERSIONS]
    texts = sections[symbols.link].offset
    sources = _sources(library, by_kind[_NEEDS], texts)
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for index in range(1, symbols.size // 24):
        name, info, _, section = struct.unpack_from("<IBBH", library, symbols.offset + 24 * index)
        if section == 0 and info >> 4 != 2:  # undefined and not weak
            (version,) = struct.unpack_from("<H", library, versions.offset + 2 * index)
            names[sources.get(version, (unversioned, ""))].append(_text(library, texts + name))
    return tuple(Needs(file, version, tuple(sorted(found))) for (file, version), found in sorted(names.items()))


def _section(library: bytes, at: int) -> _Section:
    _, kind, _, _, offset, size, link, info = struct.unpack_from("<IIQQQQII", library, at)
    return _Section(kind, offset, size, link, info)


def _sources(library: bytes, section: _Section, texts: int) -> dict[int, tuple[str, str]]:
    """File and version by the number that symbols are marked with."""
    sources = {}
    at = section.offset
    for _ in range(section.info):
        _, count, file, first, following = struct.unpack_from("<HHIII", library, at)
        entry = at + first
        for _ in range(count):
            _, _, number, name, after = struct.unpack_from("<IHHII", library, entry)
            sources[number] = (_text(library, texts + file), _text(library, texts + name))
            entry += after
        at += following
    return sources


def _text(library: bytes, at: int) -> str:
    return library[at : library.index(b"\0", at)].decode()


def source(needs: Needs, machine: str = "aarch64") -> str:
    """The C source of a library that jumps to what bionic_symbol says of each name; machine: aarch64 or x86_64."""
    functions = [name for name in needs.names if name not in _DATA_OF_LIBC]
    data = [name for name in needs.names if name in _DATA_OF_LIBC]
    jump = _JUMPS[machine]
    jumps = "".join(f"\n{name}:\n{jump.format(at=8 * index)}" for index, name in enumerate(functions))
    kind = "%function" if machine == "aarch64" else "@function"
    exported = "".join(f".globl {name}\n.type {name}, {kind}\n" for name in functions)
    listed = ", ".join(f'"{name}"' for name in functions)
    return "\n".join(
        [
            "void *bionic_symbol(const char *name);",
            "void bionic_set_files(char *files);",
            *(f"char {name}[3 * 152];" for name in data),
            f"static const char *const names[] = {{{listed}}};",
            f'__attribute__((used)) static void *targets[{len(functions)}] __asm__("targets");',
            "__attribute__((constructor)) static void fill(void) {",
            *(f"  bionic_set_files({name});" for name in data),
            f"  for (int i = 0; i < {len(functions)}; i++) targets[i] = bionic_symbol(names[i]);",
            "}",
            f"__asm__({_quoted('.text' + chr(10) + exported + jumps)});",
            "",
        ]
    )


def version_script(needs: Needs) -> str:
    """What tells the linker that every name has the version that is asked for."""
    return f"{needs.version} {{ global: {'; '.join(needs.names)}; local: *; }};\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'
