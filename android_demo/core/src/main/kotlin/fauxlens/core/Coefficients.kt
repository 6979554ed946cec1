package fauxlens.core

import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min

internal const val PRECISION_BITS = 32 - 8 - 2

/**
 * Which input pixels make each output pixel of one axis, and how much of each.
 *
 * Output pixel o is the sum over i < `count[o]` of `weights[o * stride + i]` x input pixel `first[o] + i`; weights are
 * fixed point with 22 binary places. This is Pillow 13's BILINEAR, antialiased when it reduces: precompute_coeffs and
 * normalize_coeffs_8bpc of src/libImaging/Resample.c, the same operations on doubles in the same order.
 */
internal class Coefficients(val input: Int, val output: Int) {

    val first = IntArray(output)
    val count = IntArray(output)

    /** The most input pixels that one output pixel can need. */
    val stride: Int
    val weights: IntArray

    init {
        // Pillow keeps the box in floats, which matters beyond 2^24 pixels.
        val scale = input.toFloat().toDouble() / output
        val support = max(scale, 1.0)
        val ratio = 1.0 / support
        stride = ceil(support).toInt() * 2 + 1
        weights = IntArray(output * stride)
        val exact = DoubleArray(stride)
        for (o in 0 until output) {
            val centre = (o + 0.5) * scale
            first[o] = max((centre - support + 0.5).toInt(), 0)
            count[o] = min((centre + support + 0.5).toInt(), input) - first[o]
            var sum = 0.0
            for (i in 0 until count[o]) {
                exact[i] = triangle((i + first[o] - centre + 0.5) * ratio)
                sum += exact[i]
            }
            for (i in 0 until count[o]) {
                val share = if (sum != 0.0) exact[i] / sum else exact[i]
                weights[o * stride + i] = (0.5 + share * (1 shl PRECISION_BITS)).toInt()
            }
        }
    }
}

private fun triangle(x: Double): Double {
    val distance = if (x < 0.0) -x else x
    return if (distance < 1.0) 1.0 - distance else 0.0
}
