"""The golden file that the Kotlin end-to-end tests read says what `fauxlens detect` says today."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np

from export.inference.detect_files import Settings, detect_files, detector_path
from export.inference.inputs import Input
from export.inference.records import result_record

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "detect.json").read_text(encoding="utf-8"))


def test_the_golden_file_is_what_the_present_code_gives() -> None:
    # By its path: another package of the environment is called `tests`, too.
    spec = importlib.util.spec_from_file_location("make_detect", FOLDER / "make_detect.py")
    assert spec is not None and spec.loader is not None
    make_detect = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_detect)
    assert make_detect.document() == GOLDEN


def test_the_verb_says_the_same() -> None:
    golden = {one["file"]: one for one in GOLDEN["pictures"]}
    inputs = [Input(str(FOLDER / name), FOLDER / name) for name in golden]
    for result in detect_files(inputs, Settings(detector_path(None), "balanced")):
        record = result_record(result)
        expected = golden[Path(record["file"]).relative_to(FOLDER).as_posix()]
        if "refused" in expected:
            assert record["error"] == f"{FOLDER}/{expected['refused']}", record
            continue
        trip = expected["trips"][0]
        if not trip["judged"]:
            assert record["verdict"] is None, record["file"]
            continue
        assert record["verdict"] == trip["labels"]["balanced"], record["file"]
        assert f"{np.float32(record['probability']).view(np.uint32):08x}" == trip["scores"][1], record["file"]
