package fauxlens.app.picture

import android.graphics.Bitmap
import fauxlens.core.ArgbRaster
import fauxlens.core.Raster
import fauxlens.core.upright
import kotlin.math.max
import kotlin.math.roundToInt

/** The longer side of what is shown of a picture, in pixels. */
const val PREVIEW_SIDE: Int = 1600

/** A smaller, upright copy, its longer side at most `longest`; opaque. Never enlarges. */
fun uprightCopy(stored: Raster, orientation: Int, longest: Int): ArgbRaster {
    val scale = longest.toDouble() / max(stored.width, stored.height)
    val small = if (scale >= 1) {
        reduced(stored, stored.width, stored.height)
    } else {
        reduced(stored, max(1, (stored.width * scale).roundToInt()), max(1, (stored.height * scale).roundToInt()))
    }
    if (orientation == 1) return small
    val turned = upright(small, orientation)
    val argb = IntArray(turned.width * turned.height)
    turned.read(0, 0, turned.width, turned.height, argb)
    return ArgbRaster(turned.width, turned.height, argb)
}

private const val THUMBNAIL_SIDE = 256

/** A small copy of a preview, its longer side at most 256 pixels. */
fun thumbnailOf(preview: Bitmap): Bitmap =
    bitmapOf(uprightCopy(BitmapRaster(preview), orientation = 1, longest = THUMBNAIL_SIDE))

/** Each pixel is the mean of those that fall on it. The sides must not be larger than those of the picture. */
internal fun reduced(raster: Raster, width: Int, height: Int): ArgbRaster {
    val argb = IntArray(width * height)
    val sums = IntArray(3 * width)
    var rows = IntArray(0)
    for (y in 0 until height) {
        val top = (y.toLong() * raster.height / height).toInt()
        val bottom = ((y + 1L) * raster.height / height).toInt()
        val size = (bottom - top) * raster.width
        if (rows.size < size) rows = IntArray(size)
        raster.read(0, top, raster.width, bottom - top, rows)
        sums.fill(0)
        for (row in 0 until bottom - top) addRow(rows, row * raster.width, raster.width, sums, width)
        for (x in 0 until width) {
            val columns = ((x + 1L) * raster.width / width - x.toLong() * raster.width / width).toInt()
            val count = columns * (bottom - top)
            argb[y * width + x] = (0xFF shl 24) or ((sums[3 * x] + count / 2) / count shl 16) or
                ((sums[3 * x + 1] + count / 2) / count shl 8) or ((sums[3 * x + 2] + count / 2) / count)
        }
    }
    return ArgbRaster(width, height, argb)
}

private fun addRow(rows: IntArray, start: Int, from: Int, sums: IntArray, width: Int) {
    var left = 0
    for (x in 0 until width) {
        val right = ((x + 1L) * from / width).toInt()
        var red = 0
        var green = 0
        var blue = 0
        for (index in start + left until start + right) {
            val pixel = rows[index]
            red += pixel shr 16 and 0xFF
            green += pixel shr 8 and 0xFF
            blue += pixel and 0xFF
        }
        sums[3 * x] += red
        sums[3 * x + 1] += green
        sums[3 * x + 2] += blue
        left = right
    }
}

/** A bitmap of these pixels. */
fun bitmapOf(raster: ArgbRaster, config: Bitmap.Config = Bitmap.Config.ARGB_8888): Bitmap {
    val bitmap = Bitmap.createBitmap(raster.width, raster.height, config)
    bitmap.setPixels(raster.argb, 0, raster.width, 0, 0, raster.width, raster.height)
    return bitmap
}
