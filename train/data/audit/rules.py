"""Verdicts: what the numbers of an audit mean, in words, and what to do about it."""

from collections import defaultdict
from collections.abc import Sequence

from train.data.audit.duplicates import Cases, Duplicates
from train.data.audit.file_statistics import WORDS, Count, Part
from train.data.audit.findings import Finding, Severity
from train.data.audit.limits import AuditLimits, exceeds
from train.data.audit.metadata_baseline import FeatureAlone, MetadataBaseline, PartPair
from train.data.manifest import LABELS, SPLITS
from train.data.scan.skipped import Skipped

# Below this the lower end of an interval is no news.
_TELLS = 0.55
# More than this many to one is worth a word, though no limit may be broken.
_UNEVEN = 3.0
# With fewer test pictures of a generator the interval of an AUC is wider than about +-0.07.
_FEW = 50
_NAMED = 4


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
        names = _listed([_pair_words(pair) for pair in matched])
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
        names = _listed([_pair_words(pair) for pair in close])
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


def check_duplicates(duplicates: Duplicates, limits: AuditLimits) -> list[Finding]:
    """Say what stands more than once, and what of it does harm."""
    return [
        *_cases_findings(
            "leak",
            duplicates.leaks,
            "are in more than one split",
            "Make the splits by group, without official splits.",
            exceeds(duplicates.leaks.count, limits.leaks),
        ),
        *_cases_findings(
            "conflict",
            duplicates.conflicts,
            "have the same content but are labelled both real and fake",
            "Correct the card or remove them.",
            exceeds(duplicates.conflicts.count, limits.conflicts),
        ),
        *_cases_findings(
            "conflict",
            duplicates.mixed_groups,
            "look alike with real and fake labels",
            "Look at them: remove mislabelled pictures; declare pairs (a face and its edit) by a group on the card.",
            exceeds(duplicates.mixed_groups.count, limits.mixed_groups),
        ),
        *_cases_findings(
            "overlap",
            duplicates.source_overlaps,
            "are in more than one source",
            "Do not hold out one source and train on the other.",
            exceeds(duplicates.source_overlaps.count, limits.source_overlaps),
        ),
        *_cases_findings(
            "duplicates",
            duplicates.exact,
            "are one content each",
            "They count more than others in training and in every figure: keep one of each.",
        ),
        *_cases_findings(
            "duplicates",
            duplicates.near,
            "look alike",
            "Look-alikes share a group, and splits by group keep them together.",
        ),
        *_cases_findings("pairs", duplicates.declared_pairs, "are declared pairs of real and fake look-alikes", ""),
    ]


def _cases_findings(topic: str, cases: Cases, what: str, remedy: str, fails: bool | None = None) -> list[Finding]:
    if not cases.count:
        return []
    severity: Severity = "note" if fails is None else "failure" if fails else "warning"
    groups = f"{_many(cases.count, 'group')} of {cases.pictures:,} pictures"
    largest = f", the largest of {cases.largest:,}" if cases.count > 1 and cases.largest > 2 else ""
    sentence = f"{groups} {what}{largest}."
    return [Finding(severity, topic, sentence, remedy, cases.examples)]


def check_balance(counts: Sequence[Count], limits: AuditLimits) -> list[Finding]:
    """Say where a class is missing or outnumbered, and which generators have too few test pictures to be evaluated."""
    table = {(label, split): 0 for label in LABELS for split in SPLITS}
    tests: dict[str, int] = defaultdict(int)
    for count in counts:
        table[count.label, count.split] += count.pictures
        if count.label == "fake":
            tests[count.generator] += count.pictures if count.split == "test" else 0
    found = []
    for label in LABELS:
        empty = [split for split in SPLITS if not table[label, split]]
        if len(empty) == len(SPLITS):
            found.append(Finding("failure", "balance", f"No picture is {label}.", "Add some."))
        elif empty:
            found.append(
                Finding("failure", "balance", f"No {label} picture is in split {' or '.join(empty)}.", "Add pictures.")
            )
    for few, many in (LABELS, LABELS[::-1]):
        ratios = {split: table[many, split] / table[few, split] for split in SPLITS if table[few, split]}
        uneven = {split: ratio for split, ratio in ratios.items() if ratio > _UNEVEN}
        if uneven:
            severity: Severity = "failure" if exceeds(max(uneven.values()), limits.class_ratio) else "warning"
            numbers = ", ".join(f"{ratio:.1f} in {split}" for split, ratio in uneven.items())
            sentence = f"There are several {many} pictures for each {few} one: {numbers}."
            remedy = f"Add {few} pictures; read AUC and rates, not accuracy."
            found.append(Finding(severity, "balance", sentence, remedy))
    few_tests = {generator: count for generator, count in tests.items() if count < _FEW}
    if few_tests:
        names = _listed([f"{generator} ({count})" for generator, count in few_tests.items()])
        sentence = f"Fewer than {_FEW} test pictures: {names}."
        found.append(Finding("warning", "balance", sentence, "Figures for these generators will have wide intervals."))
    return found


