"""What an Android library needs, as binutils reads it, and the stand-ins that are written for it."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from export.runtimes import apk
from export.runtimes.bionic_shim import Needs, read_needs, source, version_script
from train.common.errors import ExportError


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The arm64 library of the built app."""
    if not apk.APK.is_file() or shutil.which("readelf") is None:
        pytest.skip("the app is not built here (`make apk`), or there is no readelf to compare with")
    with zipfile.ZipFile(apk.APK) as archive:
        return Path(archive.extract("lib/arm64-v8a/libtensorflowlite_jni.so", tmp_path))


def test_the_needs_are_those_that_readelf_reads(library: Path) -> None:
    said = subprocess.run(["readelf", "--dyn-syms", "-W", str(library)], check=True, capture_output=True, text=True)
    # Undefined and not weak, as "fprintf@LIBC (3)".
    found = re.findall(r" GLOBAL +DEFAULT +UND (\S+)(?: \((\d+)\))?$", said.stdout, re.MULTILINE)
    expected = {(name.partition("@")[0], name.partition("@")[2]) for name, _ in found}
    needs = read_needs(library.read_bytes())
    assert {(name, one.version) for one in needs for name in one.names} == expected
    assert {one.file for one in needs} == {"libc.so", "libdl.so", "liblog.so", "libm.so"}
    by_file = {one.file: set(one.names) for one in needs}
    assert {"fprintf", "__sF", "malloc"} <= by_file["libc.so"]
    assert "expf" in by_file["libm.so"] and "dlsym" in by_file["libdl.so"]
    assert by_file["liblog.so"] == {"__android_log_vprint"}


def test_a_stand_in_jumps_for_each_function_and_keeps_data_as_data() -> None:
    needs = Needs("libc.so", "LIBC", ("__sF", "fprintf", "malloc"))
    code = source(needs)
    assert code.count("br x16") == 2 and "malloc:\\n" in code
    assert "char __sF[3 * 152];" in code and "__sF:" not in code
    assert version_script(needs) == "LIBC { global: __sF; fprintf; malloc; local: *; };\n"


@pytest.mark.parametrize("data", [b"", b"\x7fELF\x02\x01", b"\x7fELF\x01\x01" + bytes(100), bytes(200)])
def test_what_is_no_library_is_one_sentence(data: bytes) -> None:
    with pytest.raises(ExportError, match="not a 64-bit ELF file"):
        read_needs(data)
