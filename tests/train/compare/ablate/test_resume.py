"""`ablate` of four arms, killed by the system in the middle, goes on to the same table."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w

ROOT = Path(__file__).parents[4]
RECIPE = {
    "title": "Small",
    "data": {"view": "upright|square|resize(32)", "generators": ["camera", "gan-like"]},
    "model": {"width": 0.25, "weights": "none"},
    # Three layers learn, so that a training takes seconds.
    "stages": [{"name": "head", "epochs": 2, "learning_rate": 0.01, "train_from": "head", "features": "cached"}],
    "fit": {"batch_size": 64},
}


@pytest.mark.slow
def test_after_kill_9_the_table_is_the_same(small_manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(RECIPE))
    values = {"augment.flip": [0.5, 0.0], "fit.optimizer": ["adam", "sgd"]}
    grid = {"title": "Four arms", "recipe": "recipe.toml", "seeds": [1], "grid": values}
    (tmp_path / "grid.toml").write_text(tomli_w.dumps(grid))

    def start(out: str) -> "subprocess.Popen[str]":
        arguments = [
            "ablate",
            str(tmp_path / "grid.toml"),
            "--manifest",
            str(small_manifest),
            "--out",
            str(tmp_path / out),
        ]
        return subprocess.Popen(
            [sys.executable, "-c", "import fauxlens; fauxlens.main()", *arguments, "--out", str(tmp_path / out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def finish(out: str) -> list[str]:
        process = start(out)
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        return [line for line in errors.splitlines() if line.startswith("training ")]

    with start("broken") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("training 3/4"):
                break
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "broken" / "ablation.csv").exists()
    # The first two were finished and are not begun again.
    assert [line.split()[1].rstrip(",") for line in finish("broken")] == ["3/4", "4/4"]
    assert len(finish("whole")) == 4
    for kind in ("csv", "md", "tex", "html"):
        one, two = ((tmp_path / out / f"ablation.{kind}").read_bytes() for out in ("broken", "whole"))
        assert one == two
