"""The classes of Android and Java that an app names, and their ancestors: what R8 has to know of the platform.

R8 reads every class it is given, and Robolectric's android-all is the whole of Android with its insides, 50,000 of
them; a minute's work for a few hundred. Layout of class files: chapter 4 of The Java Virtual Machine Specification.
"""

import re
import struct
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from .archive import write_archive
from .errors import ApkError

# Of Java's modules those that Android has, as far as they are used here; R8 names a class that is missing.
_MODULES = ("java.base", "java.logging")
_UTF8, _CLASS = 1, 7
# Bytes after the tag of each kind of constant; long and double (5, 6) take two places.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_DESCRIPTOR = re.compile(rb"L([A-Za-z0-9_$/]+);")


def write_platform(programs: Iterable[Path], android_jar: Path, java_home: Path, jar: Path) -> None:
    """Write a jar of the platform's classes for the program in the jars `programs`. Raises ApkError.

    Java's own classes come out of `java_home`, the folder of a JDK: android-all has none.
    """
    modules = [java_home / "jmods" / f"{name}.jmod" for name in _MODULES]
    if not all(path.is_file() for path in modules):
        raise ApkError(f"{java_home} is no whole JDK, it has no {modules[0]}: apt-get install openjdk-17-jdk-headless.")
    with ExitStack() as stack:
        names: dict[str, tuple[zipfile.ZipFile, str]] = {}
        for path in (android_jar, *modules):
            archive = stack.enter_context(zipfile.ZipFile(path))
            names |= {name.removeprefix("classes/"): (archive, name) for name in archive.namelist()}
        found: dict[str, bytes] = {}

        def add(wanted: set[str]) -> None:
            while wanted:
                name = f"{wanted.pop()}.class"
                if name in names and name not in found:
                    archive, member = names[name]
                    found[name] = archive.read(member)
                    wanted |= _ancestors(found[name])

        add({"java/lang/Object", *_named(programs)})
        # What these take and give back, which their heirs in the program inherit.
        add({name for data in [*found.values()] for name in _described(data)})
    write_archive(jar, dict(sorted(found.items())), stored=found)


def _named(programs: Iterable[Path]) -> set[str]:
    """Every class that stands in a constant pool, by itself or in a descriptor."""
    names: set[str] = set()
    for program in programs:
        with zipfile.ZipFile(program) as archive:
            for entry in archive.namelist():
                if entry.endswith(".class"):
                    data = archive.read(entry)
                    texts, classes, _ = _constants(data)
                    names |= _described(data) | {texts[index].decode() for index in classes.values()}
    return names


def _described(data: bytes) -> set[str]:
    """The classes in the descriptors that a class file holds."""
    return {match.decode() for text in _constants(data)[0].values() for match in _DESCRIPTOR.findall(text)}


def _ancestors(data: bytes) -> set[str]:
    """The superclass, the interfaces and the class around a class."""
    texts, classes, end = _constants(data)
    itself, above, count = struct.unpack_from(">HHH", data, end + 2)
    indices = (above, *struct.unpack_from(f">{count}H", data, end + 8))
    names = {texts[classes[index]].decode() for index in indices if index}
    outer, inside, _ = texts[classes[itself]].decode().rpartition("$")
    return names | {outer} if inside else names


def _constants(data: bytes) -> tuple[dict[int, bytes], dict[int, int], int]:
    """A class file's texts by index, the index of the name of each class in it, and where its constants end."""
    texts: dict[int, bytes] = {}
    classes: dict[int, int] = {}
    (count,) = struct.unpack_from(">H", data, 8)
    index, at = 1, 10
    while index < count:
        tag = data[at]
        if tag == _UTF8:
            (length,) = struct.unpack_from(">H", data, at + 1)
            texts[index] = data[at + 3 : at + 3 + length]
            at += 3 + length
        else:
            if tag == _CLASS:
                (classes[index],) = struct.unpack_from(">H", data, at + 1)
            at += 1 + _SIZES[tag]
        index += 2 if tag in (5, 6) else 1
    return texts, classes, at
