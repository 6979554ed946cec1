"""The detector module's plain parts in Node.js: every golden file that Python and Kotlin are held to."""

import gzip
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.mark.slow
@pytest.mark.parametrize("script", ["golden.test.mjs", "marks.test.mjs", "graph_guard.test.mjs"])
def test_golden_files_in_node(script: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not on this machine: apt-get install nodejs.")
    with zipfile.ZipFile(io.BytesIO(gzip.decompress((GOLDEN / "sealed.zip.gz").read_bytes()))) as archive:
        archive.extractall(tmp_path)
    ran = subprocess.run(
        [node, "--test", str(Path(__file__).parent / script)],
        env={"FAUXLENS_SEALED": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert "# pass 0" not in ran.stdout
