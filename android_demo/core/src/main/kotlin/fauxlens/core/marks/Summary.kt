package fauxlens.core.marks

import fauxlens.core.Label
import fauxlens.core.Message
import fauxlens.core.OperatingPoint
import fauxlens.core.Wording

/** The one line over all evidence; the English is that of export/inference/evidence.py, word for word. */
enum class SummaryWording(override val english: String) : Wording {
    MEDIUM_AI("AI likely made this picture: its metadata says so (not verified)."),
    MEDIUM_EDITED("This picture was likely edited or composed: its metadata says so (not verified)."),
    MEDIUM_CAMERA("A camera may have taken this picture: its metadata says so (not verified)."),
    WEAK_AI("There are weak signs that AI made this picture."),
    WEAK_EDITED("There are weak signs that this picture was edited."),
    WEAK_CAMERA("The metadata names a camera, but anyone can write that."),
    DETECTOR_MEDIUM("This picture looks AI-generated to the detector at a strict setting; there is no other evidence."),
    DETECTOR_WEAK("This picture looks AI-generated to the detector, which is often wrong; there is no other evidence."),
    NOTHING_REAL("No evidence of AI was found; that does not prove that it is a photograph."),
    NOTHING_UNSURE("There is no evidence for or against AI; the detector cannot tell either."),
    NOTHING_JUDGED("Nothing was classified, and no evidence of AI was found."),
    TAIL_FAKE("To the detector it looks AI-generated."),
    TAIL_REAL("To the detector it looks real."),
    TAIL_UNSURE("The detector cannot tell."),
}

/**
 * One or two sentences that never claim more than the strongest of the rows, the detector's among them.
 *
 * `label` is the detector's on the picture's most suspicious face at `point`, null where nothing was judged. Of rows as
 * strong, marks come before the detector.
 */
fun summaryOf(rows: List<Row>, label: Label?, point: OperatingPoint): List<Message> {
    val best = rows.filter { it.says != Says.NOTHING && it.strength != Strength.NONE }
        .minWithOrNull(compareBy({ -it.strength.ordinal }, { it.kind.rank }, { it.says }))
    val detector = when {
        label != Label.FAKE -> Strength.NONE
        point == OperatingPoint.BALANCED -> Strength.WEAK
        else -> Strength.MEDIUM
    }
    val wordings = when {
        best != null && best.strength >= detector -> listOfNotNull(leadOf(best), label?.let(::tailOf))
        detector == Strength.MEDIUM -> listOf(SummaryWording.DETECTOR_MEDIUM)
        detector == Strength.WEAK -> listOf(SummaryWording.DETECTOR_WEAK)
        label == Label.REAL -> listOf(SummaryWording.NOTHING_REAL)
        label == Label.UNSURE -> listOf(SummaryWording.NOTHING_UNSURE)
        else -> listOf(SummaryWording.NOTHING_JUDGED)
    }
    return wordings.map { Message(it) }
}

private val Kind.rank: Int
    get() = when (this) {
        Kind.PROVENANCE -> 0
        Kind.METADATA -> 1
        Kind.FILE -> 2
    }

private fun leadOf(row: Row): SummaryWording = when (row.says) {
    Says.AI -> if (row.strength == Strength.MEDIUM) SummaryWording.MEDIUM_AI else SummaryWording.WEAK_AI
    Says.EDITED -> if (row.strength == Strength.MEDIUM) SummaryWording.MEDIUM_EDITED else SummaryWording.WEAK_EDITED
    else -> if (row.strength == Strength.MEDIUM) SummaryWording.MEDIUM_CAMERA else SummaryWording.WEAK_CAMERA
}

private fun tailOf(label: Label): SummaryWording = when (label) {
    Label.FAKE -> SummaryWording.TAIL_FAKE
    Label.REAL -> SummaryWording.TAIL_REAL
    Label.UNSURE -> SummaryWording.TAIL_UNSURE
}
