"""The page of the shipped detector, end to end in a real Chromium, and the report that its self-test gives."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from export.artifacts.bundle import read_bundle, write_bundle
from export.artifacts.description import to_json
from export.artifacts.seal import read_sealed, write_sealed
from export.inference.detect_files import SHIPPED
from export.inference.detector import Detector, open_detector
from export.inference.judge import judge
from export.parity.verify import verify
from export.runtimes.browser import runtime_missing
from export.runtimes.self_test_runtime import shared_self_test
from export.web.serve import serving
from train.image.decode import decode

GOLDEN = Path(__file__).parents[2] / "golden"
FACES_VIEW = "upright|face(4)|resize(128)"
SCRIPT = Path(__file__).parent / "page.test.mjs"


@pytest.fixture(autouse=True)
def _set_up() -> None:
    if (reason := runtime_missing()) is not None:
        pytest.skip(reason)


@pytest.fixture
def faces_bundle(tmp_path: Path) -> Path:
    """The shipped detector with a view of faces: what it then says means nothing, but must be the same everywhere."""
    opened = read_bundle(SHIPPED)
    sealed, description = opened.variants[opened.default], opened.descriptions[opened.default]
    model, members = read_sealed(sealed, "it")
    changed = to_json(replace(description, view=FACES_VIEW)).encode()
    variants = {opened.default: write_sealed(members | {"fauxlens.json": changed}, prefix=model)}
    path = tmp_path / "faces.zip"
    write_bundle(
        path,
        variants=variants,
        default=opened.default,
        card=opened.card,
        references=opened.references,
        tolerances=opened.tolerances,
    )
    return path


def expected_faces(bundle: Path) -> list[dict[str, object]]:
    """What Python says of every face in the golden pictures."""
    detector = open_detector(bundle)
    files = [*sorted((GOLDEN / "pictures").iterdir()), GOLDEN / "face_finder" / "group.png"]
    return [{"file": path.relative_to(GOLDEN).as_posix()} | _judged(detector, path) for path in files]


def _judged(detector: Detector, path: Path) -> dict[str, object]:
    judged = judge(detector, decode(path), path.name)
    faces = [[face.number, face.verdict.probability, face.verdict.label] for face in judged.faces if face.verdict]
    small = [face.number for face in judged.faces if not face.verdict]
    return {"faces": faces, "small": small, "found": judged.face_found}


@pytest.mark.slow
def test_page_in_chromium(page_parts: Path, chromium: str, tmp_path: Path, faces_bundle: Path) -> None:
    (tmp_path / "faces.json").write_text(json.dumps(expected_faces(faces_bundle)))
    with serving(SHIPPED) as page, serving(faces_bundle) as faces_page:
        environment = {
            "FAUXLENS_FACES_PAGE": faces_page,
            "FAUXLENS_FACES": str(tmp_path / "faces.json"),
            "FAUXLENS_PAGE": page,
            "FAUXLENS_CHROMIUM": chromium,
            "FAUXLENS_PARTS": str(page_parts),
            "FAUXLENS_OUT": os.environ.get("FAUXLENS_SCREENSHOTS") or str(tmp_path),
        }
        ran = subprocess.run(
            [str(shutil.which("node")), "--test", str(SCRIPT)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "# pass 0" not in ran.stdout
    # Parity judges the bits that the page told, not its own word.
    opened = read_bundle(SHIPPED)
    told = shared_self_test(Path(environment["FAUXLENS_OUT"]) / "self-test.json", SHIPPED)
    assert verify(opened, variant=opened.default, runtime=told).passed
