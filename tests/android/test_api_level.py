"""Android 7 has what the app uses: no call of anything newer, but where the code asks for the version first."""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path

import pytest

from android_demo.apk import layout
from android_demo.apk.class_file import Member, ancestors, declared, own_name, read_constants, references

OLDEST = "7.0.0_r1-robolectric-r1"  # API 24
OBJECT = {"<init>", "clone", "equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"}
GUARDED = {
    # Made from Android 13 on only (BackGesture.gesture).
    "fauxlens/app/ui/BackGesture$From33",
    # Called from Android 10 on only (SquareView.fit).
    "fauxlens/app/widget/SquareView$Exclusion",
    # Asked for from Android 9 on only (picture/PictureDecoder.kt sidesOf); what is of Android 10 stands behind an if.
    "fauxlens/app/picture/HeifDecoderKt",
    # Behind an if (barsOf).
    "fauxlens/app/ui/ScreenKt",
}


class Platform:
    """The classes of one Android version, out of Robolectric's jar of it."""

    def __init__(self, jar: Path) -> None:
        self._archive = zipfile.ZipFile(jar)
        self._names = set(self._archive.namelist())

    def has_class(self, name: str) -> bool:
        return f"{name}.class" in self._names

    @functools.cache  # noqa: B019 - one platform a session
    def _read(self, name: str) -> bytes:
        return self._archive.read(f"{name}.class")

    def has(self, owner: str, member: Member) -> bool:
        """Whether a class or one of its ancestors declares a member; Java's own but Object are taken on trust."""
        if owner == "java/lang/Object":
            return member[0] in OBJECT
        if not self.has_class(owner):
            return not owner.startswith("android/")
        data = self._read(owner)
        return member in declared(data) or any(self.has(one, member) for one in ancestors(data))


@pytest.fixture(scope="module")
def platform(apk: object) -> Platform:
    """Android 7, which Maven has put beside the one that the app is compiled against."""
    newest = Path(layout.PLATFORM.read_text(encoding="utf-8").strip())
    return Platform(newest.parents[1] / OLDEST / f"android-all-{OLDEST}.jar")


def newer(platform: Platform, data: bytes) -> set[str]:
    """What a class names of Android that the platform has not."""
    pool = read_constants(data)
    classes = {pool.name(index).lstrip("[").removeprefix("L").rstrip(";") for index in pool.classes}
    missing = {name for name in classes if name.startswith("android/") and not platform.has_class(name)}
    used = {(owner, member) for owner, member in references(data) if owner.startswith("android/")}
    return missing | {f"{owner}.{member[0]}" for owner, member in used if not platform.has(owner, member)}


def test_nothing_newer_is_used_unasked(platform: Platform) -> None:
    found = {}
    for path in layout.CLASSES.rglob("*.class"):
        data = path.read_bytes()
        if names := newer(platform, data):
            found[own_name(data)] = names
    assert found.keys() == GUARDED, found
    # A check that knows no newer thing would find none.
    assert "android/graphics/ImageDecoder" in found["fauxlens/app/picture/HeifDecoderKt"]
    assert "android/graphics/Bitmap.setColorSpace" in found["fauxlens/app/picture/HeifDecoderKt"]
