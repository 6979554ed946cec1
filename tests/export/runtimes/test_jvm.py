"""LiteRT's C library on the JVM gives LiteRT's own bits; its assets are made whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from export.artifacts.metadata import read_description
from export.runtimes import jvm
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny
    from tests.export.runtimes.conftest import Put


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


def test_what_is_missing_is_said_in_one_sentence(put: Put, bare: Path, tiny: Tiny) -> None:
    reason = jvm.missing()
    assert reason is not None
    assert "apt-get install openjdk-17-jdk-headless maven" in reason
    put("java", "exit 1")
    reason = jvm.missing()
    assert reason is not None
    assert reason.endswith("run `fauxlens doctor --set-up jvm`.")
    with pytest.raises(RuntimeAbsentError, match="doctor --set-up jvm"):
        RUNTIMES["jvm"].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


@pytest.mark.parametrize(
    ("maven", "sentence"),
    [
        (None, "needs mvn to be set up, which is not installed: apt-get install"),
        ("echo '[ERROR] no such host'; echo '[ERROR] Help'; exit 1", r"^Maven failed \(\[ERROR\] no such host\);"),
        ("exit 0", "is not the expected jar"),
        # The last argument is -DoutputDirectory=FOLDER.
        (
            'for last; do :; done; /bin/mkdir "${last#*=}"; echo jar > "${last#*=}/jna.jar"',
            "is not the expected jar",
        ),
    ],
)
def test_a_set_up_that_fails_leaves_nothing(put: Put, bare: Path, maven: str | None, sentence: str) -> None:
    put("javac", "exit 1")
    if maven is not None:
        put("mvn", maven)
    with pytest.raises(ExportError, match=sentence):
        jvm.set_up(lambda line: None)
    assert list(bare.glob("assets/*")) + list(bare.glob("assets/.*")) == []


def test_all_sources_are_ingredients() -> None:
    sources = sorted(Path(jvm.__file__).parents[2].glob("android_demo/jvm/src/main/java/fauxlens/litert/*.java"))
    assert len(sources) >= 4
    assert {path.read_text() for path in sources} <= set(jvm.INGREDIENTS)
    assert not [path.name for path in sources if "import android" in path.read_text()]
