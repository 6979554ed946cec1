"""The audit: can a score on this manifest be believed?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from train.data.audit.duplicates import Duplicates, find_duplicates
from train.data.audit.file_statistics import Count, MeasureSpread, Part, count_pictures, parts, spreads, with_measures
from train.data.audit.findings import SEVERITIES, Finding
from train.data.audit.limits import AuditLimits
from train.data.audit.marks import marks_findings
from train.data.audit.metadata_baseline import (
    FeatureAlone,
    MetadataBaseline,
    PartPair,
    fit_features_alone,
    fit_framing,
    fit_metadata_baseline,
    fit_pairs,
)
from train.data.audit.rules import check_balance, check_duplicates, check_faces, check_skipped, headline
from train.data.audit.sharpness import Sharpness
from train.data.audit.shortcut_rules import (
    baseline_finding,
    baseline_verdict,
    check_features,
    check_framing,
    check_pairs,
)
from train.data.manifest import Manifest
from train.data.scan.skipped import Skipped

__all__ = ["Audit", "AuditLimits", "audit", "baseline_verdict"]

FORMAT = 1
"""Version of an audit's JSON document."""


@dataclass(frozen=True)
class Audit:
    """All that was found: `found` in words, failures first, the rest the numbers they are from.

    `members` lists every picture that stands more than once (see `find_duplicates`); it is too long for the document.
    """

    counts: tuple[Count, ...]
    parts: tuple[Part, ...]
    spreads: tuple[MeasureSpread, ...]
    duplicates: Duplicates
    baseline: MetadataBaseline | None
    features_alone: tuple[FeatureAlone, ...]
    framing: MetadataBaseline | None
    pairs: tuple[PartPair, ...]
    skipped: tuple[Skipped, ...]
    limits: AuditLimits
    found: tuple[Finding, ...]
    sharpness: Sharpness | None
    members: pl.DataFrame = field(compare=False, repr=False)

    @property
    def failures(self) -> tuple[str, ...]:
        """What broke the limits, a text each; an audit without any has passed."""
        return tuple(finding.text for finding in self.found if finding.severity == "failure")

    @property
    def findings(self) -> tuple[str, ...]:
        """The other findings, a text each."""
        return tuple(finding.text for finding in self.found if finding.severity != "failure")

    @property
    def verdict(self) -> str:
        """Whether a score on these pictures can be believed, in one or two sentences."""
        return headline(self.found)

    @property
    def document(self) -> dict[str, Any]:
        """The audit as plain values for JSON, without `members`."""
        names = [name for name in self.__dataclass_fields__ if name != "members"]
        # Format 1 has other names for two of them.
        keys = {"baseline": "null_model", "duplicates": "repeats"}
        shown = {keys.get(name, name): getattr(self, name) for name in names}
        return {"format": FORMAT, "passed": not self.failures, "verdict": self.verdict, **_plain(shown)}


def audit(
    manifest: Manifest,
    skipped: Sequence[Skipped] = (),
    limits: AuditLimits | None = None,
    seed: int = 0,
    extra: Sequence[Finding] = (),
    sharpness: Sharpness | None = None,
) -> Audit:
    """Audit a manifest without opening its pictures.

    `skipped` is what the scan left out, `extra` what others have found that do open them (transformed copies, traces
    of re-saving); both are told with the rest, and a failure among `extra` fails the audit. `sharpness` is that of the
    sources, if somebody has measured it. `seed` is for the metadata baselines, which see
    samples of large manifests.
    """
    frame, limits = manifest.frame, limits or AuditLimits()
    measured = with_measures(frame)
    counts, of_parts = count_pictures(frame), parts(measured)
    duplicates, members = find_duplicates(frame)
    baseline, alone = fit_metadata_baseline(frame, seed), fit_features_alone(frame, seed)
    framing, pairs = fit_framing(frame, seed), fit_pairs(frame, seed)
    found = [
        *check_balance(counts, limits),
        *marks_findings(frame),
        baseline_finding(baseline, limits),
        *check_features(alone, limits),
        *check_pairs(pairs),
        *check_framing(framing, limits),
        *check_duplicates(duplicates, limits),
        *extra,
        *check_faces(of_parts, limits),
        *check_skipped(skipped, frame.height, limits),
    ]
    return Audit(
        counts=counts,
        parts=of_parts,
        spreads=spreads(measured),
        duplicates=duplicates,
        baseline=baseline,
        features_alone=alone,
        framing=framing,
        pairs=pairs,
        skipped=tuple(skipped),
        limits=limits,
        found=tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))),
        sharpness=sharpness,
        members=members,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
