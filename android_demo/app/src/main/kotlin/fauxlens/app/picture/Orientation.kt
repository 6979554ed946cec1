package fauxlens.app.picture

import fauxlens.app.common.find

private const val ORIENTATION = 0x0112
private const val AS_STORED = 1

// More than any program writes about a picture; it is read as one text.
private const val MOST_XMP = 4 shl 20

// What Pillow looks for where EXIF says nothing (Image.getexif).
private val IN_XMP = Regex("""tiff:Orientation(="|>)([0-9])""")

/**
 * The EXIF orientation, 1 to 8, of a picture file; 1 where none is given or the block is damaged.
 *
 * Android's own ExifInterface reads it from PNG and WebP only since version 11, and this has to be the same on all.
 */
fun orientationOf(bytes: ByteArray, facts: FileFacts): Int {
    val value = facts.exif?.let { inExif(bytes, it) } ?: facts.xmp?.let { inXmp(bytes, it) }
    return value?.takeIf { it in 1..8 } ?: AS_STORED
}

/** Looks through the first directory of a TIFF block (EXIF 2.32, 4.5.2). */
private fun inExif(bytes: ByteArray, range: IntRange): Int? {
    // A WebP's block may keep the name that it had in a JPEG.
    val start = if (bytes.hasText(range.first, "Exif\u0000\u0000")) range.first + 6 else range.first
    val end = range.last + 1
    if (start + 8 > end) return null
    val little = when {
        bytes.hasText(start, "II") -> true
        bytes.hasText(start, "MM") -> false
        else -> return null
    }
    fun two(at: Int): Int = if (little) bytes.little16(at) else bytes.big16(at)
    fun four(at: Int): Long = if (little) bytes.little32(at) else bytes.big32(at)
    val directory = start + four(start + 4)
    if (directory + 2 > end) return null
    val first = directory.toInt() + 2
    val entries = two(first - 2)
    for (index in 0 until entries) {
        val entry = first + 12 * index
        if (entry + 12 > end) return null
        if (two(entry) != ORIENTATION) continue
        // Type 3 is a 16-bit number, 4 a 32-bit one.
        return when (two(entry + 2)) {
            3 -> two(entry + 8)
            4 -> four(entry + 8).coerceAtMost(Int.MAX_VALUE.toLong()).toInt()
            else -> null
        }
    }
    return null
}

private fun inXmp(bytes: ByteArray, range: IntRange): Int? {
    val length = minOf(range.last + 1 - range.first, MOST_XMP)
    val text = String(bytes, range.first, length, Charsets.ISO_8859_1)
    return IN_XMP.find(text)?.groupValues?.get(2)?.toInt()
}
