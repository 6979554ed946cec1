"""`fauxlens ela` as a person or a program meets it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ela.reference import error_level_picture
from ela.setting import Ela
from export.artifacts.description import OPERATING_POINTS, CalibrationNote, Description, to_json
from export.artifacts.metadata import DESCRIPTION_FILE, LABELS_FILE
from export.artifacts.seal import write_sealed
from fauxlens import app
from train.evaluate.decision import Decision
from train.image.decode import decode
from train.image.view import apply_view, parse_view

ROOT = Path(__file__).parents[3]
# What the base installation does without.
OPTIONAL = ("tensorflow", "tf_keras", "polars", "cv2", "sklearn", "scipy", "matplotlib", "faiss", "jinja2")


def fauxlens_ela(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["ela", *map(str, arguments)])


def told(result: Result) -> str:
    """The one sentence of a run that went wrong by the user's fault."""
    assert result.exit_code == 2, result.output
    (sentence,) = result.stderr.splitlines()
    return sentence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three noisy pictures, one of them deeper down."""
    for seed, name in enumerate(("b.png", "a.jpg", "sub/c.jpg")):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(100, 140, (60, 90, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def detector(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a detector file of a front end; there is no model in it, for this verb runs none."""

    def write(front_end: str) -> Path:
        description = Description(
            name="named",
            variant="float32",
            view="upright|square|resize(48)",
            unclear_faces="drop",
            front_end=front_end,
            size=48,
            heatmap=(3, 3),
            operating_points=dict.fromkeys(OPERATING_POINTS, Decision(0.5, 0.375)),
            calibration=CalibrationNote(1.0, 0.0),
            seen=(("checker", "drawn"),),
            training_sha256="0" * 64,
            created_by={"fauxlens": "0.1.0"},
        )
        members = {LABELS_FILE: b"real\nfake\n", DESCRIPTION_FILE: to_json(description).encode()}
        path = tmp_path / "named.tflite"
        path.write_bytes(write_sealed(members, prefix=b"\0\0\0\0TFL3" + bytes(64)))
        return path

    return write


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_pictures_are_written_beside_the_originals_and_told(folder: Path) -> None:
    result = fauxlens_ela(folder)
    assert result.exit_code == 0, result.output
    made = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.ela.png"))
    assert made == ["a.jpg.ela.png", "b.png.ela.png", "sub/c.jpg.ela.png"]
    lines = result.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == [str(folder / name) for name in ("a.jpg", "b.png", "sub/c.jpg")]
    assert all("gain" in line and line.split(": ")[1].split(" (")[0].endswith(".ela.png") for line in lines)
    np.testing.assert_array_equal(
        drawn(folder / "b.png.ela.png"), error_level_picture(decode(folder / "b.png").pixels, Ela())
    )


def test_a_second_run_draws_the_originals_again_and_nothing_else(folder: Path) -> None:
    first = fauxlens_ela(folder)
    second = fauxlens_ela(folder, folder / "a.jpg.ela.png")
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert len(list(folder.rglob("*.png"))) == 4
    assert drawn(folder / "a.jpg.ela.png").shape == (60, 90, 3)


def test_a_picture_of_somebody_else_is_kept(folder: Path) -> None:
    yours, ours = folder / "a.jpg.ela.png", folder / "a.jpg.1.ela.png"
    yours.write_bytes((folder / "b.png").read_bytes())
    for _ in range(2):
        result = fauxlens_ela(folder / "a.jpg")
        assert result.exit_code == 0
        sentence = f"{yours} is there already and does not say that Fauxlens drew it: {ours} is written instead."
        assert result.stderr.splitlines() == [sentence]
        assert result.stdout.startswith(f"{folder / 'a.jpg'}: {ours} (")
    assert yours.read_bytes() == (folder / "b.png").read_bytes()
    assert drawn(ours).shape == (60, 90, 3)


def test_json_is_one_document(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.jpg").touch()
    options = ["--out", tmp_path / "out", "--quality", "75", "--sampling", "444", "--gain", "20", "--json"]
    result = fauxlens_ela(folder, *options)
    assert told(result).startswith(str(folder / "empty.jpg"))
    document = json.loads(result.stdout)
    pictures = document.pop("pictures")
    assert document == {"quality": 75, "sampling": "444", "gain": 20}
    assert [Path(one["path"]).relative_to(folder).as_posix() for one in pictures] == [
        "a.jpg",
        "b.png",
        "empty.jpg",
        "sub/c.jpg",
    ]
    bad = pictures.pop(2)
    assert bad["error"].startswith(str(folder / "empty.jpg"))
    for one in pictures:
        pixels = decode(Path(one["path"])).pixels
        np.testing.assert_array_equal(drawn(Path(one["ela"])), error_level_picture(pixels, Ela(75, "444"), gain=20))
        levels = error_level_picture(pixels, Ela(75, "444"), gain=1)
        assert (one["gain"], one["max_level"], one["width"], one["height"]) == (20, levels.max(), 90, 60)
        assert one["mean_level"] == pytest.approx(levels.mean())
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")) == [
        "a.jpg.ela.png",
        "b.png.ela.png",
        "sub/c.jpg.ela.png",
    ]


