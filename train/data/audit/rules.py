"""Findings about what stands in a manifest: copies, balance, faces, what was left out; and the verdict over all."""

from collections import defaultdict
from collections.abc import Sequence

from train.common.text import first_names
from train.data.audit.duplicates import Cases, Duplicates
from train.data.audit.file_statistics import Count, Part
from train.data.audit.findings import MOST_NAMED, Finding, Severity
from train.data.audit.limits import AuditLimits, exceeds
from train.data.manifest import LABELS, SPLITS
from train.data.scan.skipped import Skipped

# More than this many to one is worth a word, though no limit may be broken.
_UNEVEN = 3.0
# With fewer test pictures of a generator the interval of an AUC is wider than about +-0.07.
_FEW = 50


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
        names = first_names([f"{generator} ({count})" for generator, count in few_tests.items()], MOST_NAMED)
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


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
