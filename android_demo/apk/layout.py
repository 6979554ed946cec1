"""What the app is called, which Androids it is for, and where things stand.

The Gradle files say the same; tests/android/test_build.py holds them against this.
"""

from pathlib import Path

PACKAGE = "fauxlens.app"
VERSION_CODE = 2
VERSION_NAME = "0.2.0"
MIN_SDK = 24
TARGET_SDK = 36
# Phones, and the emulator on a computer, which gets no library for a GPU.
ABIS = ("arm64-v8a", "x86_64")
EMULATOR = "x86_64"

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "android_demo"
SOURCES = DEMO / "app" / "src" / "main"
RULES = DEMO / "app" / "proguard-rules.pro"
# Read by `core` beside its classes.
MARKS = REPOSITORY / "train" / "image" / "marks" / "tables.json"
TARGET = DEMO / "app" / "target"
CLASSES = TARGET / "classes"
LIBRARIES = TARGET / "libraries"
TFLITE = DEMO / "tflite" / "target"
# Maven leaves here where android-all stands in its local repository.
PLATFORM = TARGET / "platform.txt"

MANIFEST = TARGET / "manifest" / "AndroidManifest.xml"
ASSETS = TARGET / "assets"
GENERATED = TARGET / "generated-sources" / "r"
LINKED = TARGET / "resources.ap_"
LINKED_RELEASE = TARGET / "resources-release.ap_"
LINKED_RULES = TARGET / "resources.pro"
TEST_CONFIG = TARGET / "test-classes" / "com" / "android" / "tools" / "test_config.properties"
APK = TARGET / "fauxlens-debug.apk"
RELEASE_APK = TARGET / "fauxlens-release.apk"