def check_faces(parts: Sequence[Part], limits: AuditLimits) -> list[Finding]:
    """Say in how many pictures no face, several faces, or nobody has looked."""
    pictures, looked_at = sum(part.pictures for part in parts), sum(part.looked_at for part in parts)
    if not looked_at:
        return [Finding("note", "faces", "Faces have not been detected yet.", "Run `fauxlens data faces MANIFEST`.")]
    found = []
    if looked_at < pictures:
        sentence = f"Faces have not been detected yet in {pictures - looked_at:,} of {pictures:,} pictures."
        found.append(Finding("note", "faces", sentence, "`fauxlens data faces MANIFEST` resumes where it stopped."))
    none, several = sum(part.no_face for part in parts), sum(part.several_faces for part in parts)
    if none:
        worst = max(parts, key=lambda part: part.no_face / max(1, part.looked_at))
        severity: Severity = "failure" if exceeds(none / looked_at, limits.no_face_share) else "warning"
        sentence = (
            f"{none:,} of {looked_at:,} pictures ({none / looked_at:.1%}) show no face that was found, most often in "
            f"{worst.name} ({worst.no_face / worst.looked_at:.1%})."
        )
        found.append(Finding(severity, "faces", sentence, "The recipe says whether they are dropped."))
    if several:
        sentence = f"{several:,} of {looked_at:,} pictures ({several / looked_at:.1%}) show several faces."
        found.append(Finding("note", "faces", sentence, "The largest face is the one that counts."))
    return found


def check_skipped(skipped: Sequence[Skipped], pictures: int, limits: AuditLimits) -> list[Finding]:
    """Say how many pictures the scan left out."""
    if not skipped:
        return []
    share = len(skipped) / (len(skipped) + pictures)
    severity: Severity = "failure" if exceeds(share, limits.skipped_share) else "warning"
    sentence = f"{_many(len(skipped), 'picture')} ({share:.1%}) left out: see the list of reasons."
    return [
        Finding(
            severity,
            "left out",
            sentence,
            "Get damaged files again, give the card rules for those it does not name, and mind what is too small.",
        )
    ]


def headline(findings: Sequence[Finding]) -> str:
    """Say in one or two sentences whether a score on these pictures can be believed."""
    failures = [finding for finding in findings if finding.severity == "failure"]
    warnings = sum(finding.severity == "warning" for finding in findings)
    if not failures:
        known = (
            f" Read the {_many(warnings, 'warning')} before you trust a score on these pictures." if warnings else ""
        )
        return f"All checks passed.{known}"
    topics = ", ".join(dict.fromkeys(finding.topic for finding in failures))
    more = f" {_many(warnings, 'warning')} as well." if warnings else ""
    return (
        f"{_many(len(failures), 'check')} failed ({topics}): do not trust a score on these pictures as they are.{more}"
    )


def auc_in_words(model: MetadataBaseline) -> str:
    """Write an AUC with its interval."""
    return f"AUC {model.auc:.2f} [{model.low:.2f}, {model.high:.2f}]"


def _pair_words(pair: PartPair) -> str:
    framing = "" if pair.framing is None else f", by framing {pair.framing.auc:.2f}"
    return f"{pair.real} with {pair.fake} ({auc_in_words(pair.files)}{framing})"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
