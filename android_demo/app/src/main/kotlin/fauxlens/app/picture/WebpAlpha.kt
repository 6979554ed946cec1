package fauxlens.app.picture

import android.graphics.Bitmap
import fauxlens.core.marks.Alpha

/** The alpha of a WebP file by Android's own decoder; null for what it cannot decode, or not in the memory there is. */
fun alphaOfWebp(file: ByteArray): Alpha? = try {
    val (width, height) = boundsOf(file)
    val fits = width > 0 && height > 0 && width.toLong() * height <= pixelBudget()
    if (fits) decodePlain(file, 1)?.let(::BitmapAlpha) else null
} catch (_: OutOfMemoryError) {
    null
}

private class BitmapAlpha(private val bitmap: Bitmap) : Alpha {
    override val width: Int = bitmap.width
    override val height: Int = bitmap.height

    override fun read(left: Int, top: Int, width: Int, height: Int): ByteArray {
        val argb = IntArray(width * height)
        bitmap.getPixels(argb, 0, width, left, top, width, height)
        return ByteArray(argb.size) { (argb[it] ushr 24).toByte() }
    }

    override fun close() = bitmap.recycle()
}
