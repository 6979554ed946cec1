"""`data audit --pixels` looks at what is as it was scanned, and names the rest."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import fauxlens
from train.data.cards.reader import usual_layout
from train.data.manifest import write_manifest
from train.data.scan.scan import scan


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for kind in ("real", "fake"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (80, 80, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / kind / f"{number}.png")
    found, _ = scan(tmp_path / "set", usual_layout(), manifest_path=tmp_path / "m.csv", workers=1)
    write_manifest(found, tmp_path / "m.csv")
    return tmp_path / "m.csv"


def audit(manifest: Path) -> Result:
    words = ["data", "audit", str(manifest), "--pixels", "--json", "--limit", "null_auc=none"]
    return CliRunner().invoke(fauxlens.app, words)


def test_damaged_changed_and_missing_pictures_stop_no_search(manifest: Path) -> None:
    real = manifest.parent / "set" / "real"
    (real / "0.png").write_bytes((real / "0.png").read_bytes()[:200])
    Image.new("RGB", (9, 9)).save(real / "1.png")
    (real / "2.png").unlink()
    done = audit(manifest)
    assert done.exit_code in (0, 1), done.output
    skipped = {one["path"]: one["reason"] for one in json.loads(done.stdout)["skipped"]}
    assert set(skipped) == {f"set/real/{number}.png" for number in range(3)}
    assert all(reason.endswith("Its pixels were not checked.") for reason in skipped.values())
    assert "has changed since the scan" in skipped["set/real/1.png"]


def test_where_all_have_changed_it_is_told(manifest: Path) -> None:
    for path in manifest.parent.glob("set/*/*.png"):
        path.write_bytes(b"")
    done = audit(manifest)
    assert done.exit_code == 2
    assert "No picture of the manifest is as it was scanned: scan again." in done.output
