"""One row of evidence, and how text from a stranger's file is made fit to be shown in it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "provenance", "metadata", "traces", "faces", "detector", "caution"]
Strength = Literal["strong", "medium", "weak", "none"]
Says = Literal["ai", "edited", "camera", "nothing"]

STRENGTHS: tuple[Strength, ...] = ("none", "weak", "medium", "strong")
MAX_SHOWN = 80


@dataclass(frozen=True)
class EvidenceRow:
    """One thing that is known of a picture.

    `kind` is where it comes from, `strength` how far it may be believed, `says` what it speaks for, `text` one or two
    plain sentences, `source` the place in the file or the program that it was read from.
    """

    kind: Kind
    strength: Strength
    says: Says
    text: str
    source: str


def strongest(rows: Iterable[EvidenceRow]) -> EvidenceRow | None:
    """The strongest row of a file's own that says something, the first of equals; None where none does."""
    own = [row for row in rows if row.kind in ("provenance", "metadata", "traces") and row.says != "nothing"]
    return max(own, key=lambda row: STRENGTHS.index(row.strength), default=None)


def shown(text: str, longest: int = MAX_SHOWN) -> str:
    """Foreign text for one line: blanks collapsed, control and format characters as U+FFFD, at most `longest` long.

    Control characters (Unicode categories Cc, Cf, Co, Cs) could move a terminal's cursor or turn the direction of
    writing; white space is that of ASCII, U+0085, U+00A0, U+2028 and U+2029. A text that was cut ends in an ellipsis.
    """
    # Nearly every name of a camera or a detector is as it should be, and is asked for once a picture.
    is_plain = text.isascii() and text.isprintable() and "  " not in text and text == text.strip(" ")
    if is_plain and len(text) <= longest:
        return text
    words = "".join(" " if one in _BLANKS else one for one in text[: longest * 8]).split(" ")
    line = " ".join(filter(None, words))
    line = "".join("\ufffd" if unicodedata.category(one) in _HIDDEN else one for one in line)
    return line if len(line) <= longest and len(text) <= longest * 8 else line[:longest] + "…"


_BLANKS = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029"
_HIDDEN = ("Cc", "Cf", "Co", "Cs")
