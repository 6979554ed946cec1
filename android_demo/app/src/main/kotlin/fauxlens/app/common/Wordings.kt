package fauxlens.app.common

import fauxlens.app.R
import fauxlens.core.Message
import fauxlens.core.Refusal
import fauxlens.core.Wording
import fauxlens.core.marks.MarkWording
import fauxlens.core.marks.SummaryWording

/** What `core` says, in the person's language. */
fun sentenceOf(message: Message): Sentence =
    Sentence.Of(idOf(message.wording), message.arguments.map { if (it is Message) sentenceOf(it) else it })

private fun idOf(wording: Wording): Int = when (wording) {
    is MarkWording -> wording.id
    is SummaryWording -> wording.id
    is Refusal -> wording.id
    else -> throw IllegalArgumentException("${wording.name} has no words in other languages.")
}

private val MarkWording.id: Int
    get() = when (this) {
        MarkWording.NO_MARK -> R.string.mark_no_mark
        MarkWording.CUT_SHORT -> R.string.mark_cut_short
        MarkWording.TOO_MANY -> R.string.mark_too_many
        MarkWording.LONG_TEXT -> R.string.mark_long_text
        MarkWording.MANY_TEXTS -> R.string.mark_many_texts
        MarkWording.LARGE_MANIFEST -> R.string.mark_large_manifest
        MarkWording.LARGE_XMP -> R.string.mark_large_xmp
        MarkWording.LARGE_EXTENDED_XMP -> R.string.mark_large_extended_xmp
        MarkWording.LONG_UNPACKED -> R.string.mark_long_unpacked
        MarkWording.DAMAGED_TEXT -> R.string.mark_damaged_text
        MarkWording.EXIF_LOOPS -> R.string.mark_exif_loops
        MarkWording.EXIF_ORDER -> R.string.mark_exif_order
        MarkWording.XMP_REFUSED -> R.string.mark_xmp_refused
        MarkWording.XMP_DAMAGED -> R.string.mark_xmp_damaged
        MarkWording.MANIFEST_DAMAGED -> R.string.mark_manifest_damaged
        MarkWording.MANIFEST -> R.string.mark_manifest
        MarkWording.MANIFEST_OF -> R.string.mark_manifest_of
        MarkWording.MANIFEST_SIGNER -> R.string.mark_manifest_signer
        MarkWording.MANIFEST_SAYS -> R.string.mark_manifest_says
        MarkWording.MANIFEST_SILENT -> R.string.mark_manifest_silent
        MarkWording.MANIFEST_MISMATCH -> R.string.mark_manifest_mismatch
        MarkWording.MANIFEST_UNCHECKED -> R.string.mark_manifest_unchecked
        MarkWording.MANIFEST_ELSEWHERE -> R.string.mark_manifest_elsewhere
        MarkWording.NO_ADDRESS -> R.string.mark_no_address
        MarkWording.TYPE -> R.string.mark_type
        MarkWording.TYPE_EDITED -> R.string.mark_type_edited
        MarkWording.COMPOSED -> R.string.mark_composed
        MarkWording.XMP_SAYS -> R.string.mark_xmp_says
        MarkWording.AIGC -> R.string.mark_aigc
        MarkWording.AIGC_PRODUCER -> R.string.mark_aigc_producer
        MarkWording.GENERATOR -> R.string.mark_generator
        MarkWording.GENERATOR_MODEL -> R.string.mark_generator_model
        MarkWording.EDITOR -> R.string.mark_editor
        MarkWording.CAMERA -> R.string.mark_camera
        MarkWording.CAMERA_DATE -> R.string.mark_camera_date
        MarkWording.SOFTWARE -> R.string.mark_software
        MarkWording.MADE_BY_AI -> R.string.mark_made_by_ai
        MarkWording.MADE_BY_A_PROGRAM -> R.string.mark_made_by_a_program
        MarkWording.EDITED_WITH_AI -> R.string.mark_edited_with_ai
        MarkWording.COMPOSED_SYNTHETIC -> R.string.mark_composed_synthetic
        MarkWording.COMPOSED_PHOTOGRAPHS -> R.string.mark_composed_photographs
        MarkWording.COMPOSED_PICTURES -> R.string.mark_composed_pictures
        MarkWording.ENHANCED -> R.string.mark_enhanced
        MarkWording.EDITED_BY_PERSON -> R.string.mark_edited_by_person
        MarkWording.EDITED_A_LITTLE -> R.string.mark_edited_a_little
        MarkWording.TAKEN_BY_CAMERA -> R.string.mark_taken_by_camera
        MarkWording.FROM_FILM -> R.string.mark_from_film
        MarkWording.FROM_PRINT -> R.string.mark_from_print
        MarkWording.DRAWN -> R.string.mark_drawn
        MarkWording.FROM_DATA -> R.string.mark_from_data
        MarkWording.FROM_SCREEN -> R.string.mark_from_screen
        MarkWording.VIRTUAL -> R.string.mark_virtual
        MarkWording.BEGUN_EMPTY -> R.string.mark_begun_empty
        MarkWording.UNKNOWN_WAY -> R.string.mark_unknown_way
    }

private val SummaryWording.id: Int
    get() = when (this) {
        SummaryWording.MEDIUM_AI -> R.string.summary_medium_ai
        SummaryWording.MEDIUM_EDITED -> R.string.summary_medium_edited
        SummaryWording.MEDIUM_CAMERA -> R.string.summary_medium_camera
        SummaryWording.WEAK_AI -> R.string.summary_weak_ai
        SummaryWording.WEAK_EDITED -> R.string.summary_weak_edited
        SummaryWording.WEAK_CAMERA -> R.string.summary_weak_camera
        SummaryWording.DETECTOR_MEDIUM -> R.string.summary_detector_medium
        SummaryWording.DETECTOR_WEAK -> R.string.summary_detector_weak
        SummaryWording.NOTHING_REAL -> R.string.summary_nothing_real
        SummaryWording.NOTHING_UNSURE -> R.string.summary_nothing_unsure
        SummaryWording.NOTHING_JUDGED -> R.string.summary_nothing_judged
        SummaryWording.TAIL_FAKE -> R.string.summary_tail_fake
        SummaryWording.TAIL_REAL -> R.string.summary_tail_real
        SummaryWording.TAIL_UNSURE -> R.string.summary_tail_unsure
    }
