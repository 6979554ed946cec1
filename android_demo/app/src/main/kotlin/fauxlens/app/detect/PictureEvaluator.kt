package fauxlens.app.detect

import android.graphics.Bitmap
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.sha256
import fauxlens.app.model.Details
import fauxlens.app.model.Judged
import fauxlens.app.model.JudgedFace
import fauxlens.app.model.PictureState
import fauxlens.app.model.Stage
import fauxlens.app.picture.DecodedPicture
import fauxlens.app.picture.PREVIEW_SIDE
import fauxlens.app.picture.PictureDecoder
import fauxlens.app.picture.alphaOfWebp
import fauxlens.app.picture.bitmapOf
import fauxlens.app.picture.uprightCopy
import fauxlens.core.ArgbRaster
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import fauxlens.core.View
import fauxlens.core.face.Face
import fauxlens.core.judge
import fauxlens.core.look
import fauxlens.core.marks.Row
import fauxlens.core.marks.readMarks
import fauxlens.core.overlay

/**
 * A picture that was opened: its file, and an upright copy to show.
 *
 * `width` and `height` are those of the decoded upright picture, in whose pixels squares and eyes are. The decoded
 * pixels are not kept, they may be 100 MB: another square decodes the file again. `faces` is null where none was looked
 * for.
 */
class Subject(
    val bytes: ByteArray,
    val sha256: String,
    val preview: Bitmap,
    val width: Int,
    val height: Int,
    val faces: List<Face>?,
    val notes: List<Sentence>,
    val marks: List<Row>,
) {
    val smallest: Int get() = smallestSide(width, preview.width, preview.height)
}

/** The way from a file to a verdict. On the worker thread; `nanoTime` is a clock in nanoseconds. */
class PictureEvaluator(private val decoder: PictureDecoder, private val nanoTime: () -> Long) {
    /**
     * Opens a picture and judges every face in it, or what its detector looks at; `onStage` is told what is being done.
     *
     * Where faces are needed and there is no finder, or all are too small, the person is asked for a square. Throws
     * Trouble and Refused, and whatever `onStage` throws.
     */
    fun open(
        bytes: ByteArray,
        running: Running,
        finder: FaceFinder?,
        point: OperatingPoint,
        onStage: (Stage) -> Unit,
    ): Pair<Subject, PictureState> {
        // Before it is decoded, which may change what the bytes say about colours.
        val hash = sha256(bytes)
        val marks = readMarks(bytes, ::alphaOfWebp).rows
        val start = nanoTime()
        val decoded = decoder.decode(bytes)
        try {
            val decodeMs = milliseconds(start)
            val view = running.detector.view
            val copy = uprightCopy(decoded.stored, turnOf(view, decoded), PREVIEW_SIDE)
            val (width, height) = sidesIn(view, decoded)
            if (view.needsEyes) onStage(Stage.FINDING_FACE)
            val faces = if (view.needsEyes) finder?.find(decoded.stored, turnOf(view, decoded)) else null
            val (small, judged) = choicesFor(view, faces).withIndex().partition { isTooSmall(it.value) }
            val notes = small.map { Sentence.of(R.string.note_small_face, it.index + 1) } + decoded.notes
            val subject = Subject(bytes, hash, bitmapOf(copy), width, height, faces, notes, marks)
            val asks = view.needsEyes && (finder == null || judged.isEmpty())
            if (asks) return subject to proposal(subject, running)
            onStage(Stage.JUDGING)
            val none = if (faces != null && faces.isEmpty()) listOf(Sentence.of(R.string.note_no_face)) else emptyList()
            val way = Way(subject, decoded, decodeMs, running, point)
            return subject to PictureState.Judged(judgedPicture(way, judged.map { it.index + 1 to it.value }, none))
        } finally {
            decoded.release()
        }
    }

    /** Judges the square (in pixels of the preview) that a person chose. Throws Trouble and Refused. */
    fun judge(subject: Subject, square: Square, running: Running, point: OperatingPoint): PictureState {
        val start = nanoTime()
        val decoded = decoder.decode(subject.bytes)
        try {
            val way = Way(subject, decoded, milliseconds(start), running, point)
            return PictureState.Judged(judgedPicture(way, listOf(1 to choiceOf(subject, square, running)), emptyList()))
        } finally {
            decoded.release()
        }
    }

    /** What all faces of a picture have in common on their way. */
    private class Way(
        val subject: Subject,
        val decoded: DecodedPicture,
        val decodeMs: Double,
        val running: Running,
        val point: OperatingPoint,
    )

