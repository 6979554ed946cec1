package fauxlens.app.detect

import fauxlens.core.Eyes
import fauxlens.core.Square
import fauxlens.core.UnclearFaces
import fauxlens.core.View
import fauxlens.core.eyesFor
import fauxlens.core.face.Face
import fauxlens.core.squareOf
import fauxlens.core.viewFor
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt

/** What of a picture is looked at: a view and, where it asks for them, the eyes. */
data class Choice(val view: View, val eyes: Eyes?)

/** What is looked at of a picture in which these faces were found: each of them; the centre square where there is none. */
fun choicesFor(view: View, faces: List<Face>?): List<Choice> = when {
    !view.needsEyes -> listOf(Choice(view, null))
    faces.isNullOrEmpty() -> listOf(centre(view))
    else -> faces.map { Choice(view, it.eyes) }
}

/** The square in the centre, as training takes it of a picture without a face. */
fun centre(view: View): Choice = Choice(viewFor(view, 0, UnclearFaces.CENTRE) ?: view, null)

/** Whether a face is too small: its square has less than half of the view's side (export/inference/picture_result.py). */
fun isTooSmall(choice: Choice): Boolean {
    // Where the picture ends does not matter for the side.
    val eyes = choice.eyes ?: return false
    val factor = choice.view.faceFactor ?: return false
    return 2 * maxOf(1.0, floor(factor * eyes.distance + 0.5)) < choice.view.size
}

/** The choice that a square makes of a view with face(k); `square` is in pixels of the upright picture. */
fun dragged(view: View, square: Square): Choice {
    val factor = view.faceFactor ?: return Choice(view, null)
    return Choice(view, eyesFor(square, factor))
}

/** A square of a picture of `width` pixels in pixels of its copy of `copyWidth`, or the other way round. */
fun rescaled(square: Square, width: Int, copyWidth: Int): Square {
    val scale = copyWidth.toDouble() / width
    return Square(
        (square.left * scale).roundToInt(),
        (square.top * scale).roundToInt(),
        max(1, (square.side * scale).roundToInt()),
    )
}

/** The square nearest to this one that lies in the picture and has a side of at least `smallest`. */
fun clamped(square: Square, width: Int, height: Int, smallest: Int): Square {
    val most = min(width, height)
    val side = square.side.coerceIn(min(smallest, most), most)
    return Square(square.left.coerceIn(0, width - side), square.top.coerceIn(0, height - side), side)
}

/** The smallest side that may be dragged, in pixels of a copy: 32 of the picture's, a twentieth of the copy. */
fun smallestSide(width: Int, copyWidth: Int, copyHeight: Int): Int {
    val least = LEAST_PIXELS * copyWidth / width
    return max(max(least, 1), min(copyWidth, copyHeight) / LEAST_SHARE)
}

// Of fewer pixels nothing could be said; and a smaller square could not be held with a finger.
private const val LEAST_PIXELS = 32
private const val LEAST_SHARE = 20

/** What a choice takes from an upright picture, or null for all of it. Refused as `core.squareOf`. */
fun Choice.square(width: Int, height: Int): Square? = squareOf(view, width, height, eyes)
