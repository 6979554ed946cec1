package fauxlens.app.picture

import android.graphics.Bitmap
import fauxlens.core.Raster

/** The pixels of a bitmap with straight (not premultiplied) alpha, laid on white as they are read. */
class BitmapRaster(private val bitmap: Bitmap) : Raster {
    override val width: Int = bitmap.width
    override val height: Int = bitmap.height

    override fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray) {
        bitmap.getPixels(argb, 0, width, left, top, width, height)
        if (!bitmap.hasAlpha()) return
        for (index in 0 until width * height) {
            val pixel = argb[index]
            if (pixel ushr 24 != 0xFF) argb[index] = onWhite(pixel)
        }
    }

    /** Whether any pixel lets white through. Reads all of them where there is an alpha channel. */
    fun isTransparent(): Boolean {
        if (!bitmap.hasAlpha()) return false
        val row = IntArray(width)
        return (0 until height).any { y ->
            bitmap.getPixels(row, 0, width, 0, y, width, 1)
            row.any { it ushr 24 != 0xFF }
        }
    }
}

/** A pixel laid on white, rounded as Pillow's alpha_composite (libImaging/AlphaComposite.c) rounds it. */
internal fun onWhite(argb: Int): Int {
    val alpha = argb ushr 24
    return (0xFF shl 24) or (mixed(argb shr 16 and 0xFF, alpha) shl 16) or
        (mixed(argb shr 8 and 0xFF, alpha) shl 8) or mixed(argb and 0xFF, alpha)
}

// There the weights carry 7 more bits; over an opaque background that is all that remains of them.
private fun mixed(channel: Int, alpha: Int): Int {
    val sum = (channel * alpha + 255 * (255 - alpha) shl 7) + (0x80 shl 7)
    return ((sum shr 8) + sum shr 8) shr 7
}
