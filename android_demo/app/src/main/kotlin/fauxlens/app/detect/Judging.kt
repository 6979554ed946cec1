package fauxlens.app.detect

import android.graphics.Bitmap
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.model.Details
import fauxlens.app.model.Judged
import fauxlens.app.model.PictureState
import fauxlens.app.model.Stage
import fauxlens.app.picture.DecodedPicture
import fauxlens.app.picture.PREVIEW_SIDE
import fauxlens.app.picture.PictureDecoder
import fauxlens.app.picture.bitmapOf
import fauxlens.app.picture.uprightCopy
import fauxlens.core.ArgbRaster
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import fauxlens.core.View
import fauxlens.core.judge
import fauxlens.core.look
import fauxlens.core.overlay

/**
 * A picture that was opened: its file, and an upright copy to show.
 *
 * `width` and `height` are those of the decoded upright picture, in whose pixels squares and eyes are. The decoded
 * pixels are not kept, they may be 100 MB: another square decodes the file again.
 */
class Subject(
    val bytes: ByteArray,
    val preview: Bitmap,
    val width: Int,
    val height: Int,
    val faces: Faces?,
    val notes: List<Sentence>,
) {
    val smallest: Int get() = smallestSide(width, preview.width, preview.height)
}

/** The way from a file to a verdict. On the worker thread; `nanoTime` is a clock in nanoseconds. */
class Judging(private val decoder: PictureDecoder, private val finder: FaceFinder, private val nanoTime: () -> Long) {
    /**
     * Opens a picture and judges it, if it is clear what of it; `onStage` is told what is being done.
     *
     * Throws Trouble and Refused, and whatever `onStage` throws.
     */
    fun open(
        bytes: ByteArray,
        running: Running,
        point: OperatingPoint,
        onStage: (Stage) -> Unit,
    ): Pair<Subject, PictureState> {
        val start = nanoTime()
        val decoded = decoder.decode(bytes)
        try {
            val decodeMs = milliseconds(start)
            val view = running.detector.view
            val copy = uprightCopy(decoded.stored, turnOf(view, decoded), PREVIEW_SIDE)
            val (width, height) = sidesIn(view, decoded)
            val faces = if (view.needsEyes) {
                onStage(Stage.FINDING_FACE)
                findFaces(finder, copy, width, height)
            } else {
                null
            }
            val subject = Subject(bytes, bitmapOf(copy), width, height, faces, decoded.notes)
            val choice = clearChoice(view, faces) ?: return subject to proposal(subject, running)
            onStage(Stage.JUDGING)
            return subject to PictureState.Judged(judged(subject, decoded, decodeMs, choice, running, point))
        } finally {
            decoded.release()
        }
    }

    /** Judges the square (in pixels of the preview) that a person chose. Throws Trouble and Refused. */
    fun judge(subject: Subject, square: Square, running: Running, point: OperatingPoint): PictureState {
        val start = nanoTime()
        val decoded = decoder.decode(subject.bytes)
        try {
            val decodeMs = milliseconds(start)
            val choice = choiceOf(subject, square, running)
            return PictureState.Judged(judged(subject, decoded, decodeMs, choice, running, point))
        } finally {
            decoded.release()
        }
    }

    private fun judged(
        subject: Subject,
        decoded: DecodedPicture,
        decodeMs: Double,
        choice: Choice,
        running: Running,
        point: OperatingPoint,
    ): Judged {
        val description = running.detector.description
        val square = choice.square(subject.width, subject.height)
        val viewStart = nanoTime()
        val view = look(choice.view, decoded.stored, decoded.orientation, choice.eyes)
        val viewMs = milliseconds(viewStart)
        val runStart = nanoTime()
        val output = running.engine.run(view)
        val latencyMs = milliseconds(runStart)
        val verdict = judge(description, output, point)
        val levels = errorLevels(subject.preview)
        val details = Details(
            detector = description.name,
            variant = description.variant,
            view = choice.view.text,
            frontEnd = description.frontEnd,
            format = decoded.format.title,
            bytes = subject.bytes.size,
            width = if (decoded.lies) decoded.fileHeight else decoded.fileWidth,
            height = if (decoded.lies) decoded.fileWidth else decoded.fileHeight,
            orientation = decoded.orientation,
            sample = decoded.sample,
            square = square,
            faces = subject.faces?.count,
            runtime = running.engine.name,
            accelerator = running.settings.accelerator,
            threads = running.settings.threads,
            decodeMs = decodeMs,
            viewMs = viewMs,
            latencyMs = latencyMs,
            elaQuality = ELA_QUALITY,
            elaGain = levels.gain,
        )
        return Judged(
            preview = subject.preview,
            square = square?.let { rescaled(it, subject.width, subject.preview.width) },
            verdict = verdict,
            overlay = bitmapOf(ArgbRaster(OVERLAY_SIDE, OVERLAY_SIDE, overlay(verdict.heatmap, OVERLAY_SIDE))),
            ela = levels.bitmap,
            notes = subject.notes + enlarged(square?.side ?: minOf(subject.width, subject.height), choice.view.size),
            details = details,
            adjustable = running.detector.view.needsEyes,
        )
    }

    private fun milliseconds(start: Long): Double = (nanoTime() - start) / 1e6

    private companion object {
        // Smooth on every screen: maps have a few cells a side.
        const val OVERLAY_SIDE = 512
    }
}

/** The state in which the person says what is looked at, with what training would have done as a proposal. */
fun proposal(subject: Subject, running: Running): PictureState.NeedsSquare {
    val square = onPreview(subject, proposedOf(subject, running))
    return PictureState.NeedsSquare(subject.preview, square, subject.smallest, subject.faces?.count ?: 0, subject.notes)
}

/** A square the person did not move stands for the proposal itself, which the preview's pixels may have rounded. */
private fun choiceOf(subject: Subject, square: Square, running: Running): Choice {
    val proposed = proposedOf(subject, running)
    val exact = proposed.square(subject.width, subject.height)
    val shown = exact?.let { rescaled(it, subject.width, subject.preview.width) }
    if (square == shown) return proposed
    val mine = rescaled(square, subject.preview.width, subject.width)
    return dragged(running.detector.view, clamped(mine, subject.width, subject.height, smallest = 1))
}

private fun proposedOf(subject: Subject, running: Running): Choice =
    proposedChoice(running.detector.view, subject.faces, running.detector.description.unclearFaces)

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
