"""Android 16's classes for the Java that runs the tests: Robolectric's jar asks for Java 21, Debian 12 has 17.

The classes are of version 65 of the class file format, which differs from 61 in nothing but the number (tables 4.1-A
and 4.4-B of The Java Virtual Machine Specification are the same for both). Of Java 21's library a `switch` names one
class, in place of which Java 17 gets one that is made alike; some 40 methods are used elsewhere in the framework, none
on a way that the app takes: a test that came upon one would fail with NoSuchMethodError.
"""

import struct
import zipfile
from pathlib import Path

from .errors import ApkError

_MAGIC = b"\xca\xfe\xba\xbe"
_JAVA_17 = 61
# Names as a constant pool holds them: tag 1, two bytes of length, text.
_MATCH, _STATE = (
    b"\x01" + struct.pack(">H", len(name)) + name
    for name in (b"java/lang/MatchException", b"java/lang/IllegalStateException")
)


def write_for_java_17(source: Path, target: Path) -> None:
    """Copy a jar to `target`, which is whole or as before, with no class newer than Java 17. Raises ApkError."""
    if target.is_file() and not target.is_symlink() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        # Stored: compressing 300 MB would take longer than all that is read of it.
        with zipfile.ZipFile(source) as jar, zipfile.ZipFile(temporary, "w") as copy:
            for info in jar.infolist():
                copy.writestr(zipfile.ZipInfo(info.filename), for_java_17(jar.read(info)))
        temporary.replace(target)
    except (OSError, zipfile.BadZipFile) as error:
        raise ApkError(f"{source} cannot be copied for Java 17 ({error}); let Maven fetch it anew.") from error
    finally:
        temporary.unlink(missing_ok=True)


def for_java_17(data: bytes) -> bytes:
    """A class file as Java 17 reads it; what is older, or no class file, as it is."""
    if not data.startswith(_MAGIC) or struct.unpack_from(">H", data, 6)[0] <= _JAVA_17:
        return data
    return data[:6] + struct.pack(">H", _JAVA_17) + data[8:].replace(_MATCH, _STATE)
