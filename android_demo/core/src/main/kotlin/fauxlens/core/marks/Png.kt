package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.CUT_SHORT
import fauxlens.core.marks.MarkWording.DAMAGED_TEXT
import fauxlens.core.marks.MarkWording.LONG_UNPACKED
import java.io.ByteArrayOutputStream
import java.nio.charset.Charset
import java.util.zip.DataFormatException
import java.util.zip.Inflater

internal const val PNG_SIGNATURE = "\u0089PNG\r\n\u001a\n"
private const val PNG_XMP = "XML:com.adobe.xmp"
private const val LONGEST_KEY = 79
private const val PIECE = 1 shl 16

/** The chunks of a PNG file (W3C PNG, 5.3 and 11.3); checksums are not compared. */
internal fun walkPng(data: Bytes, parts: Parts) {
    var at = PNG_SIGNATURE.length
    repeat(MAX_PARTS) {
        if (at + 8 > data.size) return parts.fault(CUT_SHORT)
        val length = data.u32(at)
        if (at + 12 + length > data.size) return parts.fault(CUT_SHORT)
        val kind = data.slice(at + 4, at + 8).latin1()
        if (kind == "IEND") return
        chunk(kind, data.slice(at + 8, at + 8 + length.toInt()), parts)
        at += 12 + length.toInt()
    }
    parts.faultTooMany()
}

private fun chunk(kind: String, chunk: Bytes, parts: Parts) {
    when (kind) {
        "eXIf" -> if (parts.exif == null) parts.exif = chunk.withoutPrefix(EXIF_HEADER)
        "caBX" -> parts.offerManifest(chunk)
        "tEXt", "zTXt", "iTXt" -> if (parts.hasRoom()) text(kind, chunk, parts)
    }
}

private fun text(kind: String, chunk: Bytes, parts: Parts) {
    val (key, rest) = chunk.partition()
    when (kind) {
        "tEXt" -> keep(key, rest, Charsets.ISO_8859_1, parts)
        "zTXt" -> keep(key, unpacked(rest.slice(1), parts), Charsets.ISO_8859_1, parts)
        else -> {
            val language = rest.slice(2)
            val translated = language.partition().second
            if (language.nul() < 0 || translated.nul() < 0) return parts.fault(CUT_SHORT)
            val text = translated.partition().second
            val packed = rest.startsWith("\u0001")
            keep(key, if (packed) unpacked(text, parts) else text, Charsets.UTF_8, parts)
        }
    }
}

private fun keep(key: Bytes, text: Bytes, charset: Charset, parts: Parts) {
    val name = key.slice(0, LONGEST_KEY).latin1()
    if (name == PNG_XMP) return parts.offerXmp(text)
    // Four bytes a character at most; one more character shows that it was longer.
    parts.text(name, text.slice(0, 4 * MAX_TEXT + 4).text(charset))
}

/** At most MAX_XMP bytes of what is packed; none where it is damaged. */
private fun unpacked(packed: Bytes, parts: Parts): Bytes {
    val inflater = Inflater()
    val found = ByteArrayOutputStream()
    val piece = ByteArray(PIECE)
    try {
        packed.feed(inflater)
        while (!inflater.finished() && found.size() <= MAX_XMP) {
            val count = inflater.inflate(piece)
            // The stream ends too soon, or asks for a dictionary.
            if (count == 0 && !inflater.finished()) break
            found.write(piece, 0, count)
        }
        // Also what something follows: no writer leaves that, and browsers refuse it.
        if (found.size() <= MAX_XMP && (!inflater.finished() || inflater.remaining > 0)) throw DataFormatException()
    } catch (_: DataFormatException) {
        parts.fault(DAMAGED_TEXT)
        return Bytes(ByteArray(0))
    } finally {
        inflater.end()
    }
    if (found.size() > MAX_XMP) parts.fault(LONG_UNPACKED, MAX_XMP)
    return Bytes(found.toByteArray()).slice(0, MAX_XMP)
}
