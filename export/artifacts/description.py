"""The content of `fauxlens.json`: what a detector file says about itself."""

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from train.common.documents import parse_json
from train.common.errors import ExportError
from train.evaluate.decision import POINTS, Decision, Point, decision_of_format_1
from train.image.view import UNCLEAR, Unclear

FORMAT = 2
"""2: a decision for each operating point, pairs of what was seen, the face finder. Format 1 is still read."""
VARIANTS = ("qat-int8", "ptq-int8", "dynamic", "float16", "float32")
LABELS = ("real", "fake")
REAL_PICTURES = "camera"
"""What real pictures have in place of a generator."""
BALANCED: Point = "balanced"
OPERATING_POINTS = POINTS
Seen = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CalibrationNote:
    """Platt scaling inside the graph: P(fake) = sigmoid(scale * logit + bias) (Platt 1999)."""

    scale: float
    bias: float


@dataclass(frozen=True)
class Description:
    """What a detector was made of and how its probability becomes a verdict.

    `view` and `front_end` are the readable strings; `unclear_faces` says what becomes of pictures with no or several
    faces where the view has face(k) (train.image.view); `size` is S of the input uint8 [1,S,S,3]; `heatmap` is (h, w)
    of the output float32 [1,h,w]. `operating_points` has a decision rule for each of OPERATING_POINTS. `seen` are the
    pairs (generator, source) that were in training, sorted. `face_finder` names the finder that the view was made with
    and the sha256 of its files; None where the view has no face(k), or the file is of format 1. `training_sha256` is
    the manifest's hash, 64 hexadecimal digits.
    `created_by` gives package versions, `figures` any finite numbers by name. Raises ExportError for other values.
    """

    name: str
    variant: str
    view: str
    unclear_faces: Unclear
    front_end: str
    size: int
    heatmap: tuple[int, int]
    operating_points: Mapping[str, Decision]
    calibration: CalibrationNote
    seen: Seen
    training_sha256: str
    created_by: Mapping[str, str]
    figures: Mapping[str, float] = field(default_factory=dict)
    licences: tuple[str, ...] = ()
    labels: tuple[str, str] = LABELS
    face_finder: Mapping[str, str] | None = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        for key, (holds, wanted) in _KEY_CHECKS.items():
            if not holds(getattr(self, key)):
                raise _wrong(key, wanted)

    @property
    def generators_seen(self) -> tuple[str, ...]:
        """The generators that were in training, sorted; real pictures have `REAL_PICTURES`."""
        return tuple(sorted({generator for generator, _ in self.seen}))

    @property
    def sources_seen(self) -> tuple[str, ...]:
        """The sources that were in training, sorted."""
        return tuple(sorted({source for _, source in self.seen}))


def to_json(description: Description) -> str:
    """Write a description as JSON text, keys sorted, one final line break: the same description, the same bytes."""
    plain = dataclasses.asdict(description)
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> Description:
    """Read a description strictly.

    Raises ExportError for text that is not JSON, a newer format, a missing or unknown key, a wrong type or range.
    """
    try:
        plain = parse_json(text)
    except ValueError as error:
        raise ExportError(f"fauxlens.json is not JSON ({error}); export the detector again.") from error
    if not isinstance(plain, dict):
        raise ExportError("fauxlens.json does not hold a JSON object; export the detector again.")
    if plain.get("format") == 1 and not isinstance(plain["format"], bool | float):
        plain = _from_format_1(plain)
    _check_format(plain.get("format"))
    keys = {f.name for f in dataclasses.fields(Description)}
    for key in sorted(keys - plain.keys()):
        raise ExportError(f"fauxlens.json lacks the key '{key}'; export the detector again.")
    for key in sorted(plain.keys() - keys):
        raise ExportError(f"fauxlens.json has an unknown key '{key}'; export the detector again.")
    return Description(**{key: _from_plain(key, value) for key, value in plain.items()})


def _check_format(number: object) -> None:
    if _is_int(number, 1, 1 << 30) and number != FORMAT:
        raise ExportError(
            f"fauxlens.json has format {number} and this Fauxlens reads 1 to {FORMAT}: the file was made by a newer "
            "Fauxlens; update this one."
        )


def _from_plain(key: str, value: Any) -> Any:
    if key == "calibration":
        names = {f.name for f in dataclasses.fields(CalibrationNote)}
        if not isinstance(value, dict) or set(value) != names:
            raise _wrong(key, _KEY_CHECKS[key][1])
        return CalibrationNote(**value)
    if key == "operating_points":
        return _decisions(value)
    if key == "seen":
        if not isinstance(value, list) or not all(isinstance(pair, list) for pair in value):
            raise _wrong(key, _KEY_CHECKS[key][1])
        return tuple(tuple(pair) for pair in value)
    if key in _TUPLES:
        if not isinstance(value, list):
            raise _wrong(key, (_KEY_CHECKS | _FORMAT_1_KEYS)[key][1])
        return tuple(value)
    return value


