"""What an audit lets pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from train.common.errors import DataError


def _limit(default: float | None, *, low: float, high: float | None = None, whole: bool = False) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "whole": whole})


@dataclass(frozen=True)
class AuditLimits:
    """The most that an audit lets pass of each kind; None lets everything pass, and it is only told.

    - `leaks`: groups of look-alikes, or groups of the manifest, that stand in more than one split.
    - `conflicts`: contents that are labelled both real and fake.
    - `mixed_groups`: groups of look-alikes with both labels that no card declares as pairs. Open, because of a
      million aligned faces some look alike to a 64-bit hash by chance, and undeclared pairs may be meant.
    - `source_overlaps`: groups of look-alikes in more than one source. Open for the same reason.
    - `null_auc`: lower end of the interval of the metadata baseline, or of one feature alone; 0.5 to 1.
    - `framing_auc`: the same for where the eyes are. Open, because a view with face(K) takes framing away.
    - `class_ratio`: pictures of the larger class for each of the smaller one, in any split.
    - `skipped_share`: pictures left out by the scan, as a fraction of all.
    - `no_face_share`: pictures without a face, as a fraction of those that were looked at. Open, because a control
      set of other things has none.
    """

    leaks: int | None = _limit(0, low=0, whole=True)
    conflicts: int | None = _limit(0, low=0, whole=True)
    mixed_groups: int | None = _limit(None, low=0, whole=True)
    source_overlaps: int | None = _limit(None, low=0, whole=True)
    null_auc: float | None = _limit(0.75, low=0.5, high=1)
    framing_auc: float | None = _limit(None, low=0.5, high=1)
    class_ratio: float | None = _limit(10.0, low=1)
    skipped_share: float | None = _limit(0.05, low=0, high=1)
    no_face_share: float | None = _limit(None, low=0, high=1)


def parse_limits(texts: Sequence[str]) -> AuditLimits:
    """Return the default limits with those of `texts` ("NAME=VALUE", "NAME=none") put in.

    Raises DataError that names the limit and what is allowed.
    """
    known = {one.name: one for one in fields(AuditLimits)}
    given: dict[str, float | None] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in known:
            raise DataError(f"{name!r} is not a limit of the audit: choose one of {', '.join(known)}.")
        if name in given:
            raise DataError(f"Limit {name!r} is given twice: give it once.")
        if not equals:
            raise DataError(f"Limit {name!r} has no value: write {name}=VALUE or {name}=none.")
        given[name] = _value(name, value, **known[name].metadata)
    return replace(AuditLimits(), **given)  # type: ignore[arg-type]


def exceeds(value: float, limit: float | None) -> bool:
    """Tell whether a value breaks a limit; nothing breaks an open one."""
    return limit is not None and value > limit


def _value(name: str, text: str, low: float, high: float | None, whole: bool) -> float | None:
    if text.lower() == "none":
        return None
    try:
        value: float = int(text) if whole else float(text)
    except ValueError:
        value = float("nan")
    # Also false for NaN.
    if not (low <= value <= (float("inf") if high is None else high)) or value == float("inf"):
        kind = "a whole number" if whole else "a number"
        span = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise DataError(f"Limit {name!r} is {text!r}: it must be {kind} {span}, or none.")
    return value
