package fauxlens.core

/**
 * Applies a view: RGB bytes row by row, size*size*3, equal to train/image/view.py apply_view bit for bit.
 *
 * `stored` is not upright yet: `orientation` is its EXIF orientation 1..8. Refused where [squareOf] is. The picture is
 * read in bands of whole rows of the part that the view takes, in one direction, each row once; only a band and the
 * rows that one row of the result needs are in memory.
 */
fun look(view: View, stored: Raster, orientation: Int, eyes: Eyes?): ByteArray {
    val turn = if (view.turnsUpright) Turn.of(orientation) else Turn.NONE
    val width = if (turn.transposed) stored.height else stored.width
    val height = if (turn.transposed) stored.width else stored.height
    val square = squareOf(view, width, height, eyes)
    val across = Span(square?.left ?: 0, square?.side ?: width, width)
    val down = Span(square?.top ?: 0, square?.side ?: height, height)
    return resized(stored, turn, across, down, view.size, view.size)
}

/**
 * A whole picture, turned upright by its EXIF orientation 1..8, at another size: RGB bytes row by row, width * height * 3,
 * by the arithmetic of [look].
 */
internal fun reducedRgb(stored: Raster, orientation: Int, width: Int, height: Int): ByteArray {
    val turn = Turn.of(orientation)
    val fullWidth = if (turn.transposed) stored.height else stored.width
    val fullHeight = if (turn.transposed) stored.width else stored.height
    return resized(stored, turn, Span(0, fullWidth, fullWidth), Span(0, fullHeight, fullHeight), width, height)
}

private fun resized(stored: Raster, turn: Turn, across: Span, down: Span, width: Int, height: Int): ByteArray {
    val lines = if (turn.transposed) {
        Lines(stored, turn, rows = across, columns = down)
    } else {
        Lines(stored, turn, rows = down, columns = across)
    }
    return resize(lines, width, height, turn.transposed)
}
