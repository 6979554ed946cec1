package fauxlens.core

/**
 * Pixels that Python and Kotlin compute alike (tests/golden/golden_files/pixels.py), made where they are read, so that
 * a picture of any size takes no memory. Notes which rows were read.
 */
internal class ComputedRaster(
    private val kind: String,
    private val seed: Int,
    override val width: Int,
    override val height: Int,
) : Raster {

    val rowsRead = ArrayList<IntRange>()
    var pixelsRead = 0L
        private set

    override fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray) {
        require(left >= 0 && top >= 0 && width > 0 && height > 0) { "$width x $height from $left, $top" }
        require(left + width <= this.width && top + height <= this.height) { "$width x $height from $left, $top" }
        rowsRead += top until top + height
        pixelsRead += width.toLong() * height
        for (row in 0 until height) {
            val first = (top + row).toLong() * this.width + left
            for (column in 0 until width) argb[row * width + column] = pixel(first + column)
        }
    }

    private fun pixel(number: Long): Int = when (kind) {
        "white" -> 0xFFFFFF
        "noise" -> splitMix(number).toInt() and 0xFFFFFF
        "edges" -> (splitMix(number).toInt() and 0x010101) * 255
        else -> error(kind)
    } or (0xFF shl 24)

    private fun splitMix(number: Long): Long {
        var state = ((seed.toLong() shl 32) + number + 1) * -0x61c8864680b583ebL
        state = (state xor (state ushr 30)) * -0x40a7b892e31b1a47L
        state = (state xor (state ushr 27)) * -0x6b2fb644ecceee15L
        return state xor (state ushr 31)
    }
}
