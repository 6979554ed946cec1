"""A self-test that an app shared is read strictly, and evaluated by its bits and not by its own word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from export.artifacts.slim import slim_bundle
from export.cli.verify import verify_verb
from export.parity.verify import verify_bundle
from export.runtimes.self_test import parse_self_test
from export.runtimes.self_test_runtime import shared_self_test
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

GOLDEN = Path(__file__).parents[2] / "golden" / "selftest.json"
VARIANT = "ptq-int8"
Plain = dict[str, Any]
app = typer.Typer()
app.command()(verify_verb)


def bits(values: np.ndarray) -> list[str]:
    return [f"{value:08x}" for value in np.asarray(values, np.float32).ravel().view(np.uint32).tolist()]


@pytest.fixture
def told(tiny: Tiny) -> Plain:
    """What an app tells that gives the stored outputs of the slim bundle."""
    references, detector = tiny.bundle.references, tiny.sealed[VARIANT]
    fake, heatmaps = references.stages[f"tflite/{VARIANT}"], references.heatmaps[f"tflite/{VARIANT}"]
    items = [
        {
            "name": name,
            "decoded_sha256": tiny.bundle.decoded[i],
            "view_sha256": hashlib.sha256(references.views[i].tobytes()).hexdigest(),
            "scores": bits(np.array([1 - fake[i], fake[i]])),
            "heatmap": bits(heatmaps[i]),
            "expected": float(fake[i]),
            "got": float(fake[i]),
            "verdict_expected": "fake",
            "verdict_got": "fake",
            "passed": True,
            "error": None,
        }
        for i, name in enumerate(references.names)
    ]
    golden: Plain = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return golden | {
        "bundle_sha256": hashlib.sha256(slim_bundle(tiny.bundle, VARIANT)).hexdigest(),
        "detector_sha256": hashlib.sha256(detector).hexdigest(),
        "references": items,
        "passed": True,
    }


def parse(plain: Any) -> Any:
    return parse_self_test(json.dumps(plain).encode(), "it.json")


@pytest.fixture
def files(tiny: Tiny, told: Plain, tmp_path: Path) -> tuple[Path, Path]:
    """The bundle and the shared self-test as files."""
    bundle, shared = tmp_path / "bundle.zip", tmp_path / "selftest.json"
    bundle.write_bytes(tiny.bundle_bytes)
    shared.write_text(json.dumps(told), encoding="utf-8")
    return bundle, shared


def test_the_golden_file_is_read_bit_for_bit() -> None:
    test = parse_self_test(GOLDEN.read_bytes(), "selftest.json")
    assert (test.device, test.system, test.abi) == ("Example phone", "Android 14 (API 34)", "arm64-v8a")
    assert (test.threads, test.accelerator, test.guarantee, test.variant) == (1, "cpu", "last-bit", VARIANT)
    assert (test.bundle_sha256, test.detector_sha256) == ("1" * 64, "2" * 64)
    assert test.latency_ms == (4.25, 4.5, 4.75, 5.0)
    right, other, damaged = test.references
    assert (right.name, right.error, right.scores.dtype.name) == ("drawn/0.jpg", None, "float32")
    assert right.scores.tolist() == [0.25, 0.75]
    assert right.heatmap.tolist() == [0.0, 0.5, 1.0, float(np.float32(0.1))]
    assert other.name == "drawn/été 1.png"
    assert other.scores[1] == np.float32(0.100000143)
    assert (damaged.decoded_sha256, damaged.view_sha256, len(damaged.scores), len(damaged.heatmap)) == ("", "", 0, 0)
    assert damaged.error == "drawn/2.webp is damaged or cut short: get the file again."


def test_a_shared_self_test_needs_no_phone(tiny: Tiny, files: tuple[Path, Path]) -> None:
    parity = verify_bundle(tiny.bundle, variant=VARIANT, runtime=shared_self_test(files[1], files[0]))
    assert parity.passed, parity.sentence
    assert parity.runtime == "device"
    assert parity.phone is not None
    assert parity.phone["latency_ms"] == {"median": 4.625, "p10": 4.325, "p90": 4.925, "invocations": 4}


def test_the_app_s_own_bundle_file_will_do(tiny: Tiny, told: Plain, files: tuple[Path, Path], tmp_path: Path) -> None:
    slim = tmp_path / "slim.zip"
    slim.write_bytes(slim_bundle(tiny.bundle, VARIANT))
    assert status(slim, "--self-test", files[1])[0] == 0
    # Also one that an earlier Fauxlens slimmed otherwise: the very file counts.
    bundle, shared = files
    shared.write_text(json.dumps(told | {"bundle_sha256": hashlib.sha256(bundle.read_bytes()).hexdigest()}))
    assert status(bundle, "--self-test", shared)[0] == 0


def test_the_app_s_own_word_counts_for_nothing(tiny: Tiny, told: Plain, files: tuple[Path, Path]) -> None:
    fake = tiny.bundle.references.stages[f"tflite/{VARIANT}"]
    told["references"][3]["scores"][1] = bits(1 - fake[3])[0]
    files[1].write_text(json.dumps(told))
    parity = verify_bundle(tiny.bundle, variant=VARIANT, runtime=shared_self_test(files[1], files[0]))
    assert (parity.passed, parity.first_departure, parity.flips) == (False, "runtime", 1)


@pytest.mark.parametrize(
    ("header", "differing", "passed"),
    [
        # The web page and older apps: every bit.
        ({"format": 1, "promise": "bits"}, 0, True),
        ({"format": 1, "promise": "bits"}, 1, False),
        ({"promise": "bits"}, 1, False),
        ({"promise": "last-bit"}, 1, True),
        ({"promise": "last-bit"}, 1000, False),
        ({"accelerator": "gpu", "promise": "decisions"}, 1000, True),
        ({"format": 1, "accelerator": "gpu", "promise": "decisions"}, 1000, True),
    ],
)
def test_a_self_test_is_held_to_what_it_guarantees(
    tiny: Tiny, told: Plain, files: tuple[Path, Path], header: Plain, differing: int, passed: bool
) -> None:
    score = np.array(tiny.bundle.references.stages[f"tflite/{VARIANT}"][3], np.float32)
    told["references"][3]["scores"][1] = f"{score.view(np.uint32) - differing:08x}"
    files[1].write_text(json.dumps(told | header))
    parity = verify_bundle(tiny.bundle, variant=VARIANT, runtime=shared_self_test(files[1], files[0]))
    assert parity.passed is passed, parity.sentence
    assert parity.phone is not None
    assert parity.phone["promise"] == header["promise"]


def test_numbers_that_are_not_finite_are_a_failed_runtime(tiny: Tiny, told: Plain, files: tuple[Path, Path]) -> None:
    told["references"][0]["scores"][1] = "7fc00000"
    files[1].write_text(json.dumps(told))
    parity = verify_bundle(tiny.bundle, variant=VARIANT, runtime=shared_self_test(files[1], files[0]))
    assert parity.first_departure == "runtime"
    assert "not finite" in parity.sentence


def test_an_error_without_a_gap_is_a_failed_runtime(tiny: Tiny, told: Plain, files: tuple[Path, Path]) -> None:
    told["references"][1]["error"] = "Nothing to compare it with."
    files[1].write_text(json.dumps(told))
    parity = verify_bundle(tiny.bundle, variant=VARIANT, runtime=shared_self_test(files[1], files[0]))
    assert parity.first_departure == "runtime"
    assert "It could not run: drawn/1.jpg: Nothing to compare it with." in parity.sentence


def test_what_a_terminal_would_obey_is_not_kept(told: Plain) -> None:
    test = parse(told | {"device": "\x1b[2JPhone\n\u202e " + "x" * 1000})
    assert test.device.isprintable()
    assert "[2JPhone" in test.device
    assert len(test.device) <= 300


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 3}, r"has self-test format 3 and this Fauxlens reads up to 2: the app is newer; update Fauxlens\."),
        ({"format": True}, r"'format' must be 1 or 2"),
        ({"format": 0}, r"'format' must be 1 or 2"),
        ({"threads": 0}, r"'threads' must be a whole number"),
        ({"threads": 1.0}, r"'threads' must be a whole number"),
        ({"accelerator": "npu"}, r"'accelerator' must be cpu or gpu"),
        ({"accelerator": []}, r"'accelerator' must be cpu or gpu"),
        ({"promise": "decisions"}, r"'promise' is decisions where accelerator cpu guarantees bits or last-bit"),
        ({"accelerator": "gpu"}, r"'promise' is last-bit where accelerator gpu guarantees decisions"),
        ({"format": 1}, r"'promise' is last-bit where accelerator cpu guarantees bits"),
        ({"promise": "all"}, r"'promise' must be one of bits, last-bit, decisions"),
        ({"promise": []}, r"'promise' must be one of bits, last-bit, decisions"),
        ({"bundle_sha256": "A" * 64}, r"'bundle_sha256' must be 64 hexadecimal digits"),
        ({"view": ""}, r"'view' must be text"),
        ({"latency_ms": [-1]}, r"'latency_ms' must be a list of milliseconds"),
        ({"latency_ms": [1e300]}, r"'latency_ms' must be a list of milliseconds"),
        ({"passed": 1}, r"'passed' must be true or false"),
        ({"references": {}}, r"'references' must be a list"),
        ({"references": [1]}, r"reference 0 is not an object"),
        ({"more": 1}, r"has an unknown 'more'"),
    ],
)
def test_a_header_of_another_kind_is_refused(told: Plain, change: Plain, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        parse(told | change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scores": ["3f80000", "00000000"]}, r"reference 2: 'scores' must be two float32"),
        ({"scores": ["3f800000"]}, r"'scores' must be two float32"),
        ({"scores": ["3F800000", "00000000"]}, r"'scores' must be two float32"),
        ({"scores": [0.5, 0.5]}, r"'scores' must be two float32"),
        ({"heatmap": "3f800000"}, r"'heatmap' must be float32"),
        ({"expected": 1.5}, r"'expected' must be a probability"),
        ({"got": "1"}, r"'got' must be a number or null"),
        ({"verdict_got": "FAKE"}, r"'verdict_got' must be empty or one of real, unsure, fake"),
        ({"verdict_expected": ["real"]}, r"'verdict_expected' must be one of"),
        ({"decoded_sha256": "0"}, r"'decoded_sha256' must be 64"),
        ({"error": ""}, r"'error' must be null or a sentence"),
        ({"decoded_sha256": ""}, r"reference 2 lacks results, but reports no 'error'"),
        ({"heatmap": []}, r"reference 2 lacks results, but reports no 'error'"),
        ({"scores": [], "error": "It broke."}, r"reference 2 lacks results"),
        ({"scores": [], "got": None, "error": "It broke."}, r"reference 2 lacks results"),
        ({"more": 1}, r"reference 2 has an unknown 'more'"),
    ],
)
def test_a_reference_of_another_kind_is_refused(told: Plain, change: Plain, sentence: str) -> None:
    told["references"][2] |= change
    with pytest.raises(ExportError, match=sentence):
        parse(told)


def test_every_key_is_needed(told: Plain) -> None:
    for place, name in ((told, "it.json"), (told["references"][0], "it.json: reference 0")):
        for key in list(place):
            value = place.pop(key)
            with pytest.raises(ExportError, match=f"^{name} lacks '{key}', so it is not a self-test in format 1 or 2"):
                parse(told)
            place[key] = value
    parse(told)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"format": 1',
        b'{"format": NaN}',
        b'{"format": 1, "format": 1}',
        b"[" * 100_000,
        b'{"format": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_no_json_of_a_self_test_is_one_sentence(data: bytes) -> None:
    with pytest.raises(
        ExportError, match=r"^it\.json is not the JSON of a self-test \(.*\); run the self-test"
    ) as caught:
        parse_self_test(data, "it.json")
    assert "\n" not in str(caught.value)


def test_an_app_that_could_not_start_says_why() -> None:
    for number in (1, 2):
        with pytest.raises(ExportError, match=r"^it\.json: the app could not run its self-test: No detector\.$"):
            parse({"format": number, "error": "No detector."})


def swap(told: Plain) -> None:
    items = told["references"]
    items[0], items[1] = items[1], items[0]


def shorten(told: Plain) -> None:
    told["references"][4]["heatmap"].pop()


def drop(told: Plain) -> None:
    told["references"].pop()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda told: told.update(variant="float32"), "its variant is float32, not ptq-int8"),
        (lambda told: told.update(view="upright|resize(32)"), "its view is upright|resize(32), not upright|"),
        (lambda told: told.update(detector_sha256="0" * 64), "its detector_sha256 is 000"),
        (lambda told: told.update(bundle_sha256="0" * 64), "its bundle_sha256 is 000"),
        (swap, "has 16 references and the bundle has 16, or their order differs"),
        (drop, "has 15 references and the bundle has 16"),
        (shorten, "drawn/4.jpg has a heatmap of 63 values where the detector gives 64"),
    ],
)
def test_a_self_test_of_another_bundle_is_refused(
    told: Plain, files: tuple[Path, Path], change: Callable[[Plain], None], sentence: str
) -> None:
    change(told)
    files[1].write_text(json.dumps(told))
    code, _, complaint = status(files[0], "--self-test", files[1])
    assert code == 2
    assert sentence in complaint
    assert complaint.startswith(str(files[1]))
    assert len(complaint.splitlines()) == 1


def status(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_verb_tells_of_the_phone_as_json(tiny: Tiny, told: Plain, files: tuple[Path, Path]) -> None:
    bundle, shared = files
    code, shown, _ = status(bundle, "--runtime", "device", "--self-test", shared, "--json")
    document = json.loads(shown)
    assert (code, document["runtime"], document["passed"]) == (0, "device", True)
    phone = document["phone"]
    assert (phone["device"], phone["system"], phone["runtime"]) == (told["device"], told["system"], told["runtime"])
    assert phone["latency_ms"]["median"] == 4.625
    told["references"][3]["view_sha256"] = "0" * 64
    shared.write_text(json.dumps(told))
    code, shown, _ = status(bundle, "--self-test", shared)
    assert code == 1
    assert "differs first at view: 1 of 16 pictures give another view" in shown


def test_wrong_usage_is_one_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    bundle, shared = files
    for arguments, words in (
        (
            ("--runtime", "litert", "--self-test", shared),
            "--self-test is for the runtime device, not litert",
        ),
        (("--self-test", tmp_path / "gone.json"), "gone.json does not exist"),
        (("--self-test", tmp_path), "is a folder: name the JSON that the app shared"),
        (("--self-test", bundle), "is not the JSON of a self-test"),
        (("--runtime", "abacus"), "Unknown runtime 'abacus': choose one of litert, "),
    ):
        code, shown, complaint = status(bundle, *arguments)
        assert (code, shown) == (2, "")
        assert words in complaint
        assert len(complaint.splitlines()) == 1
