"""The classes of Android and Java that an app names, and their ancestors: what R8 has to know of the platform.

R8 reads every class it is given, and Robolectric's android-all is the whole of Android with its insides, 50,000 of
them; a minute's work for a few hundred.
"""

import re
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from .archive import write_archive
from .class_file import ancestors, own_name, read_constants
from .errors import ApkError

# Of Java's modules those that Android has, as far as they are used here; R8 names a class that is missing.
_MODULES = ("java.base", "java.logging")
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
                    pool = read_constants(data)
                    names |= _described(data) | {pool.name(index) for index in pool.classes}
    return names


def _described(data: bytes) -> set[str]:
    """The classes in the descriptors that a class file holds."""
    return {match.decode() for text in read_constants(data).texts.values() for match in _DESCRIPTOR.findall(text)}


def _ancestors(data: bytes) -> set[str]:
    """The superclass, the interfaces and the class around a class."""
    outer, inside, _ = own_name(data).rpartition("$")
    return {*ancestors(data), *([outer] if inside else [])}
