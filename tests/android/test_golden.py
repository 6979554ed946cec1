"""The golden files are what the present Python code gives; the JVM tests of android_demo/core read the same ones."""

import gzip
import importlib
import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = (
    "views.json",
    "synthetic.json",
    "squares.json",
    "view_texts.json",
    "json_texts.json",
    "descriptions.json",
    "descriptions_2.json",
    "verdicts.json",
    "decisions.json",
    "heat.json",
    "marks/summaries.json",
    "face_finder/letterbox.json",
    "face_finder/outputs.json",
    "face_finder/pictures.json",
)
AGAIN = "make them again with `python tests/golden/make.py` and run the JVM tests"


@pytest.fixture(scope="module")
def golden_files() -> Any:
    """Imports a module of tests/golden/golden_files, which no path of the project leads to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(GOLDEN)
        yield lambda name: importlib.import_module(f"golden_files.{name}")


@pytest.fixture(scope="module")
def values(golden_files: Any) -> dict[str, Any]:
    made: dict[str, Any] = golden_files("values").golden_values(GOLDEN / "pictures")
    return made


@pytest.mark.slow
def test_every_golden_file_is_checked(values: dict[str, Any]) -> None:
    assert set(values) == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_golden_files_are_what_the_code_gives(name: str, values: dict[str, Any]) -> None:
    written = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    # Through JSON once, which knows no tuples.
    assert written == json.loads(json.dumps(values[name])), AGAIN


def test_sealed_files_are_refused_as_they_were(golden_files: Any) -> None:
    sealing = golden_files("sealing")
    made = _members(sealing.packed(sealing.sealed_files()))
    written = _members((GOLDEN / "sealed.zip.gz").read_bytes())
    assert made.keys() == written.keys(), AGAIN
    # A deflated member differs between versions of zlib.
    assert {name for name in made if made[name] != written[name]} <= {"refused/sealed/deflated"}, AGAIN


def test_both_sides_of_every_refusal_are_there() -> None:
    for name, key in (("view_texts.json", "canonical"), ("json_texts.json", "plain"), ("squares.json", "square")):
        cases = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
        assert {case[key] is None for case in cases} == {True, False}, name
    kinds = {name.rsplit("/", 1)[0] for name in _members((GOLDEN / "sealed.zip.gz").read_bytes())}
    assert kinds == {
        f"{verdict}/{kind}" for verdict in ("accepted", "refused") for kind in ("sealed", "detector", "bundle")
    }


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(gzip.decompress(data))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_complaints_about_altered_graphs_are_what_the_guard_says() -> None:
    spec = importlib.util.spec_from_file_location("golden_graphs", GOLDEN / "graphs" / "make.py")
    assert spec and spec.loader
    graphs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(graphs)
    good = (GOLDEN / "graphs" / "good.tflite").read_bytes()
    cases = json.loads((GOLDEN / "graphs" / "cases.json").read_text(encoding="utf-8"))
    assert cases[0] == {"changes": [], "complaint": None}
    for case in cases:
        altered = graphs.altered(good, case["changes"])
        assert graphs.complaint_of(altered) == case["complaint"], "make them again: tests/golden/graphs/make.py"
