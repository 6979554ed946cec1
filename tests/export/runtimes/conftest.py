"""What the tests of runtimes share: a machine that has nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

Put = Callable[..., None]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no assets set up and a PATH that holds nothing but what a test puts there."""
    monkeypatch.setenv("FAUXLENS_RUNTIMES", str(tmp_path / "assets"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


@pytest.fixture
def put(bare: Path) -> Put:
    """Puts a shell script of a name on the bare machine's PATH; without another text it does nothing, well."""

    def put_script(name: str, script: str = "exit 0") -> None:
        path = bare / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put_script
