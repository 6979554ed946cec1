"""Findings about shortcuts: what tells the classes apart without a look at the faces, and what to do about it."""

from collections.abc import Sequence

from train.common.text import first_names
from train.data.audit.file_statistics import WORDS
from train.data.audit.findings import MOST_NAMED, Finding, Severity
from train.data.audit.limits import AuditLimits, exceeds
from train.data.audit.metadata_baseline import FeatureAlone, MetadataBaseline, PartPair

# Below this the lower end of an interval is no news.
_TELLS = 0.55


def baseline_verdict(baseline: MetadataBaseline | None, limits: AuditLimits) -> str:
    """Say in one sentence what the metadata baseline means for every score on the same pictures."""
    return baseline_finding(baseline, limits).text


def baseline_finding(model: MetadataBaseline | None, limits: AuditLimits) -> Finding:
    """Say what the metadata baseline means."""
    if model is None:
        return Finding("note", "shortcut", "The metadata baseline was not fitted: a class has fewer than 5 groups.")
    auc = auc_in_words(model)
    if exceeds(model.low, limits.null_auc):
        return Finding(
            "failure",
            "shortcut",
            f"File metadata alone separates the classes at {auc}: any score on this manifest is suspect.",
            "Equalise size, format and quality (`--equalise`), or train with JPEG and resize augmentation and evaluate "
            "matched sources only.",
        )
    if model.low > _TELLS:
        return Finding(
            "warning",
            "shortcut",
            f"File metadata alone says something about the class ({auc}).",
            "Compare every score with that.",
        )
    return Finding("note", "shortcut", f"File metadata alone does not separate the classes ({auc}).")


def check_features(alone: Sequence[FeatureAlone], limits: AuditLimits) -> list[Finding]:
    """Name the features that alone separate the classes."""
    found = []
    for remedy in dict.fromkeys(_REMEDIES.values()):
        failing = [one for one in alone if _REMEDIES[one.feature] == remedy and exceeds(one.model.low, limits.null_auc)]
        if failing:
            names = ", ".join(
                f"{one.words} alone separates the classes at {auc_in_words(one.model)}" for one in failing
            )
            sentence = f"{names[:1].upper()}{names[1:]}: any score on this split is suspect."
            found.append(Finding("failure", "shortcut", sentence, remedy))
    telling = [one for one in alone if one.model.low > _TELLS and not exceeds(one.model.low, limits.null_auc)]
    if telling:
        names = ", ".join(f"{one.words} ({one.model.auc:.2f})" for one in telling)
        is_smoothness = all(one.feature in ("bytes", "bytes_per_pixel") for one in alone if one.model.low > _TELLS)
        found.append(
            Finding(
                "warning",
                "shortcut",
                f"Each alone says something about the class, by AUC: {names}.",
                _SMOOTHNESS if is_smoothness else "",
            )
        )
    return found


_RESIZE = "Resize all pictures to one size (`--equalise`); the resize of a view alone keeps the blur of each size."
_RESAVE = "Save all pictures with one JPEG encoder at one quality (`--equalise`), or train with JPEG augmentation."
_SMOOTHNESS = (
    "Size, format and quality do not explain it; what remains is how smooth or sharp the pixels are, from earlier "
    "resizing or compression or from the generator."
)
_REMEDIES = {
    "width": _RESIZE,
    "height": _RESIZE,
    "aspect": "Crop all pictures to squares (`square` or `face(K)` in the view, or `--equalise`).",
    "format": _RESAVE,
    "jpeg_quality": _RESAVE,
    "bytes_per_pixel": _RESAVE,
    "bytes": _RESAVE,
}


def check_framing(model: MetadataBaseline | None, limits: AuditLimits) -> list[Finding]:
    """Say what the place and distance of the eyes tell, where it tells."""
    if model is None or model.low <= _TELLS:
        return []
    severity: Severity = "failure" if exceeds(model.low, limits.framing_auc) else "warning"
    sentence = f"The position of the eyes in the picture predicts the class ({auc_in_words(model)})."
    return [Finding(severity, "framing", sentence, "Use a view with face(K), which crops all faces in the same way.")]


def check_pairs(pairs: Sequence[PartPair]) -> list[Finding]:
    """Name the pairs of sources that only their pixels tell apart, and count the others."""
    if not pairs:
        return []
    found = []
    matched = [pair for pair in pairs if pair.verdict == "matched"]
    if matched:
        names = first_names([_pair_words(pair) for pair in matched], MOST_NAMED)
        what = "file facts" if any(pair.framing is None for pair in matched) else "file facts and framing"
        found.append(
            Finding("note", "pairs", f"Matched in {what}: {names}.", "Trust and report scores on these first.")
        )
    else:
        found.append(
            Finding(
                "warning",
                "pairs",
                "No real source matches a fake one.",
                "Add reals in the size, format and quality of the fakes, or equalise (`--equalise`).",
            )
        )
    close = [pair for pair in pairs if pair.verdict == "close"]
    if close:
        names = first_names([_pair_words(pair) for pair in close], MOST_NAMED)
        found.append(
            Finding("note", "pairs", f"Nearly matched: {names}.", "File metadata still separates them slightly.")
        )
    apart = [pair for pair in pairs if pair.verdict == "apart"]
    if apart:
        worst = apart[-1]
        names = " and ".join(WORDS[feature] for feature in worst.telling[:2]) or "several facts together"
        auc = worst.files.auc
        if worst.framing is not None and worst.framing.auc > auc:
            names, auc = "framing", worst.framing.auc
        found.append(
            Finding(
                "warning",
                "pairs",
                f"{len(apart)} of {len(pairs)} pairs of a real and a fake source can be separated without pixels, "
                f"{worst.real} and {worst.fake} by {names} at AUC {auc:.2f}.",
                "A score on such a pair says little about faces.",
            )
        )
    return found


def auc_in_words(model: MetadataBaseline) -> str:
    """Write an AUC with its interval."""
    return f"AUC {model.auc:.2f} [{model.low:.2f}, {model.high:.2f}]"


def _pair_words(pair: PartPair) -> str:
    framing = "" if pair.framing is None else f", by framing {pair.framing.auc:.2f}"
    return f"{pair.real} with {pair.fake} ({auc_in_words(pair.files)}{framing})"
