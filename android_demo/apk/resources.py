"""The app's resources: R.java for the compiler, one linked package for the APK and for Robolectric."""

import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from . import layout
from .archive import read_archive, write_archive
from .errors import ApkError
from .framework import write_framework
from .inputs import note_inputs
from .repository import check_repository, repository_of
from .tool import run

_ANDROID = "http://schemas.android.com/apk/res/android"
_BUNDLE = "bundle.zip"


def make_resources(android_jar: Path, assets: Path | None) -> None:
    """Compile and link the app's resources against the platform in `android_jar` (Robolectric's android-all).

    `assets` is the folder of the bundle that the app carries; None chooses as Gradle does. Raises ApkError.
    """
    check_repository(repository_of(android_jar))
    _write_manifest(layout.SOURCES / "AndroidManifest.xml", layout.MANIFEST)
    copy_bundle(assets)
    framework = layout.TARGET / f"framework-{android_jar.stem}.apk"
    if not framework.exists():
        write_framework(android_jar, framework)
    compiled = layout.TARGET / "resources.zip"
    run(["aapt2", "compile", "--dir", layout.SOURCES / "res", "-o", compiled])
    shutil.rmtree(layout.GENERATED, ignore_errors=True)
    # A debug build: its data can be read by `adb shell run-as`, which `fauxlens verify --runtime device` does.
    extra: list[str | Path] = ["--debug-mode", "--java", layout.GENERATED, "--proguard", layout.LINKED_RULES]
    _link(framework, compiled, layout.LINKED, extra)
    with_bundle(layout.LINKED)
    _write(layout.PLATFORM, f"{android_jar}\n")
    _write(layout.TEST_CONFIG, _test_config())
    note_inputs()


def link_release() -> None:
    """Link what make_resources has compiled once more, for an app that cannot be debugged. Raises ApkError."""
    android_jar = Path(layout.PLATFORM.read_text(encoding="utf-8").strip())
    framework = layout.TARGET / f"framework-{android_jar.stem}.apk"
    _link(framework, layout.TARGET / "resources.zip", layout.LINKED_RELEASE, [])
    with_bundle(layout.LINKED_RELEASE)


def _link(framework: Path, compiled: Path, output: Path, extra: Sequence[str | Path]) -> None:
    command: list[str | Path] = ["aapt2", "link", "-o", output, "-I", framework, "--manifest", layout.MANIFEST, *extra]
    # It is older than some elements, such as <queries>, and would refuse the manifest for them.
    run([*command, "--no-version-vectors", "--warn-manifest-validation", compiled])


def _write_manifest(source: Path, manifest: Path) -> None:
    """The app's manifest with what Gradle would add to it from its build files."""
    try:
        root = ElementTree.parse(source).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ApkError(f"{source} cannot be read as a manifest ({error}); mend it.") from error
    application = root.find("application")
    if application is None:
        raise ApkError(f"{source} has no <application>; add one.")
    root.set("package", layout.PACKAGE)
    root.set(f"{{{_ANDROID}}}versionCode", str(layout.VERSION_CODE))
    root.set(f"{{{_ANDROID}}}versionName", layout.VERSION_NAME)
    sdk = {
        f"{{{_ANDROID}}}minSdkVersion": str(layout.MIN_SDK),
        f"{{{_ANDROID}}}targetSdkVersion": str(layout.TARGET_SDK),
    }
    root.insert(0, ElementTree.Element("uses-sdk", sdk))
    # Libraries lie compressed in the APK, which halves it, and are unpacked when it is installed.
    application.set(f"{{{_ANDROID}}}extractNativeLibs", "true")
    ElementTree.register_namespace("android", _ANDROID)
    _write(manifest, ElementTree.tostring(root, encoding="unicode", xml_declaration=True))


def copy_bundle(assets: Path | None) -> None:
    """Copy the detector that the app carries, alone, to where the APK and Robolectric take it from. Raises ApkError."""
    folder = assets or _assets()
    bundle = folder / _BUNDLE
    if not bundle.is_file():
        raise ApkError(f"There is no detector at {bundle}; make one with `fauxlens export RUN --android {folder}`.")
    shutil.rmtree(layout.ASSETS, ignore_errors=True)
    layout.ASSETS.mkdir(parents=True)
    shutil.copyfile(bundle, layout.ASSETS / _BUNDLE)


def _assets() -> Path:
    """The rule of app/build.gradle.kts: the app's own assets if `fauxlens export --android` put a bundle there."""
    own = layout.SOURCES / "assets"
    return own if (own / _BUNDLE).is_file() else layout.REPOSITORY / "export" / "shipped"


def with_bundle(package: Path) -> None:
    """Put the detector into a linked package; compressed, for it is read into memory as a whole."""
    entries, stored = read_archive(package)
    name = f"assets/{_BUNDLE}"
    write_archive(package, {**entries, name: (layout.ASSETS / _BUNDLE).read_bytes()}, stored - {name})


def _test_config() -> str:
    """What Robolectric looks up, as Gradle's plugin writes it."""
    entries = {
        "android_custom_package": layout.PACKAGE,
        "android_merged_assets": layout.ASSETS,
        "android_merged_manifest": layout.MANIFEST,
        "android_resource_apk": layout.LINKED,
    }
    return "".join(f"{key}={value}\n" for key, value in entries.items())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
