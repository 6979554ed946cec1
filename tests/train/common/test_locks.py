"""One process at a time works in a folder, and what a killed one left does not stay."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from train.common import locks
from train.common.atomic import public_mode, remove_unfinished, write_text
from train.common.locks import FOLDER_LOCK, alone_in, alone_with_part, filled_folder, hold, holds_anything

ROOT = Path(__file__).parents[3]


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


def test_a_lock_whose_work_fails_before_anything_is_made_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "study" / ".study.lock"
    with pytest.raises(KeyboardInterrupt), hold(path):
        raise KeyboardInterrupt
    assert not any(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), hold(path) as held:
        assert held
        with hold(path, wait=0) as second:
            assert not second
        path.with_name("run").mkdir()
        raise KeyboardInterrupt
    assert {one.name for one in path.parent.iterdir()} == {"run", ".study.lock"}


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


FILLED = """
import os, signal, sys
from pathlib import Path
from train.common.locks import filled_folder
with filled_folder(Path(sys.argv[1])) as inside:
    (inside / "half").touch()
    if sys.argv[2:]:
        os.kill(os.getpid(), signal.SIGKILL)
    print("filling", flush=True)
    sys.stdin.read()
"""


def test_a_folder_appears_when_it_is_full_and_an_error_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "new" / "site"
    with pytest.raises(OSError, match="No space") as caught, filled_folder(target) as inside:
        (inside / "half").touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(target)
    assert not list(tmp_path.iterdir())
    for text in ("first", "second"):
        with filled_folder(target) as inside:
            (inside / text).touch()
        assert [one.name for one in target.iterdir()] == [text]
        assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == public_mode(folder=True)


def test_what_a_killed_process_was_filling_goes_and_what_a_live_one_fills_stays(tmp_path: Path) -> None:
    target = tmp_path / "a[1]"
    command = [sys.executable, "-c", FILLED, str(target)]
    subprocess.run([*command, "die"], check=False, cwd=ROOT)
    (dead,) = tmp_path.iterdir()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as alive:
        assert alive.stdout is not None
        assert alive.stdout.readline() == "filling\n"
        (filling,) = tmp_path.iterdir()
        assert filling != dead
        with filled_folder(target):
            pass
        assert set(tmp_path.iterdir()) == {filling, target}
        alive.communicate("")
    assert alive.returncode == 0
    assert [one.name for one in target.iterdir()] == ["half"]
    assert list(tmp_path.iterdir()) == [target]


def test_parts_of_a_folder_are_worked_on_at_once_but_none_twice_and_none_beside_the_whole(tmp_path: Path) -> None:
    folder, one, two = tmp_path / "out", "m.part-1-of-2", "m.part-2-of-2"
    with alone_with_part(folder, one, BusyError()):
        left = folder / ".a.abcdefgh.part"
        left.touch()
        with alone_with_part(folder, two, BusyError()):
            # It may be what the first is writing now.
            assert left.exists()
            (folder / "result").touch()
        with pytest.raises(BusyError), alone_with_part(folder, one, BusyError()):
            pytest.fail("one part twice")
        with pytest.raises(BusyError), alone_in(folder, BusyError()):
            pytest.fail("the whole beside a part")
    with alone_with_part(folder, one, BusyError()):
        assert not left.exists()
    with alone_in(folder, BusyError()):
        pass
    assert (folder / "result").exists()


def test_no_part_begins_while_the_whole_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_BEGINNING", 0.0)
    with (
        alone_in(tmp_path / "out", BusyError()),
        pytest.raises(BusyError),
        alone_with_part(tmp_path / "out", "m.part-1-of-2", BusyError()),
    ):
        pytest.fail("two at once")


def test_a_part_in_which_nothing_was_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone_with_part(tmp_path / "new", "m.part-1-of-2", BusyError()):
        raise ZeroDivisionError
    assert not any(tmp_path.iterdir())
