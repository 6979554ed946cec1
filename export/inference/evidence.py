"""Rows of evidence about one picture, and the one line that sums them up without claiming more than they do."""

from dataclasses import dataclass

from export.artifacts.description import BALANCED, Description
from export.inference.detector import Verdict
from export.inference.picture_result import PictureResult
from train.evaluate.decision import WORDS
from train.image.decode import Picture
from train.image.marks.rows import STRENGTHS, EvidenceRow, shown

CAUTION = EvidenceRow(
    "caution",
    "none",
    "nothing",
    "A score is not proof, and the detector misses generators that were not in its training. Do not accuse anyone "
    "because of it: find out where the picture comes from.",
    "Fauxlens",
)


@dataclass(frozen=True)
class PictureFacts:
    """What is known of the file itself: `sha256` of its bytes (hexadecimal), their number, format and pixels."""

    sha256: str
    size: int
    format: str
    width: int
    height: int
    jpeg_quality: int | None


@dataclass(frozen=True)
class Evidence:
    """All rows about one picture in the order to show them, and the sentence that sums them up."""

    facts: PictureFacts
    rows: tuple[EvidenceRow, ...]
    summary: str


def gather(
    facts: PictureFacts,
    picture: Picture,
    marks: tuple[EvidenceRow, ...],
    picture_result: PictureResult,
    about: Description,
) -> Evidence:
    """Put rows together: file, provenance and metadata, traces, faces, detector, caution."""
    order = {"file": 0, "provenance": 1, "metadata": 2, "traces": 3}
    own = sorted(marks, key=lambda row: order.get(row.kind, 4))
    evaluated = (*face_rows(picture_result), *detector_rows(picture_result, about))
    rows = (file_row(facts, picture), *own, *evaluated, CAUTION)
    return Evidence(facts, rows, sum_up(rows, picture_result))


def file_row(facts: PictureFacts, picture: Picture) -> EvidenceRow:
    """What the file is."""
    quality = f", quality about {facts.jpeg_quality}" if facts.jpeg_quality else ""
    notes = "".join(f" {note}" for note in picture.notes)
    text = f"{facts.format}, {facts.width} x {facts.height} pixels, {facts.size:,} bytes{quality}.{notes}"
    return EvidenceRow("file", "none", "nothing", text, "file")


def face_rows(picture_result: PictureResult) -> tuple[EvidenceRow, ...]:
    """Which faces were found and looked at."""
    texts = [*picture_result.notes, *(face.note for face in picture_result.faces if face.note)]
    if picture_result.face_found:
        count = len(picture_result.faces)
        texts.insert(0, "One face was found." if count == 1 else f"{count} faces were found.")
    if picture_result.face_found is None and not texts:
        texts = ["This detector does not look for faces: it classified the square that its view takes."]
    return tuple(EvidenceRow("faces", "none", "nothing", text, "face finder") for text in texts)


def detector_rows(picture_result: PictureResult, about: Description) -> tuple[EvidenceRow, ...]:
    """What the detector says of each face that was evaluated, with how often it is wrong at this operating point.

    It is weak evidence at the balanced point and medium at the strict ones, which were set for few false alarms; a
    probability below the threshold speaks for nothing, as it is no sign of a camera.
    """
    rows = []
    for face in picture_result.faces:
        verdict = face.verdict
        if verdict is None:
            continue
        name = f"Face {face.number} " if len(picture_result.faces) > 1 else ""
        text = verdict_sentence(verdict)
        text = f"{name}{text}. " if name else f"{text[0].upper()}{text[1:]}. "
        notes = "".join(f" {note}" for note in verdict.notes if note.startswith("The picture is"))
        says_fake = verdict.label == "fake"
        strength = STRENGTHS[(1 if verdict.operating_point == BALANCED else 2) if says_fake else 0]
        what = f"detector {shown(about.name)} ({about.variant})"
        rows.append(
            EvidenceRow(
                "detector",
                strength,
                "ai" if says_fake else "nothing",
                text + false_alarms(verdict, about) + notes,
                what,
            )
        )
    return tuple(rows)


