package fauxlens.app.picture

// Brands of still pictures and of sequences (ISO/IEC 23008-12 annex B, AV1 Image File Format 1.1).
private val STILL = setOf("heic", "heix", "heim", "heis", "mif1", "avif")
private val SEQUENCE = setOf("hevc", "hevx", "msf1", "avis")

// ftyp boxes have a dozen brands at most.
private const val MOST_BRANDS = 256L

internal fun isHeif(bytes: ByteArray): Boolean =
    bytes.size >= 16 && bytes.hasText(4, "ftyp") && brand(bytes).let { it in STILL || it in SEQUENCE }

/** Whether it is coded by AV1: said by the first brand, or among the compatible ones of a file that is called mif1. */
internal fun isAvif(bytes: ByteArray): Boolean {
    val end = minOf(bytes.big32(0), bytes.size.toLong(), MOST_BRANDS).toInt()
    val brands = (16..end - 4 step 4).map { String(bytes, it, 4, Charsets.ISO_8859_1) }
    return brand(bytes).startsWith("avi") || "avif" in brands
}

/** The structure of a HEIF or AVIF: its boxes must fill the file. Whether each is whole, the decoder is asked. */
internal fun heifFacts(bytes: ByteArray): FileFacts {
    val frames = if (brand(bytes) in SEQUENCE) 2 else 1
    var at = 0L
    var parts = 0
    while (at + 8 <= bytes.size) {
        if (++parts > MOST_PARTS) return FileFacts(complete = false, frames = frames, excessive = true)
        var length = bytes.big32(at.toInt())
        // 1: the length follows in 64 bits, of which a file of ours needs the lower half; 0: to the end.
        if (length == 1L && at + 16 <= bytes.size) length = bytes.big32(at.toInt() + 12)
        if (length == 0L) length = bytes.size - at
        if (length < 8) return FileFacts(complete = false, frames = frames)
        at += length
    }
    return FileFacts(complete = at == bytes.size.toLong(), frames = frames)
}

private fun brand(bytes: ByteArray): String = String(bytes, 8, 4, Charsets.ISO_8859_1)
