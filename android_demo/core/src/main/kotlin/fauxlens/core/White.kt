package fauxlens.core

// Pillow's alpha_composite keeps this many more bits (src/libImaging/AlphaComposite.c).
private const val MORE_BITS = 7
private const val OPAQUE = 255

/**
 * Lays pixels with alpha on white, in place: 0xAARRGGBB whose colours are *not* multiplied by alpha, to opaque ones.
 *
 * Equal to Pillow's `alpha_composite` over opaque white bit for bit, so that a picture with transparency gives the same
 * view here as in training.
 */
fun layOnWhite(argb: IntArray, count: Int = argb.size) {
    for (i in 0 until count) {
        val pixel = argb[i]
        val alpha = pixel ushr 24
        if (alpha != OPAQUE) {
            argb[i] = (OPAQUE shl 24) or
                (onWhite(pixel ushr 16 and 0xFF, alpha) shl 16) or
                (onWhite(pixel ushr 8 and 0xFF, alpha) shl 8) or
                onWhite(pixel and 0xFF, alpha)
        }
    }
}

private fun onWhite(level: Int, alpha: Int): Int {
    val sum = (level * alpha + OPAQUE * (OPAQUE - alpha) + 128) shl MORE_BITS
    return ((sum ushr 8) + sum) ushr 8 ushr MORE_BITS
}
