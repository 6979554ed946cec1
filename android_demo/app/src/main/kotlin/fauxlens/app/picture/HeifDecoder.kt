package fauxlens.app.picture

import android.annotation.TargetApi
import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.os.Build
import java.io.IOException
import java.nio.ByteBuffer

/**
 * Decodes a HEIF or AVIF, upright; null if it is damaged.
 *
 * By ImageDecoder (Android 9), because it says when a picture is cut short and knows both ways in which these files say
 * how they are to be turned.
 */
@TargetApi(Build.VERSION_CODES.P)
internal fun decodeHeif(bytes: ByteArray, sample: Int): Bitmap? {
    val bitmap = try {
        ImageDecoder.decodeBitmap(ImageDecoder.createSource(ByteBuffer.wrap(bytes))) { decoder, _, _ ->
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
            decoder.isUnpremultipliedRequired = true
            decoder.setTargetSampleSize(sample)
            // False: a partial picture is no picture.
            decoder.setOnPartialImageListener { false }
        }
    } catch (_: IOException) {
        return null
    }
    val plain = ColorSpace.get(ColorSpace.Named.SRGB)
    // Takes the stored values for sRGB, as is done with all other formats; Android 9 cannot and converts them.
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q && bitmap.colorSpace != plain) bitmap.setColorSpace(plain)
    return bitmap
}
