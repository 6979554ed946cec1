package fauxlens.core.face

import fauxlens.core.Raster
import fauxlens.core.reducedRgb

/** Where a picture of `pictureWidth` x `pictureHeight` pixels lies in a network's square of `side` pixels. */
internal class Placement(val side: Int, val pictureWidth: Int, val pictureHeight: Int) {

    /** Sides of the reduced picture: the longer one is the square's. */
    val width: Int = reduced(pictureWidth)
    val height: Int = reduced(pictureHeight)

    /** Black columns before it and rows above it. */
    val left: Int = (side - width) / 2
    val top: Int = (side - height) / 2

    private fun reduced(length: Int): Int {
        val longer = maxOf(pictureWidth, pictureHeight).toLong()
        return maxOf(1L, (2L * length * side + longer) / (2 * longer)).toInt()
    }
}

/**
 * The square of a picture, RGB bytes row by row, side * side * 3: the picture reduced as a view reduces it, in the middle
 * of black. `orientation` is the EXIF orientation 1..8 by which `stored` becomes upright.
 */
internal fun letterbox(stored: Raster, orientation: Int, placement: Placement): ByteArray {
    val square = ByteArray(3 * placement.side * placement.side)
    val small = reducedRgb(stored, orientation, placement.width, placement.height)
    val row = 3 * placement.width
    for (y in 0 until placement.height) {
        val at = 3 * ((placement.top + y) * placement.side + placement.left)
        small.copyInto(square, at, y * row, (y + 1) * row)
    }
    return square
}

/** The network's input: each byte / 127.5 - 1 in floats, both operations rounded. */
internal fun tensorOf(square: ByteArray): FloatArray =
    FloatArray(square.size) { (square[it].toInt() and 0xFF).toFloat() / 127.5f - 1f }
