package fauxlens.app.picture

import java.util.zip.CRC32
import java.util.zip.DataFormatException
import java.util.zip.Inflater

/** The structure of a PNG (W3C PNG, third edition), with the checksums of the chunks that hold pixels. */
internal fun pngFacts(bytes: ByteArray): FileFacts {
    var facts = FileFacts(complete = false)
    var at = 8
    while (at + 12 <= bytes.size) {
        val length = bytes.big32(at)
        if (length > bytes.size - at - 12) return facts
        val start = at + 8
        val end = start + length.toInt()
        val type = String(bytes, at + 4, 4, Charsets.ISO_8859_1)
        val critical = type[0] in 'A'..'Z'
        if (critical && checksum(bytes, at + 4, end) != bytes.big32(end)) return facts
        if (type == "IEND") return facts.copy(complete = true)
        facts = withChunk(facts, bytes, type, at, start, end)
        at = end + 4
    }
    return facts
}

private fun withChunk(facts: FileFacts, bytes: ByteArray, type: String, at: Int, start: Int, end: Int): FileFacts {
    val length = end - start
    return when (type) {
        "IHDR" -> if (length >= 9) facts.copy(sixteenBits = bytes.byte(start + 8) == 16) else facts
        "acTL" -> if (length >= 4) facts.copy(frames = bytes.big32(start).coerceIn(1L, 1L shl 30).toInt()) else facts
        "eXIf" -> facts.copy(exif = start until end)
        "iTXt" -> if (bytes.hasText(start, "XML:com.adobe.xmp")) facts.copy(xmp = start until end) else facts
        "iCCP" -> facts.copy(
            profiles = facts.profiles + at,
            unusualColours = facts.unusualColours || !profileSaysSrgb(bytes, start, end),
        )
        "cICP" -> facts.copy(profiles = facts.profiles + at, unusualColours = true)
        // Nearly always those of sRGB, written by habit: hidden, but not worth a note.
        "gAMA", "cHRM" -> facts.copy(profiles = facts.profiles + at)
        else -> facts
    }
}

// Longer than the tags of any profile that describes itself; the tables behind them say nothing.
private const val ENOUGH_OF_PROFILE = 16 shl 10

/** Whether an iCCP chunk (a name, a zero, the method 0, the profile deflated) holds one that calls itself sRGB. */
private fun profileSaysSrgb(bytes: ByteArray, start: Int, end: Int): Boolean {
    val name = (start until end).firstOrNull { bytes.byte(it) == 0 } ?: return false
    if (name + 2 >= end) return false
    val inflater = Inflater()
    try {
        inflater.setInput(bytes, name + 2, end - name - 2)
        val profile = ByteArray(ENOUGH_OF_PROFILE)
        return saysSrgb(profile, 0 until inflater.inflate(profile))
    } catch (_: DataFormatException) {
        return false
    } finally {
        inflater.end()
    }
}

/** CRC-32 of a chunk's type and data. */
internal fun checksum(bytes: ByteArray, from: Int, to: Int): Long =
    CRC32().apply { update(bytes, from, to - from) }.value
