package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.EXIF_LOOPS
import fauxlens.core.marks.MarkWording.EXIF_ORDER

private const val MAX_ENTRIES = 1_000
private const val MAX_VALUE = 1 shl 20

// EXIF 2.32 and TIFF 6.0.
private val NAMES = mapOf(
    0x010e to "ImageDescription", 0x010f to "Make", 0x0110 to "Model", 0x0131 to "Software", 0x013b to "Artist",
    0x8298 to "Copyright", 0x9003 to "DateTimeOriginal", 0x9286 to "UserComment", 0x9c9c to "XPComment",
    0x02bc to "XMP", 0x83bb to "IPTC", 0xcd41 to "C2PA",
)
private const val EXIF_DIRECTORY = 0x8769
private val SIZES = mapOf(1 to 1, 2 to 1, 3 to 2, 4 to 4, 7 to 1, 13 to 4)

/**
 * The few fields of a TIFF structure that say where a picture comes from, as they stand: of its first directory and its EXIF
 * directory. What is wrong goes to `parts`.
 */
internal fun readExif(tiff: Bytes, parts: Parts): Map<String, Bytes> {
    val little = tiff.startsWith("II")
    if (!little && !tiff.startsWith("MM") || tiff.size < 8) {
        parts.fault(EXIF_ORDER)
        return emptyMap()
    }
    return ExifReader(tiff, little, parts).read()
}

private class ExifReader(private val tiff: Bytes, private val little: Boolean, private val parts: Parts) {
    private val found = LinkedHashMap<String, Bytes>()

    fun read(): Map<String, Bytes> {
        val first = tiff.u32(4, little)
        val numbers = HashMap<Int, Long>()
        val following = directory(first, found, numbers)
        val inner = numbers[EXIF_DIRECTORY]
        if (inner == first) parts.fault(EXIF_LOOPS) else if (inner != null) directory(inner, found, HashMap())
        // The thumbnail's directory, for its faults alone.
        if (following == first) parts.fault(EXIF_LOOPS) else if (following != 0L) directory(following, HashMap(), HashMap())
        return found
    }

    /** Reads one directory; returns where the next one begins, 0 for nowhere. */
    private fun directory(begin: Long, into: MutableMap<String, Bytes>, numbers: MutableMap<Int, Long>): Long {
        if (begin + 2 > tiff.size) return loops()
        val at = begin.toInt()
        val count = tiff.u16(at, little)
        for (entry in 0 until minOf(count, MAX_ENTRIES)) {
            val place = at + 2 + 12 * entry
            if (place + 12 > tiff.size) return loops()
            entry(place, into, numbers)
        }
        val after = at + 2 + 12 * count
        return if (after + 4 <= tiff.size) tiff.u32(after, little) else 0
    }

    private fun entry(place: Int, into: MutableMap<String, Bytes>, numbers: MutableMap<Int, Long>) {
        val tag = tiff.u16(place, little)
        val kind = tiff.u16(place + 2, little)
        val values = tiff.u32(place + 4, little)
        val length = values * (SIZES[kind] ?: 0)
        if (values == 1L && kind == 3) numbers[tag] = tiff.u16(place + 8, little).toLong()
        if (values == 1L && kind == 4) numbers[tag] = tiff.u32(place + 8, little)
        val name = NAMES[tag] ?: return
        if (name in into || length == 0L) return
        val begin = if (length <= 4) place + 8L else tiff.u32(place + 8, little)
        if (begin + length > tiff.size) loops() else if (length <= MAX_VALUE) into[name] = tiff.slice(begin, begin + length)
    }

    private fun loops(): Long {
        parts.fault(EXIF_LOOPS)
        return 0
    }
}

/** The text of an ASCII field: up to its NUL, UTF-8 where it is that, else Latin-1. */
internal fun asciiText(value: Bytes): String {
    val raw = value.partition().first.trim { it == 0x20 || it in 0x09..0x0d }
    return raw.utf8OrNull() ?: raw.latin1()
}

/** The text of a field, which may be in an encoding of its own. */
internal fun fieldText(name: String, value: Bytes): String = when (name) {
    "UserComment" -> commentOf(value)
    "XPComment" -> stripped(value.text(Charsets.UTF_16LE))
    else -> asciiText(value)
}

/**
 * The text of UserComment: eight bytes name the encoding (EXIF 2.32, 4.6.5). "UNICODE" is UTF-16 in either order: a NUL in
 * the first byte of the text means big-endian, as in what A1111 writes.
 */
private fun commentOf(value: Bytes): String {
    val raw = value.slice(8)
    if (value.startsWith("UNICODE\u0000")) {
        return stripped(raw.text(if (raw.startsWith("\u0000")) Charsets.UTF_16BE else Charsets.UTF_16LE))
    }
    val named = value.startsWith("ASCII\u0000\u0000\u0000") || value.startsWith("\u0000".repeat(8))
    return asciiText(if (named) raw else value)
}

private fun stripped(text: String): String = text.trim { it == '\u0000' || it == ' ' }