def test_bad_pictures_do_not_stop_the_others(folder: Path) -> None:
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:500])
    result = fauxlens_ela(folder / "gone.jpg", folder)
    assert result.exit_code == 2
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        str(folder / "gone.jpg"),
        str(folder / "cut.jpg"),
    ]
    assert len(result.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    "options, words",
    [
        (["--quality", "0"], "quality 0 is out of range: give a whole number from 1 to 100"),
        (["--quality", "101"], "quality 101 is out of range: give a whole number from 1 to 100"),
        (["--sampling", "422"], "'422' is not known: give 420 or 444"),
        (["--gain", "0"], "x0 is out of range: give x1 to x255"),
        (["--gain", "256"], "x256 is out of range: give x1 to x255"),
        (["--gain", "much"], "'much' is not known: give auto or a whole number from 1 to 255"),
        (["--gain", "-3"], "'-3' is not known"),
        (["--gain", "1.5"], "'1.5' is not known"),
        (["--model", "{folder}/a.jpg"], "a.jpg"),
        (["--model", "gone.tflite"], "gone.tflite"),
        (["--model", "gone.tflite", "--gain", "auto"], "--model"),
        (["--out", "{folder}/a.jpg"], "a.jpg"),
    ],
)
def test_wrong_input_gets_one_sentence_and_draws_nothing(options: list[str], words: str, folder: Path) -> None:
    sentence = told(fauxlens_ela(folder, *(option.replace("{folder}", str(folder)) for option in options)))
    assert words in sentence
    assert not list(folder.rglob("*.ela.png"))


def test_two_pictures_do_not_go_to_one_file(folder: Path, tmp_path: Path) -> None:
    (folder / "sub" / "a.jpg").write_bytes((folder / "a.jpg").read_bytes())
    sentence = told(fauxlens_ela(folder / "a.jpg", folder / "sub", "--out", tmp_path / "out"))
    assert "would both be written to" in sentence
    assert not (tmp_path / "out").exists()


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    assert str(tmp_path) in told(fauxlens_ela(tmp_path))


@pytest.mark.parametrize("quality, gain", [(90, 15), (70, 3)])
def test_what_a_detector_looks_at(
    quality: int, gain: int, folder: Path, detector: Callable[[str], Path], tmp_path: Path
) -> None:
    path = detector(f"rgb+ela({quality},420,x{gain})")
    result = fauxlens_ela(folder / "b.png", "--model", path, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["detector"] == str(path)
    assert document["planes"] == ["rgb", f"ela({quality},420,x{gain})"]
    (picture,) = document["pictures"]
    assert (picture["width"], picture["height"]) == (96, 48)
    view = apply_view(parse_view("upright|square|resize(48)"), decode(folder / "b.png"))
    level = error_level_picture(view, Ela(quality), gain=gain)
    np.testing.assert_array_equal(drawn(Path(picture["ela"])), np.concatenate([view, level], axis=1))


@pytest.mark.parametrize(
    "front_end, words", [("rgb", "no planes to draw"), ("fft", "'fft' is not known: give one of rgb")]
)
def test_a_detector_without_planes_is_told(
    front_end: str, words: str, folder: Path, detector: Callable[[str], Path]
) -> None:
    sentence = told(fauxlens_ela(folder, "--model", detector(front_end)))
    assert words in sentence
    assert "named.tflite" in sentence
    assert not list(folder.rglob("*.ela.png"))


def test_the_base_installation_is_enough(folder: Path, tmp_path: Path, detector: Callable[[str], Path]) -> None:
    for name in OPTIONAL:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for model in ([], ["--model", str(detector("npr"))]):
        command = [sys.executable, str(ROOT / "fauxlens.py"), "ela", str(folder), *model]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_is_not_utf8_is_drawn(folder: Path) -> None:
    name = os.fsencode(folder) + b"/\xff.jpg"
    try:
        Path(os.fsdecode(name)).write_bytes((folder / "a.jpg").read_bytes())
    except OSError:
        pytest.skip("this file system refuses such names")
    command = [sys.executable, str(ROOT / "fauxlens.py"), "ela", os.fsdecode(name)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONUTF8": "1"}, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\udcff.jpg" in done.stdout
    assert Path(os.fsdecode(name + b".ela.png")).exists()


def test_ctrl_c_leaves_whole_pictures_only(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "00.jpg")
    for number in range(1, 60):
        (tmp_path / f"{number:02}.jpg").write_bytes((tmp_path / "00.jpg").read_bytes())
    command = [sys.executable, str(ROOT / "fauxlens.py"), "ela", str(tmp_path)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while running.poll() is None and len(list(tmp_path.glob("*.ela.png"))) < 6:
        os.sched_yield()
    # As a terminal does: to the command and its helpers.
    os.killpg(running.pid, signal.SIGINT)
    output, sentence = running.communicate()
    assert (running.returncode, output) == (130, "")
    assert sentence.startswith("Interrupted.")
    assert sentence.count("\n") == 1
    made = [path for path in tmp_path.iterdir() if path.suffix == ".png"]
    assert 6 <= len(made) < 60
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert all(drawn(path).shape == (1000, 1000, 3) for path in made)
