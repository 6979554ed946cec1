"""Do labels agree with what the files say of themselves, and do such marks alone tell the classes apart?"""

import polars as pl

from train.data.audit.findings import Finding
from train.data.manifest import LABELS

# With such a difference in how many files of a class have a mark, a rule that looks at nothing else is right in three
# of four cases (of as many reals as fakes).
MAX_DIFFERENCE = 0.5
_TELLING = 0.1
_EXAMPLES = 5
_MEANING = {"ai": "say that AI made them", "camera": "name a camera", "edited": "say that they were edited"}


def marks_findings(frame: pl.DataFrame) -> tuple[Finding, ...]:
    """Findings about the attributes `mark_says` and `mark` of a manifest, none where a scan found no marks.

    Reals that say that AI made them are a failure, fakes that name a camera a note, as edits and reconstructions keep
    metadata. A kind of mark that one class has more often by MAX_DIFFERENCE is a warning.
    """
    if "mark_says" not in frame.columns:
        return ()
    return (*_disagreeing(frame), *_telling(frame))


def _disagreeing(frame: pl.DataFrame) -> list[Finding]:
    found = []
    wrong = frame.filter(label="real", mark_says="ai")
    if wrong.height:
        sentence = f"{_of(wrong, frame, 'real')} say that AI made them{_first(wrong)}"
        remedy = "Look at them, and relabel or leave them out."
        found.append(Finding("failure", "marks", sentence, remedy, _paths(wrong)))
    odd = frame.filter(label="fake", mark_says="camera")
    if odd.height:
        sentence = f"{_of(odd, frame, 'fake')} name a camera{_first(odd)}"
        remedy = "Edits and reconstructions of photographs keep that; others may be mislabelled."
        found.append(Finding("note", "marks", sentence, remedy, _paths(odd)))
    return found


def _telling(frame: pl.DataFrame) -> list[Finding]:
    found = []
    for says, words in _MEANING.items():
        parts = [
            float((frame.filter(label=label)["mark_says"] == says).fill_null(False).mean() or 0.0)  # type: ignore[arg-type]
            for label in LABELS
        ]
        if abs(parts[0] - parts[1]) < _TELLING:
            continue
        percentages = " and ".join(f"{part:.0%} of the {label}s" for part, label in zip(parts, LABELS, strict=True))
        if abs(parts[0] - parts[1]) >= MAX_DIFFERENCE:
            sentence = f"Metadata marks alone separate the classes: {percentages} {words}."
            remedy = "No view shows them to a model, but such sources differ in their past, too: compare matched ones."
            found.append(Finding("warning", "marks", sentence, remedy))
        else:
            found.append(Finding("note", "marks", f"{percentages[:1].upper()}{percentages[1:]} {words}."))
    return found


def _of(part: pl.DataFrame, frame: pl.DataFrame, label: str) -> str:
    return f"{part.height:,} of {frame.filter(label=label).height:,} pictures labelled {label}"


def _first(part: pl.DataFrame) -> str:
    text = part["mark"][0] if "mark" in part.columns else None
    return f", the first so: {text}" if text else "."


def _paths(part: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    return tuple((path,) for path in part["path"].head(_EXAMPLES))
