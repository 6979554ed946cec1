"""`detect` reads and hashes each file once, counted by Python's own audit events and in the hash function."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image

from export.inference.detect_files import SHIPPED

ROOT = Path(__file__).parents[3]
PROGRAM = """
import collections, hashlib, json, os, sys

opened, hashed = collections.Counter(), collections.Counter()
sha256 = hashlib.sha256

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        opened[os.path.realpath(os.fsdecode(arguments[0]))] += 1

class Counted:
    def __init__(self, data=b"", **options):
        self.real, self.length = sha256(data, **options), len(data)

    def update(self, data):
        self.real.update(data)
        self.length += len(data)

    def hexdigest(self):
        hashed[self.length] += 1
        return self.real.hexdigest()

    def digest(self):
        hashed[self.length] += 1
        return self.real.digest()

hashlib.sha256 = Counted
sys.addaudithook(note)
import fauxlens
sys.argv = ["fauxlens", "detect", *sys.argv[1:]]
try:
    fauxlens.main()
finally:
    sys.stderr.write("\\n" + json.dumps({"opened": opened, "hashed": hashed}))
"""
SEAL = len("sha256:") + 64


def test_each_file_is_read_once_and_hashed_once(tmp_path: Path) -> None:
    pictures = [tmp_path / "first.png", tmp_path / "second.png"]
    for shade, path in enumerate(pictures, 1):
        Image.linear_gradient("L").rotate(shade).convert("RGB").save(path)
    arguments = ("--workers", "1", "--no-overlay", "--json")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, pictures), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    counted = json.loads(done.stderr.splitlines()[-1])
    assert [one["probability"] is not None for one in json.loads(done.stdout)["pictures"]] == [True, True]
    with zipfile.ZipFile(SHIPPED) as archive:
        (detector,) = (info.file_size for info in archive.infolist() if info.filename.startswith("detectors/"))
    for path in (SHIPPED, *pictures):
        assert counted["opened"].get(os.path.realpath(path)) == 1, path
    # A seal is of everything before it; the detector's own hash goes on where its seal's ends.
    sizes = [SHIPPED.stat().st_size - SEAL, detector - SEAL, detector, *(path.stat().st_size for path in pictures)]
    assert len(set(sizes)) == len(sizes)
    assert {size: counted["hashed"].get(str(size)) for size in sizes} == dict.fromkeys(sizes, 1)
