package fauxlens.app.picture

import kotlin.math.abs

/** The structure of a BMP: whether all the rows that its header announces are there. */
internal fun bmpFacts(bytes: ByteArray): FileFacts {
    val pixels = bytes.little32(10)
    val header = bytes.little32(14)
    // OS/2's header of 12 bytes has sides of 16 bits and no compression.
    val old = header == 12L
    if (bytes.size < if (old) 26 else 34) return FileFacts(complete = false)
    val width = if (old) bytes.little16(18).toLong() else bytes.little32(18)
    val height = if (old) bytes.little16(20).toLong() else abs(bytes.little32(22).toInt().toLong())
    val bits = bytes.little16(if (old) 24 else 28)
    val compression = if (old) 0L else bytes.little32(30)
    if (width <= 0 || width > Int.MAX_VALUE || height == 0L) return FileFacts(complete = false)
    // 0 is plain, 3 and 6 have bit masks; the others are compressed, and how long those rows are only decoding tells.
    if (compression != 0L && compression != 3L && compression != 6L) return FileFacts(complete = pixels < bytes.size)
    val row = (width * bits + 31) / 32 * 4
    return FileFacts(complete = row.toDouble() * height <= (bytes.size - pixels).toDouble())
}
