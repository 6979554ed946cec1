"""The two builds of the Android demo agree, and the program that makes the APK says what is wrong."""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from android_demo.apk import layout, lock, repository
from android_demo.apk.archive import read_archive, write_archive
from android_demo.apk.class_file import read_constants
from android_demo.apk.errors import ApkError
from android_demo.apk.older_java import for_java_17, write_for_java_17
from android_demo.apk.platform import write_platform
from train.common.version import VERSION

_MAVEN = "{http://maven.apache.org/POM/4.0.0}"
_MODULES = ("jvm", "core", "app")


@pytest.fixture(scope="module")
def properties() -> dict[str, str]:
    """The properties of the parent pom."""
    found = ElementTree.parse(layout.DEMO / "pom.xml").getroot().find(f"{_MAVEN}properties")
    assert found is not None
    return {element.tag.removeprefix(_MAVEN): element.text or "" for element in found}


def test_the_app_has_the_version_of_fauxlens() -> None:
    assert layout.VERSION_NAME == VERSION
    root = ElementTree.parse(layout.DEMO / "pom.xml").getroot()
    assert root.findtext(f"{_MAVEN}version") == VERSION
    for pom in layout.DEMO.glob("*/pom.xml"):
        parent = ElementTree.parse(pom).getroot().find(f"{_MAVEN}parent")
        assert parent is not None
        assert parent.findtext(f"{_MAVEN}version") == VERSION, pom


@pytest.fixture(scope="module")
def versions() -> dict[str, str]:
    """The versions of Gradle's catalogue."""
    catalogue = tomllib.loads(_read("gradle/libs.versions.toml"))
    assert all("version.ref" not in library or library["version.ref"] for library in catalogue["libraries"].values())
    return dict(catalogue["versions"])


@pytest.mark.parametrize("name", ["kotlin", "serialization", "jna", "junit", "robolectric"])
def test_both_builds_use_the_same_version(name: str, properties: dict[str, str], versions: dict[str, str]) -> None:
    assert properties[f"{name}.version"] == versions[name]


def test_the_versions_are_those_of_the_jvm_runtime_and_the_lock(properties: dict[str, str]) -> None:
    from export.runtimes import jvm

    assert f"net.java.dev.jna:jna:{properties['jna.version']}" in jvm.INGREDIENTS
    kotlin, tflite = (properties[f"{name}.version"] for name in ("kotlin", "tflite"))
    assert {
        f"kotlin-stdlib-{kotlin}.jar",
        *(f"{name}-{tflite}.aar" for name in ("tensorflow-lite", "tensorflow-lite-api", "tensorflow-lite-gpu")),
    } <= lock.read_lock().keys()


def test_both_builds_make_the_same_app() -> None:
    gradle = _read("app/build.gradle.kts")
    for line in (
        f'namespace = "{layout.PACKAGE}"',
        f'applicationId = "{layout.PACKAGE}"',
        f"minSdk = {layout.MIN_SDK}",
        f"targetSdk = {layout.TARGET_SDK}",
        f"compileSdk = {layout.TARGET_SDK}",
        f"versionCode = {layout.VERSION_CODE}",
        f'versionName = "{layout.VERSION_NAME}"',
        "abiFilters += listOf({})".format(", ".join(f'"{abi}"' for abi in layout.ABIS)),
        "useLegacyPackaging = true",
        '"proguard-rules.pro"',
        'repository.resolve("export/shipped")',
    ):
        assert line in gradle, line


def test_both_builds_have_the_same_modules_and_sources() -> None:
    settings, pom = _read("settings.gradle.kts"), _read("pom.xml")
    assert 'include(":jvm", ":core", ":app")' in settings
    # Gradle reads .aar by itself; for Maven the module tflite does it.
    assert re.findall(r"<module>(\w+)</module>", pom) == ["jvm", "core", "tflite", "app"]
    for module in _MODULES:
        assert "srcDir(" not in _read(f"{module}/build.gradle.kts")
    for module in ("core", "app"):
        assert "src/main/kotlin" in _read(f"{module}/pom.xml")


def test_no_build_asks_for_permissions_or_the_network() -> None:
    manifest = _read("app/src/main/AndroidManifest.xml")
    assert "uses-permission" not in manifest
    # Both builds add these; Android Studio complains of one that stands in the manifest.
    root = ElementTree.fromstring(manifest)
    assert "package" not in root.attrib and root.find("uses-sdk") is None


