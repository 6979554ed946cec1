package fauxlens.app.detect

import fauxlens.core.Eyes
import fauxlens.core.Square
import fauxlens.core.UnclearFaces
import fauxlens.core.View
import fauxlens.core.eyesFor
import fauxlens.core.squareOf
import fauxlens.core.viewFor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt

/** What of a picture is looked at: a view and, where it asks for them, the eyes. */
data class Choice(val view: View, val eyes: Eyes?)

/** What is looked at where it is clear: one face was found, or the view asks for none. Else null: the person says. */
fun clearChoice(view: View, faces: Faces?): Choice? = when {
    !view.needsEyes -> Choice(view, null)
    faces != null && faces.count == 1 -> Choice(view, faces.eyes)
    else -> null
}

/**
 * What is proposed to the person where it is not clear: what training did with such a picture (train/image/view.py), so
 * that an unchanged square gives the score that training would have seen. Pictures that training left out: the largest
 * face, or the centre.
 */
fun proposedChoice(view: View, faces: Faces?, unclear: UnclearFaces): Choice {
    val count = faces?.count ?: 0
    val proposed = viewFor(view, count, unclear) ?: viewFor(view, count, UnclearFaces.KEEP) ?: view
    return Choice(proposed, if (proposed.needsEyes) faces?.eyes else null)
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
