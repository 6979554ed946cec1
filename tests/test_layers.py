"""Imports run one way: layers of packages, no cycle between files or folders, and small folders."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ela", "train", "export")
MODULES_A_FOLDER = 21

LAYERS = (
    ("train.common",),
    ("ela", "train.image"),
    ("train.data",),
    ("train.recipe_types", "train.recipe_pictures", "train.recipe_training"),
    ("train.backbones",),
    ("train.recipe", "train.model", "train.weights", "train.dropout", "train.head", "train.recipe_files"),
    ("train.evaluate",),
    ("train.fit",),
    ("train.compare", "train.features"),
    ("export.artifacts",),
    ("export.runtimes", "export.foreign"),
    ("export.tflite", "export.inference"),
    ("export.quantize", "export.benchmark"),
    ("export.parity",),
    ("export.explain",),
    ("export.release",),
    ("export.web",),
    ("export.api",),
    ("train.cli", "export.cli"),
    ("fauxlens",),
)
"""From the lowest up: a package imports its own layer and those above it in this list."""


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    _module_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted([ROOT / "fauxlens.py", *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))])
}


def _imported(module: str, tree: ast.Module) -> set[str]:
    """The project's modules that a file imports, anywhere in it but for type checking alone."""
    ignored = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = module.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(part for part in (package, node.module or "") if part)
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in SOURCES else base for alias in node.names}
    return {name for name in found if name in SOURCES and name != module}


IMPORTS = {module: _imported(module, tree) for module, tree in SOURCES.items()}


def _layer(module: str) -> int | None:
    for number, packages in enumerate(LAYERS):
        if any(module == package or module.startswith(f"{package}.") for package in packages):
            return number
    return None


def _cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """One cycle of a graph, as the names along it, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for other in sorted(graph.get(name, ())):
            if found := visit(other):
                return found
        path.pop()
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name))), [])


def test_every_module_has_a_layer() -> None:
    bare = {module for module in SOURCES if _layer(module) is None}
    assert bare <= {"train", "export"}, "say in LAYERS where a new package stands"


def test_a_package_imports_nothing_above_it() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in sorted(others)
        if (low := _layer(module)) is not None and (high := _layer(other)) is not None and high > low
    ]
    assert not wrong


def test_no_cycle_between_files() -> None:
    assert not _cycle(IMPORTS)


@pytest.mark.parametrize("root", PACKAGES)
def test_no_cycle_between_folders(root: str) -> None:
    """A folder and the folders inside it are two things here: code that a package shares may stand beside them."""
    folders: dict[str, set[str]] = {}
    packages = {module for module in SOURCES if (ROOT / module.replace(".", "/")).is_dir()}

    def folder(module: str) -> str:
        return module if module in packages else module.rpartition(".")[0]

    for module, others in IMPORTS.items():
        if module.split(".")[0] == root:
            folders.setdefault(folder(module), set()).update(
                folder(other) for other in others if folder(other) != folder(module)
            )
    assert not _cycle(folders)


def test_folders_can_be_overlooked() -> None:
    for folder in {path.parent for name in PACKAGES for path in (ROOT / name).rglob("*.py")}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MODULES_A_FOLDER, f"{folder.relative_to(ROOT)} has {len(modules)} modules"


@pytest.mark.parametrize("package", sorted(module for module in SOURCES if (ROOT / module.replace(".", "/")).is_dir()))
def test_every_package_says_what_belongs_in_it(package: str) -> None:
    text = ast.get_docstring(SOURCES[package]) or ""
    assert text.count(".") >= 2, f"{package}/__init__.py: two sentences on what it holds"


def test_a_cycle_and_a_wrong_import_would_be_found() -> None:
    assert _cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert _imported("train.fit.loop", ast.parse("def f():\n    from train.fit import epoch")) == {"train.fit.epoch"}
    assert (_layer("train.fit.loop") or 0) > (_layer("train.image.view") or 0)
