package fauxlens.app.detect

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import java.io.ByteArrayOutputStream
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/** JPEG quality of the error levels, on libjpeg's scale (ela/setting.py). */
const val ELA_QUALITY: Int = 90

private const val ROWS = 64

/** The error levels of a picture; `gain` is the factor that made the largest one white, 1 where there are none. */
class ErrorLevels(val bitmap: Bitmap, val gain: Double)

/**
 * What saving as JPEG would change, scaled so that the largest level is white, as `fauxlens ela` draws it.
 *
 * For looking at only: Android's encoder chooses the chroma sampling, and the picture is the reduced preview.
 * Throws Trouble where there is no memory for it.
 */
fun errorLevels(preview: Bitmap): ErrorLevels {
    try {
        val coded = ByteArrayOutputStream(preview.width * preview.height / 4 + 1024)
        preview.compress(Bitmap.CompressFormat.JPEG, ELA_QUALITY, coded)
        val bytes = coded.toByteArray()
        val options = BitmapFactory.Options().apply { inMutable = true }
        val again = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options)
            ?: throw Trouble(R.string.trouble_memory)
        // Twice over the pixels, so that only two strips of rows are held beside the bitmaps.
        var largest = 0
        eachStrip(preview, again) { difference, count, _ ->
            for (index in 0 until count) largest = max(largest, strongest(difference[index]))
        }
        val gain = if (largest == 0) 1.0 else 255.0 / largest
        val levels = IntArray(256) { min(255, Math.rint(it * gain).toInt()) }
        eachStrip(preview, again) { difference, count, top ->
            for (index in 0 until count) difference[index] = amplified(difference[index], levels)
            again.setPixels(difference, 0, again.width, 0, top, again.width, count / again.width)
        }
        return ErrorLevels(again, gain)
    } catch (error: OutOfMemoryError) {
        throw Trouble(Sentence.of(R.string.trouble_memory), error)
    }
}

private inline fun eachStrip(one: Bitmap, other: Bitmap, use: (difference: IntArray, count: Int, top: Int) -> Unit) {
    val first = IntArray(one.width * min(ROWS, one.height))
    val second = IntArray(first.size)
    for (top in 0 until one.height step ROWS) {
        val rows = min(ROWS, one.height - top)
        one.getPixels(first, 0, one.width, 0, top, one.width, rows)
        other.getPixels(second, 0, one.width, 0, top, one.width, rows)
        for (index in 0 until one.width * rows) first[index] = difference(first[index], second[index])
        use(first, one.width * rows, top)
    }
}

private fun difference(one: Int, other: Int): Int =
    (abs((one shr 16 and 0xFF) - (other shr 16 and 0xFF)) shl 16) or
        (abs((one shr 8 and 0xFF) - (other shr 8 and 0xFF)) shl 8) or
        abs((one and 0xFF) - (other and 0xFF))

private fun strongest(rgb: Int): Int = max(rgb shr 16 and 0xFF, max(rgb shr 8 and 0xFF, rgb and 0xFF))

private fun amplified(rgb: Int, levels: IntArray): Int =
    (0xFF shl 24) or (levels[rgb shr 16 and 0xFF] shl 16) or (levels[rgb shr 8 and 0xFF] shl 8) or levels[rgb and 0xFF]
