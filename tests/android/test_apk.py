"""The APK that `make apk` leaves: what it asks for, what is in it, and how it is aligned and signed."""

from __future__ import annotations

import re
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from android_demo.apk import layout

if TYPE_CHECKING:
    from tests.android.conftest import Apk

_ANDROID = "{http://schemas.android.com/apk/res/android}"
_PHONES = "lib/arm64-v8a/libtensorflowlite_jni.so"
_LIBRARIES = {
    _PHONES,
    "lib/arm64-v8a/libtensorflowlite_gpu_jni.so",
    "lib/x86_64/libtensorflowlite_jni.so",
}
_LOAD = 1


@pytest.fixture(scope="session")
def manifest(apk: Apk) -> ElementTree.Element:
    """The manifest in the APK."""
    return ElementTree.parse(apk.decoded / "AndroidManifest.xml").getroot()


@pytest.fixture(scope="session")
def application(manifest: ElementTree.Element) -> ElementTree.Element:
    """The manifest's <application>."""
    found = manifest.find("application")
    assert found is not None
    return found


def test_the_apk_is_for_the_androids_that_are_promised(apk: Apk, manifest: ElementTree.Element) -> None:
    facts = (apk.decoded / "apktool.yml").read_text(encoding="utf-8")
    assert manifest.get("package") == "fauxlens.app"
    assert re.search(r"minSdkVersion: '(\d+)'", facts)[1] == "24"  # type: ignore[index]
    assert re.search(r"targetSdkVersion: '(\d+)'", facts)[1] == "36"  # type: ignore[index]


def test_the_app_asks_for_nothing(manifest: ElementTree.Element) -> None:
    asked = [element for element in manifest.iter() if element.tag.startswith("uses-permission")]
    assert [element.get(f"{_ANDROID}name") for element in asked] == []
    assert manifest.findall("permission") == []


def test_only_the_screens_for_others_are_open_to_others(application: ElementTree.Element) -> None:
    parts = [part for kind in ("activity", "service", "receiver", "provider") for part in application.findall(kind)]
    opened = {
        _name(part): part.get(f"{_ANDROID}permission") for part in parts if part.get(f"{_ANDROID}exported") != "false"
    }
    # Only adb's shell holds DUMP.
    assert opened == {
        "fauxlens.app.main.MainActivity": None,
        "fauxlens.app.selftest.SelfTestActivity": "android.permission.DUMP",
    }
    assert application.findall("activity-alias") == []


def test_detectors_of_strangers_are_tried_where_nothing_of_the_app_can_be_read(
    application: ElementTree.Element,
) -> None:
    (service,) = application.findall("service")
    found = {name: service.get(f"{_ANDROID}{name}") for name in ("isolatedProcess", "process", "exported")}
    assert found == {"isolatedProcess": "true", "process": ":trial", "exported": "false"}


def test_nothing_leaves_by_backup_or_in_the_clear(application: ElementTree.Element) -> None:
    assert application.get(f"{_ANDROID}allowBackup") == "false"
    assert application.get(f"{_ANDROID}usesCleartextTraffic") in (None, "false")
    assert application.get(f"{_ANDROID}networkSecurityConfig") is None
    # `adb shell run-as`, by which `fauxlens verify --runtime device` fetches its result, needs a debuggable app.
    assert application.get(f"{_ANDROID}debuggable") == "true"
    assert application.get(f"{_ANDROID}testOnly") is None


def test_every_class_that_the_manifest_names_is_there(apk: Apk, application: ElementTree.Element) -> None:
    named = [
        _name(part) for part in application.iter() if part.tag in ("application", "activity", "service", "provider")
    ]
    assert "fauxlens.app.FauxlensApp" in named
    assert [name for name in named if name not in _classes(apk)] == []


def test_there_is_no_class_but_the_apps_and_its_libraries(apk: Apk) -> None:
    rooms = {name.rpartition(".")[0] for name in _classes(apk)}
    known = ("fauxlens.app", "fauxlens.core", "kotlin", "kotlinx", "org.tensorflow.lite")
    # R8's own: what it moves out of classes for older Androids.
    assert {room for room in rooms if not re.match(rf"({'|'.join(map(re.escape, known))})(\.|$)", room)} <= {"", "j$"}
    # JNA's binding is for tests, which never come here.
    tests = {path.stem for path in layout.DEMO.glob("*/src/test/kotlin/**/*.kt")}
    assert tests and not tests & {name.rpartition(".")[2] for name in _classes(apk)}


