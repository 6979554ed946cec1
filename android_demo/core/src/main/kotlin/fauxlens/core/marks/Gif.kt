package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.CUT_SHORT
import fauxlens.core.marks.MarkWording.TOO_MANY

private const val XMP_BLOCK = "\u000bXMP DataXMP"

// What ends an XMP packet so that readers which know of sub-blocks only find an end (XMP, part 3, 1.1.2).
private const val TRAILER = 257

// Of a file together; of 255 bytes each they hold more than any file that is read.
private const val MAX_BLOCKS = 1_000_000
private const val EXTENSION = 0x21
private const val COMMENT = 0xfe
private const val IMAGE = 0x2c
private const val END = 0x3b
private const val FIRST_BLOCK = 13

internal fun isGif(data: Bytes): Boolean = data.startsWith("GIF87a") || data.startsWith("GIF89a")

/** The blocks of a GIF file (GIF89a, 15 to 26); pixels are passed over. */
internal fun walkGif(data: Bytes, parts: Parts) = GifWalk(data, parts).walk()

private class GifWalk(private val data: Bytes, private val parts: Parts) {
    private var at = FIRST_BLOCK + tableBytes(byteAt(10))
    private var left = MAX_BLOCKS

    fun walk() {
        repeat(MAX_PARTS) {
            val kind = byteAt(at)
            when {
                kind == END -> return
                kind == IMAGE && data.size >= at + 11 -> chain(at + 11 + tableBytes(byteAt(at + 9)), 0)
                kind == EXTENSION && byteAt(at + 1) == COMMENT -> {
                    parts.text("comment", joined(chain(at + 2, LONGEST_COMMENT)).slice(0, LONGEST_COMMENT).text())
                }
                kind == EXTENSION && data.startsWith(XMP_BLOCK, at + 2) -> packet(at + 2 + XMP_BLOCK.length)
                kind == EXTENSION && data.size > at + 2 -> chain(at + 2, 0)
                else -> return parts.fault(CUT_SHORT)
            }
            if (left == 0) return parts.fault(TOO_MANY, MAX_BLOCKS)
        }
        parts.faultTooMany()
    }

    /** The byte at a place, -1 behind the end. */
    private fun byteAt(place: Int): Int = if (place < data.size) data[place] else -1

    /** Bytes of the colour table that a packed field tells of. */
    private fun tableBytes(packed: Int): Int = if (packed >= 0x80) 3 shl (1 + (packed and 7)) else 0

    /** Passes a chain of sub-blocks; returns those with the first `most` bytes that it holds. */
    private fun chain(begin: Int, most: Int): List<Bytes> {
        val found = ArrayList<Bytes>()
        var kept = 0
        at = begin
        while (left > 0 && at < data.size && data[at] > 0) {
            val length = data[at]
            if (kept < most) {
                found += data.slice(at + 1, at + 1 + length)
                kept += length
            }
            at += 1 + length
            left -= 1
        }
        at += 1
        return found
    }

    /** The packet stands there as it is, not cut into sub-blocks. */
    private fun packet(begin: Int) {
        val end = (begin until data.size - 1).firstOrNull { data[it] == 0 && data[it + 1] == 0 }
        parts.offerXmp(data.slice(begin, maxOf(begin, (end ?: -1) - TRAILER + 1)))
        at = end?.plus(2) ?: data.size
    }

    private companion object {
        // Four bytes a character at most; one more character shows that it was longer.
        const val LONGEST_COMMENT = 4 * MAX_TEXT + 4
    }
}
