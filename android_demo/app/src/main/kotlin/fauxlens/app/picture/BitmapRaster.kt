package fauxlens.app.picture

import android.graphics.Bitmap
import fauxlens.core.Raster

/** How much of a picture lets white through. */
enum class Opacity { OPAQUE, PARTLY, NOTHING_SHOWS }

/** The pixels of a bitmap with straight (not premultiplied) alpha, laid on white as they are read unless it is ignored. */
class BitmapRaster(private val bitmap: Bitmap, private val ignoresAlpha: Boolean = false) : Raster {
    override val width: Int = bitmap.width
    override val height: Int = bitmap.height

    override fun read(left: Int, top: Int, width: Int, height: Int, argb: IntArray) {
        bitmap.getPixels(argb, 0, width, left, top, width, height)
        if (!bitmap.hasAlpha()) return
        for (index in 0 until width * height) {
            val pixel = argb[index]
            if (pixel ushr 24 != 0xFF) argb[index] = if (ignoresAlpha) pixel or OPAQUE_BITS else onWhite(pixel)
        }
    }

    /** Reads all pixels where there is an alpha channel. */
    fun opacity(): Opacity {
        if (!bitmap.hasAlpha()) return Opacity.OPAQUE
        val row = IntArray(width)
        var clear = false
        var shows = false
        for (y in 0 until height) {
            bitmap.getPixels(row, 0, width, 0, y, width, 1)
            for (pixel in row) {
                val alpha = pixel ushr 24
                clear = clear || alpha != 0xFF
                shows = shows || alpha != 0
            }
            if (clear && shows) return Opacity.PARTLY
        }
        return if (clear) Opacity.NOTHING_SHOWS else Opacity.OPAQUE
    }
}

private const val OPAQUE_BITS = 0xFF shl 24

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