def test_the_detector_is_whole(apk: Apk) -> None:
    own = layout.SOURCES / "assets" / "bundle.zip"
    source = own if own.is_file() else layout.REPOSITORY / "export" / "shipped" / "bundle.zip"
    with zipfile.ZipFile(apk.path) as archive:
        assert archive.read("assets/bundle.zip") == source.read_bytes()
        assert archive.getinfo("assets/bundle.zip").compress_type == zipfile.ZIP_DEFLATED
        assert [name for name in archive.namelist() if name.startswith("assets/")] == ["assets/bundle.zip"]


def test_what_is_stored_is_aligned(apk: Apk) -> None:
    with zipfile.ZipFile(apk.path) as archive, apk.path.open("rb") as file:
        # An app for Android 11 and later is not installed otherwise.
        assert archive.getinfo("resources.arsc").compress_type == zipfile.ZIP_STORED
        for info in archive.infolist():
            if info.compress_type == zipfile.ZIP_STORED:
                file.seek(info.header_offset + 26)
                name, extra = struct.unpack("<HH", file.read(4))
                step = 16384 if info.filename.endswith(".so") else 4
                assert (info.header_offset + 30 + name + extra) % step == 0, info.filename
    subprocess.run(["zipalign", "-c", "-p", "4", str(apk.path)], check=True, capture_output=True)


def test_native_libraries_are_of_two_processors_and_unpacked(apk: Apk, application: ElementTree.Element) -> None:
    with zipfile.ZipFile(apk.path) as archive:
        libraries = {name for name in archive.namelist() if name.endswith(".so")}
        assert libraries == _LIBRARIES
        # Compressed ones are only found if the system unpacks them.
        assert {archive.getinfo(name).compress_type for name in libraries} == {zipfile.ZIP_DEFLATED}
    assert application.get(f"{_ANDROID}extractNativeLibs") == "true"


def test_the_pages_of_native_libraries_are_as_the_readme_says(apk: Apk) -> None:
    # tensorflow-lite 2.16.1 is linked for pages of 4 KB. The detector's library for phones is laid out anew
    # (test_pages.py); the GPU's and the emulator's have code and data on one page of 16 KB and cannot be.
    with zipfile.ZipFile(apk.path) as archive:
        pages = {name: _page(archive.read(name)) for name in _LIBRARIES}
    assert pages == {name: 16384 if name == _PHONES else 4096 for name in _LIBRARIES}


def test_android_16_is_told_that_some_libraries_are_for_small_pages(application: ElementTree.Element) -> None:
    # https://developer.android.com/guide/topics/manifest/application-element. Without it the person is warned.
    # What `enabled` stands for (ApplicationInfo's flag); apktool's own table of the platform has no names for it.
    assert application.get(f"{_ANDROID}pageSizeCompat") in ("32", "enabled")


def test_what_core_reads_beside_its_classes_is_there(apk: Apk) -> None:
    with zipfile.ZipFile(apk.path) as archive:
        assert archive.read("fauxlens/marks/tables.json") == layout.MARKS.read_bytes()


def test_the_signature_holds_for_every_android(apk: Apk) -> None:
    # From Android 7 on scheme 2 is asked for; below that is only checked to see that scheme 1 is there, too.
    command = ["apksigner", "verify", "--verbose", "--min-sdk-version", "23", str(apk.path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for scheme in ("v1", "v2", "v3"):
        assert re.search(rf"Verified using {scheme} scheme .*: true", said), said


def test_the_apk_is_small_and_tells_no_time(apk: Apk) -> None:
    assert apk.path.stat().st_size <= 13_000_000
    with zipfile.ZipFile(apk.path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def _name(part: ElementTree.Element) -> str:
    name = part.get(f"{_ANDROID}name", "")
    return f"fauxlens.app{name}" if name.startswith(".") else name


def _classes(apk: Apk) -> set[str]:
    """The names of all classes in the APK."""
    files = (path.relative_to(apk.decoded) for path in apk.decoded.glob("smali*/**/*.smali"))
    return {".".join(Path(*path.parts[1:]).with_suffix("").parts) for path in files}


def _page(library: bytes) -> int:
    """The smallest alignment of what a 64-bit ELF file loads (elf(5))."""
    assert library[:5] == b"\x7fELF\x02"
    (start,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    headers = (struct.unpack_from("<IIQQQQQQ", library, start + size * index) for index in range(count))
    return min(header[7] for header in headers if header[0] == _LOAD)
