"""Evidence about a picture as lines for a terminal."""

import textwrap

from export.inference.detect_files import DetectedPicture, Result
from export.inference.evidence import sum_up
from train.common.text import printable
from train.image.marks.rows import EvidenceRow

_NARROWEST = 40


def all_lines(result: Result, width: int = 0) -> str:
    """Rows of evidence, then the sentence that sums them up; wrapped at `width` columns, 0 for not at all.

    Of a picture that could not be evaluated, what its file says; "" where it says nothing.
    """
    if isinstance(result, DetectedPicture):
        overlay = [f"  heatmap: {printable(str(result.overlay))}"] if result.overlay else []
        return "\n".join([*_lines(result.name, result.evidence.rows, result.evidence.summary, width), *overlay])
    if not any(row.says != "nothing" for row in result.rows):
        return ""
    return "\n".join(_lines(result.name, result.rows, sum_up(result.rows, None), width))


def _lines(name: str, rows: tuple[EvidenceRow, ...], summary: str, width: int) -> list[str]:
    lines = [printable(name)]
    for row in rows:
        strength = f" [{row.strength}]" if row.says != "nothing" else ""
        lines.append(_wrapped(f"  {row.kind:<11} {row.text}{strength}", width, 14))
    lines.append(_wrapped(f"  In short: {summary}", width, 4))
    return lines


def one_line(found: DetectedPicture) -> str:
    """The sentence that sums up, with the probability of fake of the worst face."""
    worst = found.picture_result.worst
    probability = f" ({worst.verdict.probability:.3f})" if worst is not None and worst.verdict is not None else ""
    return printable(f"{found.name}: {found.evidence.summary}{probability}")


def _wrapped(text: str, width: int, indent: int) -> str:
    text = printable(text)
    if width < _NARROWEST:
        return text
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)
