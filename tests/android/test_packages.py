"""The app's packages stand in layers: none imports what stands above it, so there is no circle."""

from __future__ import annotations

import re

from android_demo.apk import layout

# From the bottom up; packages on one line do not know each other. "" is `fauxlens.app` itself, the application.
LAYERS = (
    ("common",),
    ("picture",),
    ("model",),
    ("detect", "store"),
    ("state",),
    ("widget",),
    ("ui",),
    ("about", "history", "selftest"),
    ("settings",),
    ("main",),
    ("",),
)
_LEVEL = {package: level for level, line in enumerate(LAYERS) for package in line}
_FOLDER = layout.SOURCES / "kotlin" / "fauxlens" / "app"
_IMPORT = re.compile(r"^import fauxlens\.app(?:\.([a-z]\w*))?\.\w+$", re.MULTILINE)


def test_no_package_imports_what_stands_above_it() -> None:
    wrong = []
    for path in _FOLDER.rglob("*.kt"):
        package = "" if path.parent == _FOLDER else path.parent.name
        text = path.read_text(encoding="utf-8")
        # R is made from the resources and belongs to nobody.
        imported = set(_IMPORT.findall(text.replace("import fauxlens.app.R\n", "")))
        wrong += [(path.name, other) for other in imported if _LEVEL[other] >= _LEVEL[package]]
    assert wrong == []


def test_every_package_has_a_layer_and_every_file_the_package_of_its_folder() -> None:
    assert {path.name for path in _FOLDER.iterdir() if path.is_dir()} == _LEVEL.keys() - {""}
    for path in _FOLDER.rglob("*.kt"):
        expected = ".".join(("fauxlens", "app", *path.relative_to(_FOLDER).parent.parts))
        assert re.search(rf"^package {re.escape(expected)}$", path.read_text(encoding="utf-8"), re.MULTILINE), path
