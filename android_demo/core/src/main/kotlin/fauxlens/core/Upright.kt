package fauxlens.core

/**
 * How an EXIF orientation (EXIF 2.32, tag 0x0112) turns stored pixels upright: a row of the upright picture is a stored
 * column where `transposed`; stored rows and columns count backwards where `flipsRows` and `flipsColumns`.
 */
internal enum class Turn(val transposed: Boolean, val flipsRows: Boolean, val flipsColumns: Boolean) {
    NONE(false, false, false),
    MIRROR(false, false, true),
    HALF(false, true, true),
    FLIP(false, true, false),
    TRANSPOSE(true, false, false),
    RIGHT(true, true, false),
    TRANSVERSE(true, true, true),
    LEFT(true, false, true),
    ;

    companion object {

        /** The turn of orientation 1..8; any other number means none, as in train/image/view.py. */
        fun of(orientation: Int): Turn = if (orientation in 1..8) values()[orientation - 1] else NONE
    }
}

/** The raster turned upright by EXIF orientation 1..8, without a copy of the pixels. */
fun upright(stored: Raster, orientation: Int): Raster {
    val turn = Turn.of(orientation)
    return if (turn == Turn.NONE) stored else TurnedRaster(stored, turn)
}

private class TurnedRaster(private val stored: Raster, private val turn: Turn) : Raster {

    override val width: Int = if (turn.transposed) stored.height else stored.width
    override val height: Int = if (turn.transposed) stored.width else stored.height

    override fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray) {
        val columns = if (turn.transposed) height else width
        val rows = if (turn.transposed) width else height
        val firstColumn = if (turn.transposed) top else left
        val firstRow = if (turn.transposed) left else top
        val block = IntArray(columns * rows)
        stored.read(
            if (turn.flipsColumns) stored.width - firstColumn - columns else firstColumn,
            if (turn.flipsRows) stored.height - firstRow - rows else firstRow,
            columns,
            rows,
            block,
        )
        for (row in 0 until rows) {
            val from = (if (turn.flipsRows) rows - 1 - row else row) * columns
            for (column in 0 until columns) {
                val pixel = block[from + if (turn.flipsColumns) columns - 1 - column else column]
                argb[if (turn.transposed) column * width + row else row * width + column] = pixel
            }
        }
    }
}
