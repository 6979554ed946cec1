"""Every example of docs/python-api.md, run as it stands; and what importing Fauxlens costs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import fauxlens
from train.common.errors import DataError, ExportError

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "export" / "shipped" / "bundle.zip"
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8"), re.DOTALL)
# These score a whole bundle or manifest.
LONG = [one for one in EXAMPLES if "fauxlens.verify(" in one or "fauxlens.evaluate(" in one]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the examples name."""
    Image.fromarray(_noise((200, 180))).save(tmp_path / "photo.jpg", quality=90)
    shutil.copy(SHIPPED, tmp_path / "bundle.zip")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _noise(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def _run(code: str) -> None:
    exec(compile(code, "docs/python-api.md", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("code", [one for one in EXAMPLES if one not in LONG])
def test_examples(code: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(code)
    assert capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("code", LONG)
def test_long_examples(code: str, folder: Path, small_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from train.data.manifest import Manifest, moved, read_manifest, write_manifest

    # Drawn portraits are large in their frame; the shipped detector asks where eyes are.
    eyes = {"faces": pl.lit(1), "eye_x": pl.lit(48.0), "eye_y": pl.lit(40.0), "eye_distance": pl.lit(30.0)}
    manifest = read_manifest(small_manifest)
    manifest = Manifest(
        manifest.frame.with_columns(**eyes).with_columns(pl.col("faces").cast(pl.Int64)), manifest.folder
    )
    write_manifest(moved(manifest, folder), folder / "manifest.csv")
    _run(code)
    assert capsys.readouterr().out


def test_there_are_examples_of_everything() -> None:
    text = "".join(EXAMPLES)
    assert len(EXAMPLES) >= 6
    for name in ("open_detector", "evaluate", "metrics", "verify"):
        assert name in fauxlens.__all__
        assert f"fauxlens.{name}(" in text


def test_importing_loads_nothing_heavy() -> None:
    probe = (
        "import sys, fauxlens; a = [m for m in ('numpy', 'PIL') if m in sys.modules]\n"
        "fauxlens.open_detector; print(a, 'tensorflow' in sys.modules, 'polars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[] False False"


def test_a_path_bytes_and_pixels_of_one_picture_are_told_alike(folder: Path) -> None:
    Image.fromarray(_noise((200, 180))).save("same.png")
    detector = fauxlens.open_detector(SHIPPED)
    told = [detector.detect(one) for one in ("same.png", Path("same.png").read_bytes(), _noise((200, 180)))]
    assert len({one.probability for one in told}) == 1
    assert len({one.label for one in told}) == 1
    assert told[0].evidence
    assert not told[2].evidence
    views = np.stack([detector.view("same.png")])
    assert detector.scores(views)[0] == np.float32(told[0].probability)
    assert detector.scores(views[:0]).shape == (0,)


def test_wrong_arguments_get_a_sentence(folder: Path) -> None:
    detector = fauxlens.open_detector(SHIPPED)
    with pytest.raises(DataError, match=r"uint8 \[N, \d+, \d+, 3\]"):
        detector.scores(np.zeros((1, 8, 8, 3), np.float32))
    with pytest.raises(DataError, match=r"uint8 \[H, W, 3\]"):
        detector.detect(np.zeros((8, 8), np.uint8))
    with pytest.raises(ExportError, match="never"):
        detector.detect("photo.jpg", at="never")
    with pytest.raises(ExportError, match="abacus"):
        fauxlens.verify(SHIPPED, runtime="abacus")
    with pytest.raises(AttributeError, match="python-api"):
        fauxlens.nothing  # noqa: B018