def _decisions(value: Any) -> dict[str, Decision]:
    names = {f.name for f in dataclasses.fields(Decision)}
    if not isinstance(value, dict) or not all(isinstance(one, dict) and set(one) == names for one in value.values()):
        raise _wrong("operating_points", _KEY_CHECKS["operating_points"][1])
    return {name: Decision(**one) for name, one in value.items()}


def _from_format_1(plain: dict[str, Any]) -> dict[str, Any]:
    """The keys of format 2 for an object of format 1, whose own keys are checked as they were then."""
    for key in sorted(_FORMAT_1_KEYS.keys() - plain.keys()):
        raise ExportError(f"fauxlens.json lacks the key '{key}'; export the detector again.")
    for key in ("seen", "face_finder"):
        if key in plain:
            raise ExportError(f"fauxlens.json has an unknown key '{key}'; export the detector again.")
    old = {key: _from_plain(key, plain[key]) for key in _FORMAT_1_LISTS}
    old["operating_points"] = plain["operating_points"]
    for key, (holds, wanted) in _FORMAT_1_KEYS.items():
        if not holds(old[key]):
            raise _wrong(key, wanted)
    decisions = {
        name: decision_of_format_1(threshold, old["unsure"], balanced=name == BALANCED)
        for name, threshold in old["operating_points"].items()
    }
    # Format 1 had two lists, which say less: any of the one may have come with any of the other.
    seen = sorted({(generator, source) for generator in old["generators_seen"] for source in old["sources_seen"]})
    return {key: value for key, value in plain.items() if key not in _FORMAT_1_KEYS} | {
        "format": FORMAT,
        "operating_points": {name: dataclasses.asdict(one) for name, one in decisions.items()},
        "seen": [list(pair) for pair in seen],
        "face_finder": None,
    }


def _wrong(key: str, wanted: str) -> ExportError:
    return ExportError(f"fauxlens.json: '{key}' must be {wanted}; export the detector again.")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 10_000 and value.isprintable()


def _is_int(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value) and low <= value <= high
    except OverflowError:  # a whole number beyond the largest double
        return False


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(_is_text(item) for item in value)


def _is_decision(value: object) -> bool:
    return (
        isinstance(value, Decision)
        and _is_number(value.fake_from, 0, 1)
        and _is_number(value.unsure_from, 0, 1)
        and value.unsure_from <= value.fake_from
    )


def _maps(value: object, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(_is_text(key) and holds(item) for key, item in value.items())


def _is_pair(value: object, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(holds(item) for item in value)


_FORMAT_1_LISTS = ("unsure", "generators_seen", "sources_seen")
_TUPLES = ("heatmap", "licences", "labels", *_FORMAT_1_LISTS)

_KEY_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "format": (lambda v: _is_int(v, FORMAT, FORMAT), f"the whole number {FORMAT}"),
    "name": (_is_text, "one line of text"),
    "variant": (lambda v: v in VARIANTS, "one of " + ", ".join(VARIANTS)),
    "view": (_is_text, "one line of text"),
    "unclear_faces": (lambda v: v in UNCLEAR, "one of " + ", ".join(UNCLEAR)),
    "front_end": (_is_text, "one line of text"),
    "size": (lambda v: _is_int(v, 8, 4096), "a whole number of pixels, 8 to 4096"),
    "heatmap": (lambda v: _is_pair(v, lambda n: _is_int(n, 1, 4096)), "two whole numbers, rows and columns"),
    "labels": (lambda v: v == LABELS, "[real, fake] in this order"),
    "operating_points": (
        lambda v: _maps(v, _is_decision) and set(v) == set(OPERATING_POINTS),
        "unsure_from <= fake_from, both in 0..1, for each of " + ", ".join(OPERATING_POINTS),
    ),
    "calibration": (
        lambda v: isinstance(v, CalibrationNote) and _is_number(v.scale) and _is_number(v.bias),
        "an object of two finite numbers, scale and bias",
    ),
    "seen": (
        lambda v: isinstance(v, tuple) and all(_is_pair(pair, _is_text) for pair in v),
        "a list of pairs of lines of text, generator and source",
    ),
    "face_finder": (
        lambda v: v is None or (_maps(v, _is_text) and "name" in v),
        "null, or an object of lines of text with a name",
    ),
    "training_sha256": (
        lambda v: isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v) is not None,
        "64 hexadecimal digits",
    ),
    "created_by": (lambda v: _maps(v, _is_text), "an object of package names and versions"),
    "figures": (lambda v: _maps(v, _is_number), "an object of finite numbers"),
    "licences": (_are_texts, "a list of lines of text"),
}

_FORMAT_1_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "operating_points": (
        lambda v: _maps(v, lambda n: _is_number(n, 0, 1)) and set(v) == set(OPERATING_POINTS),
        "one threshold in 0..1 for each of " + ", ".join(OPERATING_POINTS),
    ),
    "unsure": (
        lambda v: _is_pair(v, lambda n: _is_number(n, 0, 1)) and v[0] <= v[1],
        "two probabilities, low then high",
    ),
    "generators_seen": (_are_texts, "a list of lines of text"),
    "sources_seen": (_are_texts, "a list of lines of text"),
}
