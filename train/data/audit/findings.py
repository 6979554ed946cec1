"""What an audit has to say, one finding at a time."""

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["failure", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_NAMED = 3
MOST_NAMED = 4
"""So many names stand in a finding's sentence."""


@dataclass(frozen=True)
class Finding:
    """One thing found, in words.

    A `failure` breaks a limit, a `warning` is something to fix or to know when reading a score, a `note` is neither.
    `topic` is one or two words, `sentence` says what was found, `remedy` what to do about it (may be empty).
    `examples` are paths of the manifest; each inner tuple is one case, to be shown side by side.
    """

    severity: Severity
    topic: str
    sentence: str
    remedy: str = ""
    examples: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """Sentence, remedy and the first case as one text."""
        first = f"First: {', '.join(self.examples[0][:_NAMED])}." if self.examples else ""
        return " ".join(part for part in (self.sentence, self.remedy, first) if part)
