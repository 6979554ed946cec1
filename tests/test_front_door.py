"""The command line as a person or a program meets it: status, one sentence, one JSON document, no traceback."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "tf_keras", "polars", "cv2", "sklearn", "scipy", "matplotlib", "numpy", "PIL", "ai_edge_litert")


def fauxlens(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    command = [sys.executable, str(ROOT / "fauxlens.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a run that went wrong by the user's fault."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_help_names_every_verb_and_loads_nothing_heavy() -> None:
    probe = f"import sys, fauxlens; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
    shown = fauxlens("--help").stdout
    for verb in (
        "demo",
        "data",
        "train",
        "quantize",
        "export",
        "verify",
        "evaluate",
        "compare",
        "detect",
        "ela",
        "explain",
        "doctor",
    ):
        assert f" {verb} " in shown


def test_detect_never_imports_tensorflow(bundle_path: Path, tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')")
    (tmp_path / "tf_keras.py").write_text("raise SystemExit('Keras was imported')")
    _picture(tmp_path / "a.png")
    command = [sys.executable, str(ROOT / "fauxlens.py"), "detect", "a.png", "--model", str(bundle_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "probability of fake" in done.stdout
    with Image.open(tmp_path / "a.png.heatmap.png") as overlay:
        assert overlay.width >= 256


def _picture(path: Path, size: tuple[int, int] = (140, 120)) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def test_detect_json_is_one_document_and_a_bad_picture_stops_nothing(bundle_path: Path, tmp_path: Path) -> None:
    _picture(tmp_path / "good.png")
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = fauxlens("detect", "empty.jpg", "good.png", "--model", bundle_path, "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    bad, good = document["pictures"]
    assert told(done).startswith("empty.jpg")
    assert bad["error"].startswith("empty.jpg")
    assert good["verdict"] in ("real", "fake", "unsure")
    assert 0 <= good["probability"] <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.jpg", "good.png", "good.png.heatmap.png"]


def test_pictures_of_the_same_name_get_an_overlay_each(bundle_path: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        _picture(tmp_path / folder / "a.png")
    done = fauxlens("detect", "one/a.png", "two/a.png", "--model", bundle_path, "--json", cwd=tmp_path)
    overlays = [picture["overlay"] for picture in json.loads(done.stdout)["pictures"]]
    assert len(set(overlays)) == 2
    assert all((tmp_path / overlay).exists() for overlay in overlays)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["detect", "gone.jpg", "--model", "{bundle}"], "gone.jpg"),
        (["detect", "a.png", "--model", "gone.tflite"], "gone.tflite"),
        (["detect", "a.png", "--model", "a.png"], "a.png"),
        (["detect", "a.png", "--model", "{bundle}", "--at", "never"], "never"),
        (["verify", "a.png"], "a.png"),
        (["verify", "{bundle}", "--runtime", "abacus"], "abacus"),
        (["verify", "{bundle}", "--variant", "int3"], "int3"),
        (["data", "scan", "gone"], "gone"),
        (["data", "audit", "gone.csv"], "gone.csv"),
        (["data", "audit", "a.png"], "a.png"),
        (["data", "pack", "{manifest}", "--view", "sideways|resize(96)"], "sideways"),
        (["train", "gone.toml"], "gone.toml"),
        (["quantize", "."], "run folder"),
        (["export", "."], "run folder"),
        (["evaluate", "{bundle}", "gone.csv"], "gone.csv"),
        (["compare", "."], "report.json"),
    ],
)
def test_wrong_input_gets_one_sentence(
    arguments: list[str], words: str, bundle_path: Path, small_manifest: Path, tmp_path: Path
) -> None:
    _picture(tmp_path / "a.png")
    places = {"{bundle}": str(bundle_path), "{manifest}": str(small_manifest)}
    sentence = told(fauxlens(*(places.get(word, word) for word in arguments), cwd=tmp_path))
    assert words in sentence
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ["a.png"]


def test_wrong_usage_is_status_2() -> None:
    for arguments in ((), ("detect",), ("dance",), ("data", "sample", "x", "--count", "1")):
        done = fauxlens(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_the_usual_layout_is_scanned_and_audited(tmp_path: Path) -> None:
    for index in range(12):
        for folder in ("real", "fake/stylegan"):
            path = tmp_path / "faces" / folder / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng((index, len(folder))).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(noise).save(path)
    (tmp_path / "faces" / "real" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    done = fauxlens("data", "scan", "faces", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert sum(row["len"] for row in document["counts"]) == 24
    assert {row["generator"] for row in document["counts"]} == {"camera", "stylegan"}
    assert [one["path"] for one in document["skipped"]] == ["faces/real/broken.jpg"]
    audited = fauxlens("data", "audit", "manifest.csv", "--json", cwd=tmp_path)
    assert audited.returncode in (0, 1)
    assert json.loads(audited.stdout)["passed"] == (audited.returncode == 0)


def test_a_class_without_a_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "faces" / "real").mkdir(parents=True)
    _picture(tmp_path / "faces" / "real" / "a.png")
    sentence = told(fauxlens("data", "scan", "faces", cwd=tmp_path))
    assert "fake" in sentence
    assert not (tmp_path / "manifest.csv").exists()


RECIPE = """
title = "Stopped"
[data]
view = "upright|square|resize(96)"
generators = ["camera", "gan-like"]
[model]
width = 0.25
weights = "none"
[[stages]]
name = "learn"
epochs = {epochs}
learning_rate = 1e-3
train_from = "conv_pw_12"
"""


def test_a_recipe_with_an_unknown_key(small_manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.format(epochs=1) + "colour = 3\n")
    sentence = told(fauxlens("train", "r.toml", "--manifest", small_manifest, cwd=tmp_path))
    assert "colour" in sentence
    assert not (tmp_path / "runs").exists()


def test_weights_that_do_not_fit_leave_no_run(small_manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.format(epochs=1))
    (tmp_path / "w.h5").write_bytes(b"no weights")
    words = ["train", "r.toml", "--manifest", small_manifest, "--weights", "w.h5", "--out", "run"]
    sentence = told(fauxlens(*words, cwd=tmp_path))
    assert "do not fit" in sentence
    assert not (tmp_path / "run").exists()


def test_ctrl_c_leaves_a_run_that_goes_on(small_manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.format(epochs=200))
    words = ["train", "r.toml", "--manifest", str(small_manifest)]
    command = [sys.executable, str(ROOT / "fauxlens.py"), *words]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=tmp_path)
    assert running.stderr is not None
    lines: list[str] = []
    for line in running.stderr:
        lines.append(line)
        if "epoch 2:" in line:
            running.send_signal(signal.SIGINT)
            break
    lines += running.stderr.readlines()
    assert running.wait() == 130
    assert "Interrupted." in lines[-1]
    assert not any("Traceback" in line for line in lines)
    checkpoints = tmp_path / "runs" / "r" / "checkpoints"
    history = json.loads((checkpoints / "progress.json").read_text())["history"]
    assert len(history) >= 2
    assert not (tmp_path / "runs" / "r" / "weights.h5").exists()
    # The locks under which stores are packed and runs are trained stay in their folders.
    left = [path.name for path in tmp_path.rglob(".*")]
    assert left == [".lock", ".lock"], "something half-written stayed behind"


def test_a_full_disk_is_told_in_one_sentence(bundle_path: Path, tmp_path: Path) -> None:
    # A real ENOSPC: the overlay's folder is a file system of 16 KB where that can be mounted.
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        _picture(tmp_path / "a.png")
        done = fauxlens("detect", tmp_path / "a.png", "--model", bundle_path, "--out", place)
        assert "disk is full" in told(done)
        assert not list(place.iterdir())
    finally:
        subprocess.run(["umount", str(place)], check=True)
