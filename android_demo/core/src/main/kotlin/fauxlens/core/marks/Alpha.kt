package fauxlens.core.marks

import fauxlens.core.Json
import fauxlens.core.NotJson
import fauxlens.core.parseJson
import java.io.ByteArrayOutputStream
import java.io.Closeable
import java.io.IOException
import java.util.zip.GZIPInputStream

/** The alpha of a decoded picture, as stored. */
interface Alpha : Closeable {
    val width: Int
    val height: Int

    /** A rectangle of it, row by row, a byte a pixel. */
    fun read(left: Int, top: Int, width: Int, height: Int): ByteArray
}

/** Decodes a WebP file, whose lowest bits of alpha may hide settings; null where it cannot be decoded. */
fun interface AlphaDecoder {
    fun decode(file: ByteArray): Alpha?
}

/** Lowest bits of an alpha, column by column, packed with the high bit of a byte first. */
internal class LowBits(width: Int, private val height: Int) {
    val count: Int = width * height
    private val array = ByteArray((count + 7) / 8)
    val bytes = Bytes(array)

    /** Keeps the lowest bit of an alpha. */
    fun keep(x: Int, y: Int, alpha: Int) {
        if (alpha and 1 == 0) return
        val at = x * height + y
        array[at shr 3] = (array[at shr 3].toInt() or (0x80 shr (at and 7))).toByte()
    }

    /** Whether they begin with a mark. */
    val areMarked: Boolean get() = bytes.startsWith(PLAIN) || bytes.startsWith(ZIPPED)
}

private const val PLAIN = "stealth_pnginfo"
private const val ZIPPED = "stealth_pngcomp"
private const val HEADER = PLAIN.length + 4

/** The bits that say whether there is a message. */
internal const val MARK_BITS = 8 * PLAIN.length

/** Larger pictures are not looked into; NovelAI's have three million pixels at most. */
internal const val MAX_HIDING_PIXELS = 16_000_000
private const val MAX_FIELDS = 20
private const val MAX_KEY = 79
private const val MAX_STRIP = 1 shl 20
private const val PIECE = 1 shl 16

/**
 * Keys and texts that are hidden in the lowest bits of a PNG's or lossless WebP's alpha: NovelAI's way, and what copies it
 * (train/image/marks/alpha.py): a mark of 15 bytes, the length in bits, the text.
 */
internal fun hiddenTexts(file: ByteArray, decoder: AlphaDecoder): List<Pair<String, String>> {
    val data = Bytes(file)
    val bits = pngLowBits(data) ?: (if (mayHide(data)) decoder.decode(file)?.use(::lowBits) else null) ?: return emptyList()
    return messageOf(bits)?.let(::textsOf).orEmpty()
}

/** Whether the bytes are those of a WebP with alpha and a lossless frame, of not too many pixels. */
private fun mayHide(data: Bytes): Boolean {
    if (data.size < 30 || !data.startsWith("RIFF") || !data.startsWith("WEBP", 8)) return false
    if (data.startsWith("VP8L", 12)) {
        // RFC 9649, 3.4: 14 bits of each side less one, then whether alpha is used.
        val sides = data.u32(21, little = true)
        val pixels = (1 + (sides and 0x3fff)) * (1 + (sides shr 14 and 0x3fff))
        return sides shr 28 and 1 == 1L && pixels <= MAX_HIDING_PIXELS
    }
    // RFC 9649, 2.7: flags, and 24 bits of each side less one.
    val width = 1 + (data.u32(24, little = true) and 0xffffff)
    val height = 1 + (data.u32(26, little = true) shr 8)
    val hasAlpha = data.startsWith("VP8X", 12) && data[20] and 0x10 != 0
    return hasAlpha && "VP8L" in data.slice(0, 4096).latin1() && width * height <= MAX_HIDING_PIXELS
}

/** Null where the alpha does not begin with a mark. */
private fun lowBits(alpha: Alpha): LowBits? {
    val (width, height) = alpha.width to alpha.height
    if (width.toLong() * height > MAX_HIDING_PIXELS) return null
    val bits = LowBits(width, height)
    val strip = maxOf(1, MAX_STRIP / height)
    for (left in 0 until width step strip) {
        val columns = minOf(strip, width - left)
        val values = alpha.read(left, 0, columns, height)
        for (x in 0 until columns) {
            for (y in 0 until height) bits.keep(left + x, y, values[y * columns + x].toInt())
        }
        if (left == 0 && columns * height >= MARK_BITS && !bits.areMarked) return null
    }
    return bits
}

/** The hidden bytes; null where the mark is not there, and where what follows it is damaged. */
private fun messageOf(bits: LowBits): Bytes? {
    if (bits.count < 8 * HEADER || !bits.areMarked) return null
    val length = minOf(bits.bytes.u32(PLAIN.length), bits.count - 8L * HEADER, 32L * MAX_TEXT)
    val body = bits.bytes.slice(HEADER, HEADER + length.toInt() / 8)
    return if (bits.bytes.startsWith(PLAIN)) body else unzipped(body)
}

private fun unzipped(packed: Bytes): Bytes? = try {
    val found = ByteArrayOutputStream()
    val piece = ByteArray(PIECE)
    GZIPInputStream(packed.copy().inputStream()).use { stream ->
        while (found.size() < 4 * MAX_TEXT) {
            val count = stream.read(piece)
            if (count < 0) break
            found.write(piece, 0, count)
        }
    }
    Bytes(found.toByteArray()).slice(0, 4 * MAX_TEXT)
} catch (_: IOException) {
    null
}

private fun textsOf(message: Bytes): List<Pair<String, String>> {
    val whole = message.text()
    val text = whole.take(whole.offsetOf(MAX_TEXT))
    if (text.isEmpty()) return emptyList()
    val fields = try {
        parseJson(text) as? Json.Object
    } catch (_: NotJson) {
        null
    } ?: return listOf("parameters" to text)
    return fields.members.entries.take(MAX_FIELDS).mapNotNull { (key, value) ->
        (value as? Json.Text)?.let { key.take(key.offsetOf(MAX_KEY)) to it.value }
    }
}
