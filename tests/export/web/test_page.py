"""The page of the shipped detector, end to end in a real Chromium, and the report that its self-test gives."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from export.artifacts.bundle import read_bundle
from export.inference.detect_files import SHIPPED
from export.parity.verify import verify
from export.runtimes.browser import runtime_missing
from export.runtimes.self_test_runtime import shared_self_test
from export.web.serve import serving

SCRIPT = Path(__file__).parent / "page.test.mjs"


@pytest.fixture(autouse=True)
def _set_up() -> None:
    if (reason := runtime_missing()) is not None:
        pytest.skip(reason)


def test_page_in_chromium(page_parts: Path, chromium: str, tmp_path: Path) -> None:
    with serving(SHIPPED) as page:
        environment = {
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
