package fauxlens.core

import kotlin.math.abs
import kotlin.math.max

// Every fifteenth of the 256 colours of "inferno" (matplotlib/_cm_listed.py, CC0), linear in between: the same as in
// export/inference/overlay.py.
private val INFERNO = intArrayOf(
    0x000004, 0x0a0722, 0x1e0c45, 0x380962, 0x510e6c, 0x69166e, 0x801f6c, 0x982766, 0xb0315b,
    0xc63d4d, 0xd94d3d, 0xe9612b, 0xf47918, 0xfa9407, 0xfcb014, 0xf8cd37, 0xf2ea69, 0xfcffa4,
)
private const val STRONGEST = 0.7

/**
 * Enlarges a heatmap to side x side values, row by row: bilinear with the corners aligned, as export/inference/overlay.py.
 *
 * The sums are those of the Python side in the same order, so the floats are equal; only a processor whose matrix
 * product fuses multiplication and addition may give Python another last bit.
 */
fun expand(heatmap: Heatmap, side: Int): FloatArray {
    val columns = positions(heatmap.columns, side)
    val rows = positions(heatmap.rows, side)
    val result = FloatArray(side * side)
    val line = DoubleArray(heatmap.columns)
    for (y in 0 until side) {
        for (column in line.indices) {
            line[column] = between(rows[y], heatmap.rows) { heatmap.values[it * heatmap.columns + column].toDouble() }
        }
        for (x in 0 until side) result[y * side + x] = between(columns[x], heatmap.columns) { line[it] }.toFloat()
    }
    return result
}

/** Inferno, 0xFFRRGGBB, of a value that is held to 0..1: export/inference/overlay.py `colours`, rounded to 8 bits. */
fun heatColour(value: Float): Int {
    val x = value.toDouble().coerceIn(0.0, 1.0)
    val last = INFERNO.size - 1
    // As numpy.interp: the last anchor at or below x, and a slope to the next.
    var below = (x * last).toInt().coerceAtMost(last)
    if (anchor(below) > x) below -= 1
    if (below < last && anchor(below + 1) <= x) below += 1
    var colour = 0xFF
    for (shift in intArrayOf(16, 8, 0)) {
        val level = (INFERNO[below] shr shift and 0xFF) / 255.0
        val mixed = if (below == last) level else {
            val next = (INFERNO[below + 1] shr shift and 0xFF) / 255.0
            (next - level) / (anchor(below + 1) - anchor(below)) * (x - anchor(below)) + level
        }
        colour = colour shl 8 or Math.rint(255 * mixed).toInt()
    }
    return colour
}

/** The overlay's pixels, side*side, ARGB not premultiplied: alpha is 0.7 x value, so 0 shows the picture unchanged. */
fun overlay(heatmap: Heatmap, side: Int): IntArray {
    val values = expand(heatmap, side)
    return IntArray(values.size) {
        val alpha = Math.rint(255 * STRONGEST * values[it].toDouble().coerceIn(0.0, 1.0)).toInt()
        (alpha shl 24) or (heatColour(values[it]) and 0xFFFFFF)
    }
}

private fun anchor(index: Int): Double = if (index == INFERNO.size - 1) 1.0 else index * (1.0 / (INFERNO.size - 1))

/** As numpy.linspace(0, cells - 1, side). */
private fun positions(cells: Int, side: Int): DoubleArray {
    val end = (cells - 1).toDouble()
    val step = if (side > 1) end / (side - 1) else 0.0
    return DoubleArray(side) { if (it > 0 && it == side - 1) end else it * step }
}

/** The weighted sum of the two cells around a position. */
private inline fun between(position: Double, cells: Int, cell: (Int) -> Double): Double {
    val first = position.toInt()
    val near = cell(first) * max(0.0, 1 - abs(position - first))
    return if (first + 1 < cells) near + cell(first + 1) * max(0.0, 1 - abs(position - (first + 1))) else near
}