def test_every_version_is_pinned(versions: dict[str, str]) -> None:
    for path in [
        layout.DEMO / "pom.xml",
        *(layout.DEMO / name / "pom.xml" for name in ("jvm", "core", "tflite", "app")),
    ]:
        for version in ElementTree.parse(path).iter(f"{_MAVEN}version"):
            assert re.fullmatch(r"[\w.-]+|\$\{[\w.]+}", version.text or ""), (path, version.text)
    assert all(re.fullmatch(r"[\d.]+", version) for version in versions.values())
    wrapper = _read("gradle/wrapper/gradle-wrapper.properties")
    assert re.search(r"^distributionSha256Sum=[0-9a-f]{64}$", wrapper, re.MULTILINE)


def test_the_wrapper_is_the_one_that_gradle_publishes() -> None:
    # https://gradle.org/release-checksums: the wrapper jar of 8.11.1.
    jar = layout.DEMO / "gradle" / "wrapper" / "gradle-wrapper.jar"
    expected = "2db75c40782f5e8ba1fc278a5574bab070adccb2d21ca5a6e5ed840888448046"
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == expected
    assert (layout.DEMO / "gradlew").stat().st_mode & 0o111


def test_the_app_and_its_tests_ask_for_no_class_that_only_a_desktop_has() -> None:
    # Android Studio compiles both against android.jar, without the JDK's own modules.
    desktop = re.compile(
        r"^import (?:javax?\.(?:awt|imageio|lang\.management|swing)|com\.sun|sun|jdk)\b.*$", re.MULTILINE
    )
    found = {
        path.name: desktop.findall(path.read_text(encoding="utf-8"))
        for path in (layout.DEMO / "app" / "src").rglob("*.kt")
    }
    assert {name: imports for name, imports in found.items() if imports} == {}


def test_the_compiled_tests_name_no_class_of_java_but_those_of_its_base() -> None:
    """As compiling them without the JDK's own modules would show: java.base and java.logging are what Android has."""
    folders = [layout.CLASSES, layout.TARGET / "test-classes"]
    if not all(any(folder.rglob("*.class")) for folder in folders):
        pytest.skip("Maven has compiled nothing here: run `make android`")
    java = shutil.which("java")
    assert java is not None
    known: set[str] = set()
    for module in ("java.base", "java.logging"):
        with zipfile.ZipFile(Path(java).resolve().parents[1] / "jmods" / f"{module}.jmod") as archive:
            known |= {name.removeprefix("classes/").removesuffix(".class") for name in archive.namelist()}
    found = set()
    for path in (path for folder in folders for path in folder.rglob("*.class")):
        pool = read_constants(path.read_bytes())
        names = {pool.name(index).lstrip("[").removeprefix("L").rstrip(";") for index in pool.classes}
        found |= {name for name in names if re.match(r"javax?/|sun/|com/sun/|jdk/", name)}
    assert "java/io/File" in found
    # Robolectric's annotation, whose library comes with it in both builds.
    assert {name for name in found - known if not name.startswith("javax/inject/")} == set()
    assert {name for name in found if not name.startswith(("java/", "javax/"))} == set()


def test_a_missing_detector_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "android_demo.apk", "resources", "android-all.jar", f"--assets={tmp_path}"]
    done = subprocess.run(command, cwd=layout.REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    expected = (
        f"There is no detector at {tmp_path}/bundle.zip; make one with `fauxlens export RUN --android {tmp_path}`."
    )
    assert done.stderr == f"{expected}\n"


def test_another_file_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "tensorflow-lite-2.16.1.aar"
    other.write_bytes(b"other")
    with pytest.raises(ApkError, match=r"is not the file that apk\.lock names"):
        lock.check_lock([other])
    unknown = tmp_path / "unknown.jar"
    unknown.write_bytes(b"unknown")
    with pytest.raises(ApkError, match=hashlib.sha256(b"unknown").hexdigest()):
        lock.check_lock([unknown])


def test_an_archive_is_the_same_each_time_and_its_libraries_can_be_mapped(tmp_path: Path) -> None:
    entries = {"a.txt": b"text" * 100, "odd": b"1", "lib/one.so": b"\x7fELF" * 5, "lib/two.so": b"\x7fELF"}
    stored = {"odd", "lib/one.so", "lib/two.so"}
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    write_archive(first, entries, stored)
    write_archive(second, entries, stored)
    assert first.read_bytes() == second.read_bytes()
    assert read_archive(first) == (entries, stored)
    data = first.read_bytes()
    with zipfile.ZipFile(first) as archive:
        for name in stored:
            offset = archive.getinfo(name).header_offset
            begin = offset + 30 + int.from_bytes(data[offset + 26 : offset + 28], "little")
            begin += int.from_bytes(data[offset + 28 : offset + 30], "little")
            assert begin % (16384 if name.endswith(".so") else 4) == 0
            assert data[begin:].startswith(entries[name])


def test_a_java_without_modules_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ApkError, match="is no whole JDK"):
        write_platform([], tmp_path / "android.jar", tmp_path, tmp_path / "platform.jar")


