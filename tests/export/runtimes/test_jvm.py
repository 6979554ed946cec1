"""LiteRT's C library on the JVM gives LiteRT's own bits; its parts are made whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from export.errors import ExportError
from export.metadata import read_description
from export.runtimes import jvm
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.table import RUNTIMES

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


@pytest.fixture
def _set_up() -> None:
    if (reason := jvm.missing()) is not None:
        pytest.skip(reason)


@pytest.mark.usefixtures("_set_up")
def test_a_model_that_litert_refuses_is_one_sentence(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    description = read_description(tiny.sealed["ptq-int8"])
    for module in ("jvm", "process"):
        monkeypatch.setattr(f"export.runtimes.{module}.read_description", lambda _: description)
    nonsense = b"\x1c\0\0\0TFL3" + bytes(3000)
    with pytest.raises(ExportError, match=r"its last line was: LiteRT refuses .* with status \d+ of litert_common\.h;"):
        jvm.run(nonsense, tiny.bundle.references.views)


def test_a_damaged_file_is_refused_first(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jvm, "missing", lambda: "must not be asked")
    with pytest.raises(ExportError, match="damaged"):
        jvm.run(tiny.sealed["ptq-int8"][:-1] + b"x", tiny.bundle.references.views)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no parts set up and a PATH that holds nothing but what a test puts there."""
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "parts"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_what_is_missing_is_said_in_one_sentence(bare: Path, tiny: Tiny) -> None:
    reason = jvm.missing()
    assert reason is not None
    assert "apt-get install openjdk-17-jdk-headless maven" in reason
    put(bare, "java", "exit 1")
    reason = jvm.missing()
    assert reason is not None
    assert reason.endswith("run `fauxlens doctor --set-up jvm`.")
    with pytest.raises(RuntimeAbsentError, match="doctor --set-up jvm"):
        RUNTIMES["jvm"].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


@pytest.mark.parametrize(
    ("maven", "sentence"),
    [
        (None, "needs mvn to be set up, which is not here: apt-get install"),
        ("echo '[ERROR] no such host'; echo '[ERROR] Help'; exit 1", r"^Maven failed \(\[ERROR\] no such host\);"),
        ("exit 0", "is not the jar it should be"),
        # The last argument is -DoutputDirectory=FOLDER.
        (
            'for last; do :; done; /bin/mkdir "${last#*=}"; echo jar > "${last#*=}/jna.jar"',
            "is not the jar it should be",
        ),
    ],
)
def test_a_set_up_that_fails_leaves_nothing(bare: Path, maven: str | None, sentence: str) -> None:
    put(bare, "javac", "exit 1")
    if maven is not None:
        put(bare, "mvn", maven)
    with pytest.raises(ExportError, match=sentence):
        jvm.set_up(lambda line: None)
    assert list(bare.glob("parts/*")) + list(bare.glob("parts/.*")) == []


def test_all_sources_are_ingredients() -> None:
    sources = sorted(Path(jvm.__file__).parents[2].glob("android_demo/jvm/src/main/java/**/*.java"))
    assert len(sources) >= 4
    assert {path.read_text() for path in sources} <= set(jvm.INGREDIENTS)
    assert not [path.name for path in sources if "import android" in path.read_text()]
