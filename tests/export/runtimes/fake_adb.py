"""A fake adb: `fake_adb.py FOLDER WORD...` plays adb and the phone behind it, for tests.

FOLDER holds the phone: `tmp` (its /data/local/tmp), `private` (the app's private storage), `log` (one line a call),
`alive` (while the app runs) and `faults.json`, a list of what goes wrong. The self-test is really run: the bundle that
was pushed is opened, its pictures decoded, viewed and evaluated by LiteRT, and the answer is written as the app does
it.
"""

import hashlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
APP = "fauxlens.app"
PRESENT = {
    "no phone": [],
    "two phones": ["one\tdevice", "two\tdevice"],
    "one ready": ["emulator-5554\toffline", "good\tdevice"],
    "unauthorised": ["good\tunauthorized"],
    "offline": ["good\toffline"],
    "no permissions": ["good\tno permissions (user in plugdev group; are your udev rules wrong?)"],
}
# How the self-test itself goes wrong, by what is changed in what the app writes.
SPOILT: dict[str, tuple[str, Any]] = {
    "another variant": ("variant", "float32"),
    "another view": ("view", "upright|square|resize(64)"),
    "another detector": ("detector_sha256", "0" * 64),
    "another bundle": ("bundle_sha256", "f" * 64),
    "GPU": ("accelerator", "gpu"),
}


def main(folder: Path, words: list[str]) -> int:
    faults = set(json.loads((folder / "faults.json").read_text()))
    with (folder / "log").open("a") as log:
        log.write(shlex.join(words) + "\n")
    if words == ["devices"]:
        if "no server" in faults:
            return complain("adb: failed to check server version: cannot connect to daemon")
        lines = next((PRESENT[fault] for fault in faults if fault in PRESENT), ["good\tdevice"])
        sys.stdout.write("\n".join(["List of devices attached", *lines, "", ""]))
        return 0
    if words[:1] != ["-s"] or words[1] not in ("good", "one", "two"):
        return complain(f"error: device '{words[1]}' not found")
    verb, arguments = words[2], words[3:]
    if verb == "push":
        if "full" in faults:
            return complain(f"adb: error: failed to copy '{arguments[0]}' to '{arguments[1]}': No space left on device")
        on_phone(folder, arguments[1]).write_bytes(Path(arguments[0]).read_bytes())
        return 0
    if "unplugged" in faults and (folder / "alive").exists():
        return complain("error: device 'good' not found")
    # adb joins what it is given with spaces, and the phone's shell splits it again.
    remote = shlex.split(" ".join(arguments))
    assert verb in ("shell", "exec-out"), verb
    return run(folder, remote, faults)


def run(folder: Path, words: list[str], faults: set[str]) -> int:
    """A command in the phone's shell."""
    private = folder / "private"
    if words == ["pm", "path", APP]:
        if "no app" in faults:
            return 1
        sys.stdout.write(f"package:/data/app/~~x==/{APP}-y==/base.apk\n")
    elif words == ["am", "force-stop", APP]:
        (folder / "alive").unlink(missing_ok=True)
    elif words == ["pidof", APP]:
        if "crash" in faults and (folder / "alive").exists():
            # Once it is seen to run, and then no more.
            (folder / "alive").unlink()
            sys.stdout.write("4711\n")
            return 0
        return 0 if (folder / "alive").exists() else 1
    elif words[:2] == ["am", "start"]:
        return start(folder, words[2:], faults)
    elif words[:2] == ["rm", "-f"]:
        on_phone(folder, words[2]).unlink(missing_ok=True)
    elif words[:2] == ["run-as", APP]:
        if "release" in faults:
            return complain(f"run-as: package not debuggable: {APP}")
        return within(folder, private, words[2:])
    else:
        return complain(f"/system/bin/sh: {words[0]}: inaccessible or not found", 127)
    return 0


def within(folder: Path, private: Path, words: list[str]) -> int:
    """A command as the app's user, who starts in its private storage."""
    match words:
        case ["mkdir", "-p", name]:
            (private / name).mkdir(parents=True, exist_ok=True)
        case ["rm", "-f", name]:
            (private / name).unlink(missing_ok=True)
        case ["cp", source, name]:
            (private / name).write_bytes(on_phone(folder, source).read_bytes())
        case ["ls", name]:
            sys.stdout.write("".join(f"{path.name}\n" for path in sorted((private / name).iterdir())))
        case ["cat", name]:
            sys.stdout.buffer.write((private / name).read_bytes())
        case _:
            return complain(f"run-as: exec failed for {words[0]}: No such file or directory", 1)
    return 0