def test_classes_of_java_21_become_those_of_java_17_and_nothing_else_changes(tmp_path: Path) -> None:
    match, state = b"\x01\0\x18java/lang/MatchException", b"\x01\0\x1fjava/lang/IllegalStateException"
    newer = b"\xca\xfe\xba\xbe\0\0\0\x41\0\x02" + match + b"rest"
    older = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x02" + match + b"rest"
    assert for_java_17(newer) == b"\xca\xfe\xba\xbe\0\0\0\x3d\0\x02" + state + b"rest"
    assert for_java_17(older) == older
    source, target = tmp_path / "newer.jar", tmp_path / "androids" / "newer.jar"
    write_archive(source, {"a/A.class": newer, "resources.arsc": newer[8:]})
    write_for_java_17(source, target)
    assert read_archive(target)[0] == {"a/A.class": for_java_17(newer), "resources.arsc": newer[8:]}
    # It is not made again, which takes half a minute, unless the source is newer.
    stamp = target.stat().st_mtime_ns
    write_for_java_17(source, target)
    assert target.stat().st_mtime_ns == stamp
    source.write_bytes(b"no jar")
    with pytest.raises(ApkError, match=r"cannot be copied for Java 17"):
        write_for_java_17(source, tmp_path / "other.jar")


def test_the_tests_run_on_the_android_that_the_app_is_made_for(properties: dict[str, str]) -> None:
    assert properties["android.version"].startswith("16-")
    assert properties["android.instrumented.version"] == f"{properties['android.version']}-i7"
    assert f"sdk={layout.TARGET_SDK}\n" in _read("app/src/test/resources/robolectric.properties")
    robolectric = properties["android.version"].rpartition("-")[2]
    assert f'DefaultSdk(newest, "16", "{robolectric}"' in _read("app/src/test/kotlin/fauxlens/app/Sdks.kt")


def _read(path: str) -> str:
    return (layout.DEMO / path).read_text(encoding="utf-8")


def test_what_maven_fetched_is_what_the_lock_names() -> None:
    local = Path.home() / ".m2" / "repository"
    names = [name for name in repository.read_maven_lock() if (local / name).is_file()]
    if not names:
        pytest.skip("Maven has fetched nothing here: run `make android`")
    repository.check_repository(local)


def test_every_plugin_and_dependency_is_in_the_lock(properties: dict[str, str]) -> None:
    folders = {str(Path(name).parent) for name in repository.read_maven_lock()}
    wanted = set()
    for pom in (layout.DEMO / "pom.xml", *(layout.DEMO / module / "pom.xml" for module in ("tflite", *_MODULES))):
        for element in ElementTree.parse(pom).iter():
            if element.tag in (f"{_MAVEN}plugin", f"{_MAVEN}dependency"):
                group, artifact, version = (
                    element.findtext(f"{_MAVEN}{part}", "") for part in ("groupId", "artifactId", "version")
                )
                version = re.sub(r"\$\{(.+?)\}", lambda found: properties.get(found[1], ""), version)
                # Whoever cleans fetches that plugin by himself.
                if version and group != "fauxlens" and artifact != "maven-clean-plugin":
                    wanted.add(f"{group.replace('.', '/')}/{artifact}/{version}")
    assert len(wanted) > 12
    assert wanted <= folders


def test_another_file_in_the_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_CHECKED", tmp_path / "checked.json")
    name, digest = next(iter(repository.read_maven_lock().items()))
    monkeypatch.setattr(repository, "read_maven_lock", lambda: {name: hashlib.sha256(b"good").hexdigest()})
    path = tmp_path / "repository" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"good")
    repository.check_repository(tmp_path / "repository")
    assert len(digest) == 64
    path.write_bytes(b"evil")
    with pytest.raises(ApkError, match=r"is not the file that maven\.lock names"):
        repository.check_repository(tmp_path / "repository")