def verdict_sentence(verdict: Verdict) -> str:
    """The verdict in words, with its probability and threshold."""
    at = "" if verdict.operating_point == BALANCED else f" at {verdict.operating_point}"
    return (
        f"{WORDS[verdict.label]} (probability of fake {verdict.probability:.3f}, threshold {verdict.threshold:.3f}{at})"
    )


def false_alarms(verdict: Verdict, about: Description) -> str:
    """How often the detector calls a real picture fake at the verdict's operating point, as far as is known."""
    measured = about.figures.get(f"reals_called_fake {verdict.operating_point}")
    if measured is not None:
        return f"Of real test pictures outside its training it called {100 * measured:.1f} % fake at this point."
    if verdict.operating_point == BALANCED:
        return "How often it calls a real picture fake at this point was not measured for this file."
    rate = verdict.operating_point.removeprefix("fpr-").replace("%", " %")
    return f"This point was set for {rate} false alarms in validation."


_LEADS = {
    ("strong", "ai"): "AI made this picture: its metadata says so, with a verified signature.",
    ("strong", "edited"): "This picture was edited or composed: its metadata says so, with a verified signature.",
    ("strong", "camera"): "A camera took this picture: its metadata says so, with a verified signature.",
    ("medium", "ai"): "AI likely made this picture: its metadata says so (not verified).",
    ("medium", "edited"): "This picture was likely edited or composed: its metadata says so (not verified).",
    ("medium", "camera"): "A camera may have taken this picture: its metadata says so (not verified).",
    ("weak", "ai"): "There are weak signs that AI made this picture.",
    ("weak", "edited"): "There are weak signs that this picture was edited.",
    ("weak", "camera"): "The metadata names a camera, but anyone can write that.",
}
_DETECTOR_LEADS = {
    "medium": "This picture looks AI-generated to the detector at a strict setting; there is no other evidence.",
    "weak": "This picture looks AI-generated to the detector, which is often wrong; there is no other evidence.",
}
_NOTHING = {
    "fake": "There is no evidence of AI.",
    "real": "No evidence of AI was found; that does not prove that it is a photograph.",
    "unsure": "There is no evidence for or against AI; the detector cannot tell either.",
    None: "Nothing was classified, and no evidence of AI was found.",
}
_TAILS = {
    "fake": " To the detector it looks AI-generated.",
    "real": " To the detector it looks real.",
    "unsure": " The detector cannot tell.",
}


def sum_up(rows: tuple[EvidenceRow, ...], picture_result: PictureResult | None) -> str:
    """One line that never claims more than the strongest row; of rows as strong, marks come before the detector.

    Where several faces were found it ends with the one that the detector finds worst.
    """
    return _what_is_said(rows, picture_result) + _worst_of_several(picture_result)


def _worst_of_several(picture_result: PictureResult | None) -> str:
    if picture_result is None or picture_result.worst is None or len(picture_result.faces) < 2:
        return ""
    return f" Highest probability of fake: face {picture_result.worst.number} of {len(picture_result.faces)}."


def _what_is_said(rows: tuple[EvidenceRow, ...], picture_result: PictureResult | None) -> str:
    best = _most_telling(rows)
    worst = (
        picture_result.worst.verdict.label
        if picture_result and picture_result.worst and picture_result.worst.verdict
        else None
    )
    if best is None:
        return _NOTHING[worst]
    if best.kind == "detector":
        return _DETECTOR_LEADS[best.strength]
    return _LEADS[best.strength, best.says] + _TAILS.get(worst or "", "")


def _most_telling(rows: tuple[EvidenceRow, ...]) -> EvidenceRow | None:
    telling = [row for row in rows if row.says != "nothing" and row.strength != "none"]
    ranks = {"provenance": 0, "metadata": 1, "traces": 2, "detector": 3}
    says = ("ai", "edited", "camera")

    def rank(row: EvidenceRow) -> tuple[int, int, int]:
        return -STRENGTHS.index(row.strength), ranks.get(row.kind, 4), says.index(row.says)

    return min(telling, key=rank, default=None)
