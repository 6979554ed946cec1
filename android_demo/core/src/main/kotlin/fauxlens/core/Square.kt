package fauxlens.core

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

// The centre of the face square lies this fraction of its side below the midpoint of the eyes (train/image/view.py).
private const val FACE_DROP = 0.2
private const val MAX_PIXELS = 120_000_000

/** The midpoint of the eyes and their distance, in pixels of the upright picture; 0, 0 is its top left corner. */
data class Eyes(val x: Double, val y: Double, val distance: Double)

/** Left and top (may lie beyond the border, whose pixels then repeat) and side, in pixels of the upright picture. */
data class Square(val left: Int, val top: Int, val side: Int)

/**
 * What the view takes from an upright picture of `width` x `height` pixels; null is the whole picture, squeezed.
 *
 * Every position is rounded half up in double precision. Refused if the view has face(K) and the eyes are missing, do
 * not lie in the picture, or ask for more pixels than a picture may have.
 */
fun squareOf(view: View, width: Int, height: Int, eyes: Eyes?): Square? {
    val factor = view.faceFactor
    return when {
        factor != null -> faceSquare(factor, width, height, eyes)
        view.steps.any { it.verb == SQUARE } -> {
            val side = min(width, height)
            Square((width - side) / 2, (height - side) / 2, side)
        }
        else -> null
    }
}

/**
 * Eyes for which `face(k)` takes exactly this square: the inverse, for a square that a person dragged.
 *
 * They lie half across the square and 0.3 of its side below its top; [look] refuses eyes outside the picture, so that
 * point has to stay inside.
 */
fun eyesFor(square: Square, faceFactor: Double): Eyes {
    val half = square.side / 2.0
    return Eyes(square.left + half, square.top + half - FACE_DROP * square.side, square.side / faceFactor)
}

private fun faceSquare(factor: Double, width: Int, height: Int, eyes: Eyes?): Square {
    if (eyes == null) throw Refused(Refusal.NO_EYES)
    // Also false for NaN.
    val inside = 0 <= eyes.x && eyes.x <= width && 0 <= eyes.y && eyes.y <= height
    if (!inside || !(0 < eyes.distance && eyes.distance < Double.POSITIVE_INFINITY)) {
        throw Refused(Refusal.EYES_OUTSIDE, width, height)
    }
    val side = max(1.0, floor(factor * eyes.distance + 0.5))
    if (side * side > MAX_PIXELS) throw Refused(Refusal.EYES_FAR)
    val left = floor(eyes.x - side / 2 + 0.5)
    val top = floor(eyes.y + FACE_DROP * side - side / 2 + 0.5)
    return Square(left.toInt(), top.toInt(), side.toInt())
}
