"""One process at a time works in a folder, and what a killed one left does not stay."""

from pathlib import Path

import pytest

from train.common.atomic import remove_unfinished, write_text
from train.common.locks import FOLDER_LOCK, alone_in, holds_anything


class BusyError(Exception):
    """What a test wants to be told."""


def test_only_one_works_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    with alone_in(folder, BusyError()) as held:
        assert held
        (folder / "result").touch()
        with pytest.raises(BusyError), alone_in(folder, BusyError()):
            pytest.fail("two at once")
        # The refused one has taken nothing away.
        assert {path.name for path in folder.iterdir()} == {"result", FOLDER_LOCK}
    with alone_in(folder, BusyError()):
        pass


def test_a_folder_in_which_nothing_was_made_is_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path / "new" / "run", BusyError()):
        raise ZeroDivisionError
    assert not any(tmp_path.iterdir())
    with alone_in(tmp_path, BusyError()):
        pass
    assert not any(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are those that a real writer gives: one is stopped that cannot remove its temporary file."""

    def stop(*_: object) -> None:
        raise BusyError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(BusyError):
            write_text(tmp_path / "report" / "a.b.json", "whole")
    (left,) = (tmp_path / "report").iterdir()
    for name in ("mine.part.txt", ".mine.part", ".notes.partial", ".a.short.part", "b.json"):
        (tmp_path / name).touch()
    assert not holds_anything(tmp_path / "report")
    remove_unfinished(tmp_path)
    assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        "report", "mine.part.txt", ".mine.part", ".notes.partial", ".a.short.part", "b.json"
    }  # fmt: skip