    private fun judgedPicture(way: Way, choices: List<Pair<Int, Choice>>, first: List<Sentence>): Judged {
        val subject = way.subject
        val levels = errorLevels(subject.preview)
        val overlaySide = if (choices.size == 1) OVERLAY_SIDE else OVERLAY_SIDE_OF_SEVERAL
        val faces = choices.map { (number, choice) -> judgedFace(way, number, choice, levels.gain, overlaySide) }
        val shown = faces.indices.maxByOrNull { faces[it].verdict.probability } ?: 0
        val looked = faces.flatMap { enlarged(it.details.square?.side ?: minOf(subject.width, subject.height), way) }
        return Judged(
            preview = subject.preview,
            faces = faces,
            shown = shown,
            ela = levels.bitmap,
            notes = first + subject.notes + looked.distinct(),
            marks = subject.marks,
            adjustable = way.running.detector.view.needsEyes,
        )
    }

    private fun judgedFace(way: Way, number: Int, choice: Choice, elaGain: Double, overlaySide: Int): JudgedFace {
        val (subject, decoded, running) = Triple(way.subject, way.decoded, way.running)
        val description = running.detector.description
        val square = choice.square(subject.width, subject.height)
        val viewStart = nanoTime()
        val view = look(choice.view, decoded.stored, decoded.orientation, choice.eyes)
        val viewMs = milliseconds(viewStart)
        val runStart = nanoTime()
        val output = running.engine.run(view)
        val latencyMs = milliseconds(runStart)
        val verdict = judge(description, output, way.point)
        val details = Details(
            detector = description.name,
            variant = description.variant,
            view = choice.view.text,
            frontEnd = description.frontEnd,
            format = decoded.format.title,
            bytes = subject.bytes.size,
            sha256 = subject.sha256,
            width = if (decoded.lies) decoded.fileHeight else decoded.fileWidth,
            height = if (decoded.lies) decoded.fileWidth else decoded.fileHeight,
            orientation = decoded.orientation,
            sample = decoded.sample,
            square = square,
            faces = subject.faces?.size,
            runtime = running.engine.name,
            accelerator = running.settings.accelerator,
            threads = running.settings.threads,
            decodeMs = way.decodeMs,
            viewMs = viewMs,
            latencyMs = latencyMs,
            elaQuality = ELA_QUALITY,
            elaGain = elaGain,
        )
        return JudgedFace(
            number = number,
            square = square?.let { rescaled(it, subject.width, subject.preview.width) },
            verdict = verdict,
            overlay = bitmapOf(ArgbRaster(overlaySide, overlaySide, overlay(verdict.heatmap, overlaySide))),
            details = details,
        )
    }

    // As export/inference/detector.py `_notes`, of the part that is looked at.
    private fun enlarged(side: Int, way: Way): List<Sentence> {
        val size = way.running.detector.view.size
        return if (side >= size) emptyList() else listOf(Sentence.of(R.string.note_enlarged, side, size))
    }

    private fun milliseconds(start: Long): Double = (nanoTime() - start) / 1e6

    private companion object {
        // Smooth on every screen: maps have a few cells a side. Of several faces each is a part of the screen.
        const val OVERLAY_SIDE = 512
        const val OVERLAY_SIDE_OF_SEVERAL = 256
    }
}

/** The state in which the person says what is looked at; the largest face or the centre as a proposal. */
fun proposal(subject: Subject, running: Running): PictureState.NeedsSquare {
    val square = onPreview(subject, proposedOf(subject, running))
    return PictureState.NeedsSquare(subject.preview, square, subject.smallest, subject.faces?.size, subject.notes)
}

/**
 * A square that the person did not move stands for the face itself, or the centre: the preview's pixels may have rounded
 * it, and what reaches beyond the picture was moved into it.
 */
private fun choiceOf(subject: Subject, square: Square, running: Running): Choice {
    val shown = choicesFor(running.detector.view, subject.faces).find { onPreview(subject, it) == square }
    if (shown != null) return shown
    val mine = rescaled(square, subject.preview.width, subject.width)
    return dragged(running.detector.view, clamped(mine, subject.width, subject.height, smallest = 1))
}

private fun proposedOf(subject: Subject, running: Running): Choice =
    choicesFor(running.detector.view, subject.faces).first()

private fun onPreview(subject: Subject, choice: Choice): Square {
    val width = subject.preview.width
    val height = subject.preview.height
    val whole = Square(0, 0, minOf(width, height))
    val square = choice.square(subject.width, subject.height)?.let { rescaled(it, subject.width, width) } ?: whole
    return clamped(square, width, height, subject.smallest)
}

/** Views without `upright` look at the picture as it is stored; then it is shown so, too. */
private fun turnOf(view: View, decoded: DecodedPicture): Int =
    if (view.steps.first().verb == "upright") decoded.orientation else 1

private fun sidesIn(view: View, decoded: DecodedPicture): Pair<Int, Int> {
    val (width, height) = decoded.stored.width to decoded.stored.height
    return if (turnOf(view, decoded) >= 5) height to width else width to height
}

// As export/inference/detector.py `_notes`, of the part that is looked at.
private fun enlarged(side: Int, size: Int): List<Sentence> =
    if (side >= size) emptyList() else listOf(Sentence.of(R.string.note_enlarged, side, size))