def start(folder: Path, words: list[str], faults: set[str]) -> int:
    """`am start`: the app's self-test activity, which is done before this returns, or never is."""
    assert words[:4] == ["-n", f"{APP}/.selftest.SelfTestActivity", "-a", f"{APP}.action.SELF_TEST"], words
    extras = {words[i + 1]: words[i + 2] for i in range(4, len(words), 3)}
    sys.stdout.write(f"Starting: Intent {{ act={words[3]} cmp={words[1]} (has extras) }}\n")
    if "no activity" in faults:
        sys.stdout.write(f"Error type 3\nError: Activity class {{{words[1]}}} does not exist.\n")
        return 0
    (folder / "alive").touch()
    if faults & {"silent", "crash", "unplugged"}:
        return 0
    files = folder / "private" / "files"
    if "refuses" in faults:
        answer = json.dumps({"format": 2, "error": "The bundle is damaged: copy it again."})
    else:
        answer = json.dumps(spoil(self_test((files / extras["bundle"]).read_bytes(), extras), faults))
    if "truncated" in faults:
        answer = answer[: len(answer) // 2]
    (files / "selftest.json").write_text(answer, encoding="utf-8")
    return 0


def self_test(data: bytes, extras: dict[str, str]) -> dict[str, Any]:
    """The self-test of a slim bundle as the app does it."""
    sys.path.insert(0, str(ROOT))
    from export.artifacts.bundle import parse_bundle, tflite_stage
    from export.artifacts.bundle_references import pixels_sha256
    from export.inference.detector import decision_at
    from export.runtimes.litert import open_detector_file
    from train.image.decode import decode_bytes
    from train.image.view import apply_view, parse_view

    bundle = parse_bundle(data, "the pushed bundle")
    variant, references = bundle.default, bundle.references
    assert list(bundle.variants) == [variant]
    description, detector = bundle.descriptions[variant], bundle.variants[variant]
    output = open_detector_file(detector)(references.views)
    stored = references.stages[tflite_stage(variant)]
    items = []
    for index, name in enumerate(references.names):
        picture = references.pictures[index]
        view = apply_view(parse_view(description.view), decode_bytes(picture, name), references.eyes[index])
        expected, got = float(stored[index]), float(output.scores[index, 1])
        items.append(
            {
                "name": name,
                "decoded_sha256": pixels_sha256(picture, name),
                "view_sha256": hashlib.sha256(view.tobytes()).hexdigest(),
                "scores": bits(output.scores[index]),
                "heatmap": bits(output.heatmaps[index]),
                "expected": expected,
                "got": got,
                "verdict_expected": decision_at(description, expected),
                "verdict_got": decision_at(description, got),
                "passed": expected == got,
                "error": None,
            }
        )
    return {
        "format": 2,
        "app": f"{APP} 0.1.0",
        "device": "Fake phone",
        "system": "Android 14 (API 34)",
        "abi": "x86_64",
        "runtime": "LiteRT of this machine",
        "threads": int(extras["threads"]),
        "accelerator": extras["accelerator"],
        "promise": "last-bit",
        "bundle_sha256": hashlib.sha256(data).hexdigest(),
        "detector_sha256": hashlib.sha256(detector).hexdigest(),
        "variant": variant,
        "view": description.view,
        "references": items,
        "latency_ms": [2.0, 4.0, 6.0],
        "passed": all(item["passed"] for item in items),
    }


def spoil(told: dict[str, Any], faults: set[str]) -> dict[str, Any]:
    """The same self-test with faults in what is told; those of a reference are in the sixth."""
    one = told["references"][5]
    for fault in faults & SPOILT.keys():
        key, value = SPOILT[fault]
        told[key] = value
    if "GPU" in faults:
        told["promise"] = "decisions"
    if "a wrong score" in faults or "GPU" in faults:
        one["scores"][1] = f"{int(one['scores'][1], 16) ^ 0x400:08x}"
    # The largest value, 1.0, so that the difference is not lost beside others.
    if "a wrong heatmap" in faults:
        one["heatmap"][one["heatmap"].index("3f800000")] = "3f7fff00"
    if "a last bit" in faults:
        one["scores"][1] = f"{int(one['scores'][1], 16) ^ 1:08x}"
        one["heatmap"][one["heatmap"].index("3f800000")] = "3f7fffff"
    if "another decoder" in faults:
        one["decoded_sha256"] = "e" * 64
    if "another resize" in faults:
        one["view_sha256"] = "e" * 64
    if "undecodable" in faults:
        one |= {"decoded_sha256": "", "view_sha256": "", "error": "The picture is damaged: copy it again."}
    if "not run" in faults:
        one |= {"scores": [], "heatmap": [], "got": None, "verdict_got": "", "error": "Out of memory: close others."}
    return told


def bits(values: Any) -> list[str]:
    return [f"{value:08x}" for value in values.ravel().view("uint32").tolist()]


def on_phone(folder: Path, path: str) -> Path:
    """Where the phone's /data/local/tmp stands here."""
    assert path.startswith("/data/local/tmp/"), path
    return folder / "tmp" / path.removeprefix("/data/local/tmp/")


def complain(sentence: str, status: int = 1) -> int:
    sys.stderr.write(sentence + "\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
