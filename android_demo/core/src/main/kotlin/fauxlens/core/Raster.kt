package fauxlens.core

/**
 * Pixels as they are stored in a picture, not yet turned upright, read in rectangles; alpha is already laid on white.
 *
 * For one thread at a time. What [read] throws goes through every function of this package as it is.
 */
interface Raster {

    /** Pixels of a row. */
    val width: Int

    /** Rows. */
    val height: Int

    /** Writes a rectangle to the beginning of `argb`, row by row, 0xAARRGGBB as android.graphics.Bitmap.getPixels. */
    fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray)
}

/** Pixels in memory, row by row, 0xAARRGGBB. */
class ArgbRaster(override val width: Int, override val height: Int, val argb: IntArray) : Raster {

    init {
        require(width > 0 && height > 0 && argb.size.toLong() == width.toLong() * height) {
            "$width x $height pixels do not fit an array of ${argb.size}."
        }
    }

    override fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray) {
        for (row in 0 until height) {
            System.arraycopy(this.argb, (top + row) * this.width + left, argb, row * width, width)
        }
    }
}
