package fauxlens.core.marks

import java.util.zip.DataFormatException
import java.util.zip.Inflater
import kotlin.math.abs

// Column, row, and their steps in each pass of Adam7 (W3C PNG, 8.2).
private val ADAM7 = listOf(
    Pass(0, 0, 8, 8), Pass(4, 0, 8, 8), Pass(0, 4, 4, 8), Pass(2, 0, 4, 4), Pass(0, 2, 2, 4), Pass(1, 0, 2, 2), Pass(0, 1, 1, 2),
)
private val WHOLE = listOf(Pass(0, 0, 1, 1))
private const val PIECE = 1 shl 16
private const val HEADER_END = 29

private class Pass(val x: Int, val y: Int, val across: Int, val down: Int)

/**
 * The lowest bits of a PNG's alpha, out of its rows as they are unpacked (W3C PNG, 9 and 10): no more than a row is held.
 *
 * Null for what is no PNG with 8-bit alpha, has too many pixels, is damaged, or has no mark.
 */
internal fun pngLowBits(data: Bytes): LowBits? {
    if (!data.startsWith(PNG_SIGNATURE) || data.size < HEADER_END) return null
    val (width, height) = data.u32(16) to data.u32(20)
    if (data[24] != 8 || data[25] != 6 || width == 0L || height == 0L) return null
    // Each may be four billion, whose product no Long holds.
    if (width > MAX_HIDING_PIXELS || height > MAX_HIDING_PIXELS || width * height > MAX_HIDING_PIXELS) return null
    val rows = PngRows(width.toInt(), height.toInt(), if (data[28] == 0) WHOLE else ADAM7)
    val inflater = Inflater()
    try {
        unpackInto(rows, data, inflater)
    } catch (_: DataFormatException) {
        // What was read until there does, if it is the whole picture.
    } finally {
        inflater.end()
    }
    return rows.bits.takeIf { rows.complete }
}

/** Unpacks the IDAT chunks until the rows are enough. */
private fun unpackInto(rows: PngRows, data: Bytes, inflater: Inflater) {
    val piece = ByteArray(PIECE)
    var at = PNG_SIGNATURE.length.toLong()
    repeat(MAX_PARTS) {
        if (at + 8 > data.size) return
        val begin = at.toInt()
        val length = data.u32(begin)
        if (data.startsWith("IDAT", begin + 4)) {
            data.slice(begin + 8L, begin + 8L + length).feed(inflater)
            while (true) {
                val count = inflater.inflate(piece)
                // More is asked for, or a dictionary, or the stream has ended.
                if (count == 0) break
                if (rows.take(piece, count)) return
            }
        }
        at += 12 + length
    }
}

/** Takes filtered rows in pieces of any length and keeps the lowest bit of each alpha. */
private class PngRows(private val width: Int, private val height: Int, passes: List<Pass>) {
    val bits = LowBits(width, height)

    /** Whether every row was read. */
    var complete = false
        private set
    private val passes = passes.filter { it.x < width && it.y < height }
    private var number = 0
    private var row = 0
    private var filled = 0
    private var bytes = ByteArray(0)
    private var alpha = IntArray(0)
    private var above = IntArray(0)

    init {
        begin()
    }

    private fun begin() {
        val pass = passes[number]
        val columns = (width - pass.x + pass.across - 1) / pass.across
        row = 0
        bytes = ByteArray(1 + 4 * columns)
        alpha = IntArray(columns)
        above = IntArray(columns)
    }

    /** Returns whether that was enough: all rows are there, or no mark is. */
    fun take(piece: ByteArray, count: Int): Boolean {
        var at = 0
        while (at < count) {
            val part = minOf(count - at, bytes.size - filled)
            piece.copyInto(bytes, filled, at, at + part)
            filled += part
            at += part
            if (filled == bytes.size && !next()) return true
        }
        return false
    }

    /** Takes the row that is there; returns whether another is wanted. */
    private fun next(): Boolean {
        val pass = passes[number]
        filled = 0
        if (!unfilter()) return false
        val y = pass.y + row * pass.down
        for (column in alpha.indices) bits.keep(pass.x + column * pass.across, y, alpha[column])
        above = alpha.also { alpha = above }
        row += 1
        // The first column holds the mark, if it is so high.
        if (passes.size == 1 && row == MARK_BITS && !bits.areMarked) return false
        if (y + pass.down < height) return true
        number += 1
        complete = number == passes.size
        if (!complete) begin()
        return !complete
    }

    /** Each channel is filtered by itself, so the alphas alone suffice; returns false for a filter that does not exist. */
    private fun unfilter(): Boolean {
        val kind = bytes[0].toInt() and 0xff
        var left = 0
        var corner = 0
        for (index in alpha.indices) {
            val up = above[index]
            left = (bytes[4 + 4 * index] + predicted(kind, left, up, corner)) and 0xff
            alpha[index] = left
            corner = up
        }
        return kind <= PAETH
    }
}

private const val PAETH = 4

/** None, Sub, Up, Average and Paeth. */
private fun predicted(kind: Int, left: Int, up: Int, corner: Int): Int = when (kind) {
    1 -> left
    2 -> up
    3 -> (left + up) shr 1
    PAETH -> paeth(left, up, corner)
    else -> 0
}

private fun paeth(left: Int, up: Int, corner: Int): Int {
    val (a, b) = abs(up - corner) to abs(left - corner)
    val c = abs(left + up - 2 * corner)
    return if (a <= b && a <= c) left else if (b <= c) up else corner
}
