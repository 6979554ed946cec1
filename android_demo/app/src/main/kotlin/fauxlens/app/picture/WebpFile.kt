package fauxlens.app.picture

private const val HEADER = 12

/** The structure of a WebP (RFC 9649). */
internal fun webpFacts(bytes: ByteArray): FileFacts {
    var facts = FileFacts(complete = false)
    if (bytes.little32(4) > bytes.size - 8L) return facts
    var frames = 0
    var pixels = false
    var parts = 0
    val profiles = ArrayList<Int>()
    var at = HEADER
    while (at + 8 <= bytes.size) {
        val length = bytes.little32(at + 4)
        if (length > bytes.size - at - 8L) return facts
        if (++parts > MOST_PARTS || profiles.size > MOST_PROFILES) return facts.copy(excessive = true)
        val start = at + 8
        val end = start + length.toInt()
        when (String(bytes, at, 4, Charsets.ISO_8859_1)) {
            "VP8 ", "VP8L" -> pixels = true
            "ANMF" -> frames++
            "EXIF" -> facts = facts.copy(exif = start until end)
            "XMP " -> facts = facts.copy(xmp = start until end)
            "ICCP" -> {
                facts = facts.copy(unusualColours = profiles.isNotEmpty() || !saysSrgb(bytes, start until end))
                profiles += at
            }
        }
        // Chunks start at even offsets.
        at = end + (length and 1L).toInt()
    }
    return facts.copy(complete = pixels || frames > 0, frames = maxOf(1, frames), profiles = profiles)
}
