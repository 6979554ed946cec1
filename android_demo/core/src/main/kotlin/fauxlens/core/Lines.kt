package fauxlens.core

import kotlin.math.max
import kotlin.math.min

private const val BAND_PIXELS = 1 shl 17

/** A stretch of one axis of a picture of `length` pixels; beyond the border the border's pixel repeats. */
internal class Span(val from: Int, val size: Int, val length: Int) {

    /** The pixel of the picture at a place of the span. */
    fun at(index: Int): Int = min(max(from + index, 0), length - 1)
}

/**
 * The stored rows under a view, turned: line i is the stored row at place i of `rows`, its pixels those of `columns`.
 *
 * `rows` and `columns` are stretches of the upright picture along the axes that stored rows and columns have there.
 * Lines are read in ascending order.
 */
internal class Lines(private val stored: Raster, private val turn: Turn, val rows: Span, val columns: Span) {

    private val left: Int
    private val width: Int
    private var band = IntArray(0)
    private var bandTop = 0
    private var bandRows = 0

    init {
        val one = columns.at(0)
        val other = columns.at(columns.size - 1)
        width = other - one + 1
        left = if (turn.flipsColumns) stored.width - 1 - other else one
    }

    /** Writes line `index` to `target`. */
    fun read(index: Int, target: IntArray) {
        val row = rows.at(index)
        val storedRow = if (turn.flipsRows) rows.length - 1 - row else row
        if (storedRow !in bandTop until bandTop + bandRows) readBand(storedRow, rows.at(rows.size - 1) - row + 1)
        val from = (storedRow - bandTop) * width
        // How many places of the line lie before the picture's border.
        val before = (-columns.from).coerceIn(0, columns.size - 1)
        if (turn.flipsColumns) {
            for (i in 0 until width) target[before + i] = band[from + width - 1 - i]
        } else {
            System.arraycopy(band, from, target, before, width)
        }
        target.fill(target[before], 0, before)
        target.fill(target[before + width - 1], before + width)
    }

    /** Reads stored rows from `row` on, of which `wanted` are still to be read. */
    private fun readBand(row: Int, wanted: Int) {
        bandRows = min(max(1, BAND_PIXELS / width), wanted)
        bandTop = if (turn.flipsRows) row - bandRows + 1 else row
        if (band.size < bandRows * width) band = IntArray(bandRows * width)
        stored.read(left, bandTop, width, bandRows, band)
    }
}
