"""A phone is held to the bundle's bits; whatever goes wrong on the way to it is one sentence. A fake adb plays it."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from export.cli.verify import verify_verb
from export.parity.verify import Parity, verify_bundle
from export.runtimes import device
from export.runtimes.device import DeviceTimeouts
from export.runtimes.interface import RuntimeAbsentError
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny

FAKE = Path(__file__).parent / "fake_adb.py"
app = typer.Typer()
app.command()(verify_verb)


@dataclass(frozen=True)
class Fake:
    """A fake phone and the computer's clock beside it; `waits` are the seconds that were waited."""

    folder: Path
    waits: list[float] = field(default_factory=list)

    def break_(self, *faults: str) -> None:
        (self.folder / "faults.json").write_text(json.dumps(faults))

    @property
    def patience(self) -> DeviceTimeouts:
        """A clock that moves by waiting only, and little of it."""
        return DeviceTimeouts(seconds=3.0, clock=lambda: sum(self.waits), wait=self.waits.append)

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    @property
    def left(self) -> list[str]:
        """Files that are on the phone."""
        places = [self.folder / "tmp", self.folder / "private"]
        return sorted(path.name for place in places for path in place.rglob("*") if path.is_file())


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A phone with the app, and no other adb than the one that plays it."""
    folder = tmp_path / "the phone"
    for name in ("tmp", "private"):
        (folder / name).mkdir(parents=True)
    tools = tmp_path / "sdk" / "platform-tools"
    tools.mkdir(parents=True)
    adb = tools / "adb"
    adb.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "{folder}" "$@"\n')
    adb.chmod(0o755)
    monkeypatch.setenv("ANDROID_HOME", str(tmp_path / "sdk"))
    for name in ("ANDROID_SDK_ROOT", "ANDROID_SERIAL"):
        monkeypatch.delenv(name, raising=False)
    fake = Fake(folder)
    fake.break_()
    return fake


def held(tiny: Tiny, phone: Fake, variant: str = "ptq-int8") -> Parity:
    """Parity on the fake phone, by a clock that does not sleep."""
    runtime = replace(
        RUNTIMES["device"], run_references=lambda bundle, name: device.run_references(bundle, name, phone.patience)
    )
    return verify_bundle(tiny.bundle, variant=variant, runtime=runtime)


@pytest.mark.parametrize("variant", ["ptq-int8", "float32"])
def test_a_phone_that_gives_the_bundle_s_bits_passes(tiny: Tiny, phone: Fake, variant: str) -> None:
    parity = held(tiny, phone, variant)
    assert parity.passed, parity.sentence
    assert parity.sentence.startswith(f"{variant} on device matches the trained model: all 7 stages passed.")
    assert parity.phone is not None
    assert (parity.phone["device"], parity.phone["threads"], parity.phone["promise"]) == ("Fake phone", 1, "last-bit")
    latency = parity.phone["latency_ms"]
    assert (latency["median"], latency["invocations"]) == (4.0, 3)
    assert phone.left == ["selftest.json"]
    assert phone.waits == []


def test_what_the_phone_is_told_in_order(tiny: Tiny, phone: Fake) -> None:
    held(tiny, phone)
    passing = next(
        re.findall(r"/data/local/tmp/fauxlens-[0-9a-f]{16}\.zip", line)[0] for line in phone.log if "push" in line
    )
    asked = [line.replace(passing, "PASSING").removeprefix("-s good ") for line in phone.log]
    assert [line if not line.startswith("push") else "push" for line in asked] == [
        "devices",
        "shell 'pm path fauxlens.app'",
        "shell 'run-as fauxlens.app mkdir -p files'",
        "shell 'am force-stop fauxlens.app'",
        "shell 'run-as fauxlens.app rm -f files/selftest.json'",
        "push",
        "shell 'run-as fauxlens.app cp PASSING files/selftest-bundle.zip'",
        "shell 'am start -n fauxlens.app/.selftest.SelfTestActivity -a fauxlens.app.action.SELF_TEST --es bundle "
        "selftest-bundle.zip --ei threads 1 --es accelerator cpu'",
        "shell 'pidof fauxlens.app'",
        "shell 'run-as fauxlens.app ls files'",
        "exec-out 'run-as fauxlens.app cat files/selftest.json'",
        "shell 'rm -f PASSING'",
        "shell 'run-as fauxlens.app rm -f files/selftest-bundle.zip'",
    ]


ABSENT = {
    "no phone": r"^No phone is connected: .*`adb devices` lists it\.$",
    "two phones": r"^2 phones are connected \(one, two\): set ANDROID_SERIAL to one of them\.$",
    "unauthorised": r"^The phone good does not trust this computer yet: unlock it and allow USB debugging\.$",
    "offline": r"^The phone good is offline: ",
    "no permissions": r"^The phone good cannot be used \(adb says: no permissions .*'device'\.$",
    "no app": r"^The app fauxlens\.app is not on the phone good: run `make apk` and `adb install`",
    "release": r"may not write .* \(run-as: package not debuggable: fauxlens\.app\), .* run `make apk`",
}
FAILED = {
    "no server": r"^adb could not list phones \(adb: failed to check server version: .*\): fix that",
    "full": r"^adb could not copy the bundle to the phone \(.*No space left on device\): fix that",
    "no activity": r"^The phone could not start the app's self-test \(Error.*\): run `make apk`",
    "refuses": r"^The phone's self-test: the app could not run its self-test: The bundle is damaged: copy it again\.$",
    "truncated": r"^The phone's self-test is not the JSON of a self-test \(.*\); run the self-test again",
    "silent": r"^The app did not finish its self-test within 3 seconds: unlock the phone",
    "crash": r"^The app stopped in its self-test: `adb logcat -d` says why\.$",
    "unplugged": r"^adb could not see whether the app runs \(error: device 'good' not found\): fix that",
    "another variant": r"its variant is float32, not ptq-int8; give `--variant float32`\.$",
    "another view": r"its view is upright\|square\|resize\(64\), not upright\|square\|resize\(32\);",
    "another detector": r"its detector_sha256 is 0{64}, not [0-9a-f]{64};",
    "another bundle": r"its bundle_sha256 is f{64}, not [0-9a-f]{64}; name the bundle that the app has\.$",
}


@pytest.mark.parametrize("fault", ABSENT)
def test_a_phone_that_is_not_ready_is_one_sentence(tiny: Tiny, phone: Fake, fault: str) -> None:
    phone.break_(fault)
    with pytest.raises(RuntimeAbsentError, match=ABSENT[fault]) as caught:
        held(tiny, phone)
    assert "\n" not in str(caught.value)
    assert phone.left == []


@pytest.mark.parametrize("fault", FAILED)
def test_a_self_test_that_fails_is_one_sentence_and_leaves_no_bundle(tiny: Tiny, phone: Fake, fault: str) -> None:
    phone.break_(fault)
    with pytest.raises(ExportError, match=FAILED[fault]) as caught:
        held(tiny, phone)
    assert "\n" not in str(caught.value)
    # A phone that is no longer there cannot be tidied up.
    assert fault == "unplugged" or not [name for name in phone.left if name.endswith(".zip")]
    assert sum(phone.waits) == (3.0 if fault == "silent" else 1.0 if fault == "crash" else 0.0)


DEPARTING = {
    "a wrong score": ("runtime", r"max \d\S* in drawn/5\.jpg; they may differ by 1e-07 at most\."),
    "a wrong heatmap": ("heatmap", r"1 of 16 heatmaps are not those of tflite/ptq-int8, .* drawn/5\.jpg\."),
    "another decoder": ("decode", r"1 of 16 pictures decode to other pixels, the first is drawn/5\.jpg\."),
    "another resize": ("view", r"1 of 16 pictures give another view, the first is drawn/5\.jpg\."),
    "undecodable": ("decode", r"It could not run: drawn/5\.jpg: The picture is damaged: copy it again\."),
    "not run": ("runtime", r"It could not run: drawn/5\.jpg: Out of memory: close others\."),
}


@pytest.mark.parametrize("fault", DEPARTING)
def test_the_stage_that_departs_on_the_phone_is_named(tiny: Tiny, phone: Fake, fault: str) -> None:
    phone.break_(fault)
    parity = held(tiny, phone)
    stage, sentence = DEPARTING[fault]
    assert (parity.passed, parity.first_departure) == (False, stage)
    assert re.search(sentence, parity.sentence), parity.sentence


def test_a_last_bit_may_differ(tiny: Tiny, phone: Fake) -> None:
    phone.break_("a last bit")
    parity = held(tiny, phone)
    assert parity.passed, parity.sentence


def test_a_gpu_is_held_to_decisions(tiny: Tiny, phone: Fake) -> None:
    phone.break_("GPU")
    parity = held(tiny, phone)
    assert parity.passed, parity.sentence
    assert parity.phone is not None
    assert parity.phone["promise"] == "decisions"


def test_an_old_answer_is_not_taken_for_the_new_one(tiny: Tiny, phone: Fake) -> None:
    held(tiny, phone)
    phone.break_("silent")
    with pytest.raises(ExportError, match="did not finish"):
        held(tiny, phone)


def test_the_phone_that_is_meant_is_asked(tiny: Tiny, phone: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    phone.break_("two phones")
    monkeypatch.setenv("ANDROID_SERIAL", "two")
    assert held(tiny, phone).passed
    assert all(line.startswith("-s two ") for line in phone.log[1:])
    monkeypatch.setenv("ANDROID_SERIAL", "three")
    with pytest.raises(RuntimeAbsentError, match=r"^ANDROID_SERIAL is three but adb knows these phones: one, two;"):
        held(tiny, phone)


def test_one_that_sleeps_beside_the_good_one_does_not_matter(tiny: Tiny, phone: Fake) -> None:
    phone.break_("one ready")
    assert held(tiny, phone).passed


def test_views_alone_are_refused(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match=r"fauxlens verify BUNDLE --runtime device"):
        RUNTIMES["device"].call(tiny.sealed["ptq-int8"], tiny.bundle.references.views)


def test_adb_is_looked_for_and_not_started(phone: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RUNTIMES["device"].missing() is None
    (tmp_path / "empty").mkdir()
    adb = Path(os.environ["ANDROID_HOME"]) / "platform-tools"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("ANDROID_HOME")
    reason = RUNTIMES["device"].missing()
    assert reason is not None
    assert reason.startswith("The runtime device needs adb, which is not on this machine: ")
    monkeypatch.setenv("PATH", str(adb))
    assert RUNTIMES["device"].missing() is None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("ANDROID_SDK_ROOT", str(adb.parent))
    assert RUNTIMES["device"].missing() is None
    assert not (phone.folder / "log").exists()


def test_without_adb_nothing_is_verified(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeAbsentError, match="needs adb"):
        verify_bundle(tiny.bundle, variant="ptq-int8", runtime=RUNTIMES["device"])


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("", 0, "all 7 stages passed"),
        ("a wrong score", 1, "differs first at runtime"),
        ("no phone", 2, "No phone is connected"),
    ],
)
def test_the_verb_answers_by_its_status(
    tiny: Tiny, phone: Fake, tmp_path: Path, fault: str, status: int, words: str
) -> None:
    phone.break_(fault)
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(tiny.bundle_bytes)
    done = CliRunner().invoke(app, [str(bundle), "--runtime", "device"])
    assert done.exit_code == status, done.output
    assert words in (done.stderr if status == 2 else done.stdout)
    if status < 2:
        assert (
            "phone: Fake phone, Android 14 (API 34), x86_64; LiteRT of this machine, cpu, 1 thread; 4.0 ms"
            in done.stdout
        )
