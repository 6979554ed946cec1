package fauxlens.app.picture

import java.util.zip.CRC32
import java.util.zip.DataFormatException
import java.util.zip.Inflater

/** The structure of a PNG (W3C PNG, third edition), with the checksums of the chunks that hold pixels. */
internal fun pngFacts(bytes: ByteArray): FileFacts {
    val facts = PngFacts(bytes)
    var at = 8
    var parts = 0
    while (at + 12 <= bytes.size) {
        val length = bytes.big32(at)
        if (length > bytes.size - at - 12) return facts.made(complete = false)
        if (++parts > MOST_PARTS || facts.profiles.size > MOST_PROFILES) {
            return facts.made(complete = false).copy(excessive = true)
        }
        val start = at + 8
        val end = start + length.toInt()
        val type = String(bytes, at + 4, 4, Charsets.ISO_8859_1)
        val critical = type[0] in 'A'..'Z'
        if (critical && checksum(bytes, at + 4, end) != bytes.big32(end)) return facts.made(complete = false)
        if (type == "IEND") return facts.made(complete = true)
        facts.add(type, at, start, end)
        at = end + 4
    }
    return facts.made(complete = false)
}

/** What the chunks say, gathered one by one: a list that was copied for each would take hours over a small file. */
private class PngFacts(private val bytes: ByteArray) {
    val profiles = ArrayList<Int>()
    private var plain = FileFacts(complete = false)

    fun made(complete: Boolean): FileFacts = plain.copy(complete = complete, profiles = profiles)

    fun add(type: String, at: Int, start: Int, end: Int) {
        val length = end - start
        plain = when (type) {
            "IHDR" -> if (length < 13) plain else plain.copy(
                sixteenBits = bytes.byte(start + 8) == 16,
                interlaced = bytes.byte(start + 12) != 0,
            )
            "acTL" -> if (length < 4) plain else {
                plain.copy(frames = bytes.big32(start).coerceIn(1L, 1L shl 30).toInt())
            }
            "eXIf" -> plain.copy(exif = start until end)
            "iTXt" -> if (bytes.hasText(start, "XML:com.adobe.xmp")) plain.copy(xmp = start until end) else plain
            // A second profile is against the rules, and not unpacked.
            "iCCP" -> plain.copy(
                unusualColours = plain.unusualColours || profiles.isNotEmpty() || !profileSaysSrgb(bytes, start, end),
            )
            "cICP" -> plain.copy(unusualColours = true)
            else -> plain
        }
        // gAMA and cHRM are nearly always those of sRGB, written by habit: hidden, but not worth a note.
        if (type in COLOUR_CHUNKS) profiles += at
    }
}

private val COLOUR_CHUNKS = setOf("iCCP", "cICP", "gAMA", "cHRM")

// Longer than the tags of any profile that describes itself; the tables behind them say nothing.
private const val ENOUGH_OF_PROFILE = 16 shl 10

/** Whether an iCCP chunk (a name, a zero, the method 0, the profile deflated) holds one that calls itself sRGB. */
private fun profileSaysSrgb(bytes: ByteArray, start: Int, end: Int): Boolean {
    // PNG allows a name of 79 characters.
    val name = (start until minOf(end, start + 80)).firstOrNull { bytes.byte(it) == 0 } ?: return false
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
