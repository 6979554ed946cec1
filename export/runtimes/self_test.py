"""The JSON of the Android app's self-test, read strictly.

Every output of the detector comes as the hexadecimal digits of its float32's bits. The file may come from a stranger's
phone, so nothing in it is believed: what the app says of passing is checked to be there and then left aside.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from export.runtimes.interface import Guarantee
from train.common.documents import parse_json
from train.common.errors import ExportError

FORMATS = (1, 2)
_FORMATS = " or ".join(map(str, FORMATS))
MAX_BYTES = 64 << 20
LABELS = ("real", "unsure", "fake")
# What each accelerator may guarantee, by format: a GPU computes in half precision. Format 2 has the last bit, in which
# the app's older LiteRT differs; the web page and older apps write format 1.
GUARANTEES: dict[int, dict[str, tuple[Guarantee, ...]]] = {
    1: {"cpu": ("bits",), "gpu": ("decisions",)},
    2: {"cpu": ("bits", "last-bit"), "gpu": ("decisions",)},
}
AGAIN = "run the self-test again and share it once more"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BITS = re.compile(r"[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True)
class ReferenceResult:
    """One reference: SHA-256 of pixels and view, `scores` float32 [2] or [0], `heatmap` float32 [h*w] or [0].

    What the phone could not make is "" or empty, for the reason in `error`. Where nothing is, an error says why the
    outputs prove nothing.
    """

    name: str
    decoded_sha256: str
    view_sha256: str
    scores: np.ndarray
    heatmap: np.ndarray
    error: str | None


@dataclass(frozen=True)
class SelfTest:
    """A whole self-test; `latency_ms` is one number for each timed run."""

    app: str
    device: str
    system: str
    abi: str
    runtime: str
    threads: int
    accelerator: str
    guarantee: Guarantee
    bundle_sha256: str
    detector_sha256: str
    variant: str
    view: str
    references: tuple[ReferenceResult, ...]
    latency_ms: tuple[float, ...]


def parse_self_test(data: bytes, name: str) -> SelfTest:
    """Read the JSON of a self-test; `name` is what errors call it.

    Raises ExportError for anything but exactly the keys and types of format 1 or 2, and with the app's own sentence
    where the self-test could not be started.
    """
    plain = _read_json(data, name)
    number = plain.get("format")
    if type(number) is int and number > FORMATS[-1]:
        raise ExportError(
            f"{name} has self-test format {number} and this Fauxlens reads up to {FORMATS[-1]}: the app is newer; "
            "update Fauxlens."
        )
    if set(plain) == {"format", "error"} and _is_format(number) and isinstance(plain["error"], str):
        raise ExportError(f"{name}: the app could not run its self-test: {_clean(plain['error'])}")
    _check(plain, _HEADER, name)
    possible = GUARANTEES[plain["format"]][plain["accelerator"]]
    if plain["promise"] not in possible:
        raise ExportError(
            f"{name}: 'promise' is {plain['promise']} where accelerator {plain['accelerator']} guarantees "
            f"{' or '.join(possible)}; {AGAIN}."
        )
    references = tuple(_reference(one, f"{name}: reference {i}") for i, one in enumerate(plain["references"]))
    taken = {key: _clean(plain[key]) for key in ("app", "device", "system", "abi", "runtime", "variant", "view")}
    return SelfTest(
        **taken,
        threads=plain["threads"],
        accelerator=plain["accelerator"],
        guarantee=plain["promise"],
        bundle_sha256=plain["bundle_sha256"],
        detector_sha256=plain["detector_sha256"],
        references=references,
        latency_ms=tuple(float(value) for value in plain["latency_ms"]),
    )


def _reference(plain: Any, name: str) -> ReferenceResult:
    if not isinstance(plain, dict):
        raise ExportError(f"{name} is not an object; {AGAIN}.")
    _check(plain, _REFERENCE, name)
    scores, heatmap, error = plain["scores"], plain["heatmap"], plain["error"]
    lacking = not (plain["decoded_sha256"] and plain["view_sha256"] and scores and heatmap)
    run = [bool(scores), plain["got"] is not None, plain["verdict_got"] != ""]
    if (lacking and error is None) or len(set(run)) > 1:
        raise ExportError(f"{name} lacks results, but reports no 'error'; {AGAIN}.")
    return ReferenceResult(
        name=plain["name"],
        decoded_sha256=plain["decoded_sha256"],
        view_sha256=plain["view_sha256"],
        scores=_floats(scores),
        heatmap=_floats(heatmap),
        error=None if error is None else _clean(error),
    )


def _floats(bits: list[str]) -> np.ndarray:
    """float32 of the hexadecimal digits of their bits, the sign first."""
    return np.frombuffer(bytes.fromhex("".join(bits)), ">f4").astype(np.float32)


def _read_json(data: bytes, name: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ExportError(f"{name} is {len(data) >> 20} MB, too large for a self-test; name another file.")
    try:
        plain = parse_json(data.decode("utf-8"))
    except ValueError as error:
        raise ExportError(f"{name} is not the JSON of a self-test ({_clean(str(error))}); {AGAIN}.") from error
    if not isinstance(plain, dict):
        raise ExportError(f"{name} is not the JSON of a self-test (no object); {AGAIN}.")
    return plain


def _clean(text: str) -> str:
    """One line of what a person's terminal can show."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300].strip()


