"""What the verbs that open detectors, bundles and runs say to what they cannot use: one sentence, exit status 2."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from export.artifacts.metadata import attach
from export.artifacts.seal import write_sealed

if TYPE_CHECKING:
    from tests.export.conftest import Describe, Tiny

ROOT = Path(__file__).parents[2]


def told(*arguments: object) -> str:
    """The one sentence of a verb that was given something it cannot use."""
    command = [sys.executable, str(ROOT / "fauxlens.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in lines[0]
    return lines[0]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path)
    return path


def one_byte_changed(tiny: Tiny) -> bytes:
    data = bytearray(tiny.bundle_bytes)
    data[len(data) // 2] ^= 4
    return bytes(data)


def cut(tiny: Tiny) -> bytes:
    return tiny.bundle_bytes[: len(tiny.bundle_bytes) // 2]


def not_ours(tiny: Tiny) -> bytes:
    return tiny.raw["float32"]


def truncated_flatbuffer(tiny: Tiny) -> bytes:
    return tiny.sealed["float32"][:3000]


def truncated_but_sealed(tiny: Tiny) -> bytes:
    """By one who knows the format: LiteRT itself may crash on such a file."""
    from export.artifacts.description import to_json
    from export.artifacts.metadata import read_description

    members = {
        "labels.txt": b"real\nfake\n",
        "fauxlens.json": to_json(read_description(tiny.sealed["float32"])).encode(),
    }
    return write_sealed(members, prefix=b"\x1c\0\0\0TFL3" + bytes(200))


def no_model(tiny: Tiny) -> bytes:
    return b"GIF89a" + bytes(500)


def empty(tiny: Tiny) -> bytes:
    return b""


def climbing(tiny: Tiny) -> bytes:
    return write_sealed({"bundle.json": b"{}", "../../evil": b"x"})


def unsealed_zip(tiny: Tiny) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("/etc/evil", b"\0" * 1_000_000)
    return target.getvalue()


BAD: list[tuple[Callable[[Tiny], bytes], str]] = [
    (one_byte_changed, "damaged"),
    (cut, "truncated"),
    (not_ours, "not made by Fauxlens"),
    (truncated_flatbuffer, "truncated"),
    (truncated_but_sealed, "damaged|refuses|no graph"),
    (no_model, "not a TFLite model|checksum"),
    (empty, "not a TFLite model|checksum"),
    (climbing, "unsafe"),
    (unsealed_zip, "checksum"),
]


@pytest.mark.parametrize(("make", "words"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_detect_refuses_bad_detectors(
    tiny: Tiny, picture: Path, tmp_path: Path, make: Callable[[Tiny], bytes], words: str
) -> None:
    import re

    path = tmp_path / "given"
    path.write_bytes(make(tiny))
    said = told("detect", picture, "--model", path, "--out", tmp_path)
    assert re.search(words, said)
    assert str(path) in said
    assert sorted(tmp_path.iterdir()) == [picture, path]


@pytest.mark.parametrize("make", [one_byte_changed, not_ours, climbing], ids=lambda make: make.__name__)
def test_verify_refuses_bad_bundles(tiny: Tiny, tmp_path: Path, make: Callable[[Tiny], bytes]) -> None:
    path = tmp_path / "given.zip"
    path.write_bytes(make(tiny))
    assert str(path) in told("verify", path)
    assert list(tmp_path.iterdir()) == [path]


def test_verify_refuses_a_variant_that_is_not_there(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(tiny.bundle_bytes)
    assert "float32, ptq-int8" in told("verify", path, "--variant", "float16")
    assert "not a run folder" in told("verify", path, "--layers", tmp_path)


def test_a_detector_of_another_version_or_view_is_refused(
    tiny: Tiny, describe: Describe, picture: Path, tmp_path: Path
) -> None:
    path = tmp_path / "d.tflite"
    other = describe(view="upright|square|resize(64)")
    path.write_bytes(attach(tiny.raw["float32"], other))
    assert "size 32 but its view is" in told("detect", picture, "--model", path)
    newer = attach(tiny.raw["float32"], describe())
    body = newer[: newer.index(b"PK\x03\x04")]
    from export.artifacts.seal import read_sealed

    _, members = read_sealed(newer, "d")
    members["fauxlens.json"] = json.dumps(json.loads(members["fauxlens.json"]) | {"format": 3}).encode()
    path.write_bytes(write_sealed(members, prefix=body))
    assert "newer Fauxlens" in told("detect", picture, "--model", path)


def damage_json(folder: Path) -> None:
    (folder / "run.json").write_text('{"manifest": ')


def forget_recipe(folder: Path) -> None:
    (folder / "recipe.toml").unlink()


def edit_recipe(folder: Path) -> None:
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe.read_text() + "\n# mine\n")


def nothing(folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (damage_json, "damaged"),
        (forget_recipe, "not a run folder"),
        (edit_recipe, "was changed after the run started"),
        (nothing, "has no finished float state"),
    ],
)
@pytest.mark.parametrize("verb", ["export", "quantize"])
def test_unfinished_and_damaged_runs_are_refused(
    half_a_run: Path, verb: str, harm: Callable[[Path], None], words: str
) -> None:
    harm(half_a_run)
    assert words in told(verb, half_a_run)
    assert not (half_a_run / "export").exists()


@pytest.fixture
def half_a_run(tmp_path: Path) -> Path:
    """A run that was set up and stopped before its first epoch."""
    from train.data.manifest import SCHEMA, Manifest, write_manifest
    from train.fit.run_folder import start_run
    from train.recipe import parse_recipe

    table = {
        "title": "half",
        "data": {"view": "upright|square|resize(32)", "generators": ["camera"]},
        "model": {"width": 0.25, "weights": "none"},
        "stages": [{"name": "learn", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
    }
    import polars as pl

    manifest = Manifest(pl.DataFrame(schema={name: kind() for name, kind in SCHEMA.items()}), tmp_path)
    write_manifest(manifest, tmp_path / "manifest.csv")
    start_run(tmp_path / "run", parse_recipe(table, "test"), tmp_path / "manifest.csv", manifest)
    return tmp_path / "run"
