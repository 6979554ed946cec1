"""How a verb ends: a status and at most one sentence, whatever the environment, the console and the reader are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from train.cli.app import App, VerbEntry, group_of
from train.cli.process import Stopped
from train.cli.terminal import command, verb
from train.common.errors import DataError

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, sys, time
import typer
from train.cli.process import run_app
from train.cli.terminal import print_table, verb
app = typer.Typer()
@app.command()
@verb()
def wait() -> None:
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("cleaned", flush=True)
@app.command()
@verb()
def show() -> None:
    print_table("t", ("name",), [("\\u732b \\x1b[31m\\n",)] * 5000)
    print(os.environ["MPLBACKEND"], os.environ.get("HOME"))
@app.command()
@verb()
def fail() -> None:
    raise AssertionError("line one\\nline two")
@app.command()
@verb()
def die() -> None:
    os._exit(1) if len(sys.argv) > 2 else os.abort()
run_app(app)
"""


def limited(megabytes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same under a limit on memory."""
    words = ["sh", "-c", f'ulimit -v {megabytes * 1024}; exec "$@"', "sh", sys.executable, "-c", PROGRAM, *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, env=env, check=False)


def ended(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command_line = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command_line, stdout=stdout, stderr=subprocess.PIPE, text=True, env=env, check=False)


def end_of(error: BaseException) -> tuple[int, str]:
    app = typer.Typer()

    @app.command()
    @verb(DataError)
    def fail() -> None:
        raise error

    done = CliRunner().invoke(app)
    return done.exit_code, done.stderr.strip()


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (DataError("a\n\x1b[2Jb\u202e"), 2, "a\\n\\x1b[2Jb\\u202e"),
        (OSError(28, "No space left on device", "x.csv"), 2, "The disk is full (x.csv)"),
        (PermissionError(13, "Permission denied", "x.csv"), 2, "x.csv: Permission denied"),
        (OSError(27, "File too large", "x.csv"), 2, "x.csv exceeds the file size limit"),
        (OSError(24, "Too many open files", "typer/x.py"), 2, "Too many files are open: raise the limit (ulimit -n)"),
        (MemoryError(), 2, "There is not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), 2, "There is not enough memory"),
        (ImportError("cannot import name 'x'"), 70, "Internal error of Fauxlens (ImportError"),
        (ModuleNotFoundError("no", name="polars"), 2, "This needs the package polars"),
        (OSError("broken data stream"), 70, "Internal error of Fauxlens (OSError: broken data stream)"),
        (ValueError("a\nb"), 70, "Internal error of Fauxlens (ValueError: a b)"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (typer.Exit(1), 1, ""),
        (Stopped(signal.SIGTERM), 143, "Interrupted."),
    ],
)
def test_every_end_has_a_status_and_one_sentence(error: BaseException, status: int, sentence: str) -> None:
    found, said = end_of(error)
    assert found == status
    assert said.startswith(sentence)
    assert "\n" not in said


def test_a_reader_that_has_gone_is_met_in_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = ended("show", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("word", ["show", "--help"])
def test_output_that_has_no_room_is_no_fault(word: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = ended(word, stdout=full)
    os.close(full)
    assert (done.returncode, done.stderr) == (
        2,
        "The disk is full (while writing): free some space and run the command again.\n",
    )


def test_a_limit_on_the_size_of_files_is_told_with_the_name_and_leaves_nothing(tmp_path: Path) -> None:
    limited = f"ulimit -f 2; exec '{sys.executable}' '{ROOT / 'fauxlens.py'}' data sample made/sample --count 30"
    done = subprocess.run(["sh", "-c", limited], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / 'made' / 'sample'} exceeds the file size limit: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_library_that_ends_the_process_for_want_of_memory_is_met() -> None:
    for died in (limited(4000, "die"), limited(4000, "die", "--debug")):
        assert (died.returncode, died.stderr.count("\n")) == (2, 1)
        assert died.stderr.startswith("There is not enough memory")
    # What ends by itself ends as it does without a limit.
    shown = limited(4000, "show")
    assert (shown.returncode, shown.stdout) == (0, ended("show").stdout)
    assert limited(4000, "fail").returncode == 70
    assert "Traceback" in limited(4000, "fail", "--debug").stderr
    low = limited(500, "show")
    assert (low.returncode, low.stdout) == (2, "")
    assert low.stderr.rstrip().endswith("The limit is 500 MB, and 768 are needed at least.")


def test_a_signal_to_a_process_with_a_limit_cleans_up_too() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["sh", "-c", 'ulimit -v 4000000; exec "$@"', "sh", sys.executable, "-c", PROGRAM, "wait"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == "cleaned\n"
    assert running.returncode == 143


def test_names_that_the_console_has_no_letter_for_are_shown_by_their_codes() -> None:
    done = ended("show", PYTHONIOENCODING="cp1252", MPLBACKEND="module://matplotlib_inline.backend_inline")
    assert done.returncode == 0, done.stderr
    assert "\\u732b \\x1b[31m" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("agg ")


def test_a_fault_shows_its_traceback_only_when_asked() -> None:
    done = ended("fail")
    assert done.returncode == 70
    assert done.stderr.count("\n") == 1
    done = ended("fail", "--debug")
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_every_signal_cleans_up_as_ctrl_c_does(number: signal.Signals, status: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        assert running.stdout.read() == "cleaned\n"
        assert running.stderr.read().startswith("Interrupted.")
    assert running.returncode == status


def test_a_command_is_quoted_for_the_shell() -> None:
    assert command("data", "scan", Path("my set")) == "fauxlens data scan 'my set'"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&- <&-"])
def test_streams_that_are_closed_are_nowhere(tmp_path: Path, closed: str) -> None:
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, str(ROOT / "fauxlens.py")]
    shown = subprocess.run([*words, "recipe", "list"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    wrong = subprocess.run(
        [*words, "data", "split", "no.csv"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == (0 if "2>" in closed else 1)


def test_a_signal_while_a_verb_is_imported_is_told_and_keeps_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "late_verb.py").write_text(
        "import signal\nfrom train.cli.process import Stopped\nraise Stopped(signal.SIGHUP)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    app = App(cls=group_of({"late": VerbEntry("late_verb:late", "Late."), "other": VerbEntry("no:no", "Other.")}))
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["late"])
    assert (done.exit_code, done.stderr.count("\n")) == (129, 1)
    assert done.stderr.startswith("Interrupted.")


def test_ctrl_c_while_the_command_is_loaded_shows_no_traceback(tmp_path: Path) -> None:
    # A module that waits stands in for one that takes its time to load.
    (tmp_path / "typer.py").write_text("import time; print('loading', flush=True); time.sleep(60)")
    words = [sys.executable, str(ROOT / "fauxlens.py"), "recipe", "list"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "loading\n"
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == ""
    assert running.returncode == -signal.SIGINT