def _check(plain: Mapping[str, Any], checks: Mapping[str, tuple[Callable[[Any], bool], str]], name: str) -> None:
    for key in sorted(plain.keys() ^ checks.keys()):
        verb = "lacks" if key in checks else "has an unknown"
        raise ExportError(f"{name} {verb} '{_clean(key)}', so it is not a self-test in format {_FORMATS}; {AGAIN}.")
    for key, (holds, what) in checks.items():
        if not holds(plain[key]):
            raise ExportError(f"{name}: '{key}' must be {what}; {AGAIN}.")


def _is_format(value: Any) -> bool:
    return type(value) is int and value in FORMATS


def _is_number(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_bits(value: Any, counts: Callable[[int], bool]) -> bool:
    each = isinstance(value, list) and all(isinstance(one, str) and _BITS.fullmatch(one) for one in value)
    return each and counts(len(value))


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


_KeyChecks = dict[str, tuple[Callable[[Any], bool], str]]
_TEXT = (_is_text, "text that is not empty")
_BOOLEAN = (lambda v: isinstance(v, bool), "true or false")
_HEADER: _KeyChecks = {
    "format": (_is_format, _FORMATS),
    **dict.fromkeys(("app", "device", "system", "abi", "runtime", "variant", "view"), _TEXT),
    "threads": (lambda v: type(v) is int and 1 <= v <= 1024, "a whole number from 1 on"),
    "accelerator": (lambda v: isinstance(v, str) and v in ("cpu", "gpu"), "cpu or gpu"),
    "promise": (lambda v: isinstance(v, str) and v in get_args(Guarantee), "one of " + ", ".join(get_args(Guarantee))),
    "bundle_sha256": (_is_sha256, "64 hexadecimal digits"),
    "detector_sha256": (_is_sha256, "64 hexadecimal digits"),
    "references": (lambda v: isinstance(v, list), "a list"),
    "latency_ms": (
        lambda v: isinstance(v, list) and all(_is_number(one, 0, 1e9) for one in v),
        "a list of milliseconds",
    ),
    "passed": _BOOLEAN,
}
_REFERENCE: _KeyChecks = {
    "name": _TEXT,
    "decoded_sha256": (lambda v: v == "" or _is_sha256(v), "64 hexadecimal digits or empty"),
    "view_sha256": (lambda v: v == "" or _is_sha256(v), "64 hexadecimal digits or empty"),
    "scores": (lambda v: _is_bits(v, lambda n: n in (0, 2)), "two float32, each as 8 hexadecimal digits, or empty"),
    "heatmap": (lambda v: _is_bits(v, lambda n: True), "float32, each as 8 hexadecimal digits"),
    "expected": (lambda v: _is_number(v, 0, 1), "a probability"),
    "got": (lambda v: v is None or _is_number(v, -1e9, 1e9), "a number or null"),
    "verdict_expected": (lambda v: v in LABELS, "one of " + ", ".join(LABELS)),
    "verdict_got": (lambda v: v == "" or v in LABELS, "empty or one of " + ", ".join(LABELS)),
    "passed": _BOOLEAN,
    "error": (lambda v: v is None or _is_text(v), "null or a sentence"),
}
