package fauxlens.core.builtin

import kotlin.math.max
import kotlin.math.min

/** Two tensors number by number; one of them may hold a single number, which then goes with each of the other. */
internal inline fun pairwise(a: FloatArray, b: FloatArray, size: Int, operation: (Float, Float) -> Float): FloatArray {
    val stepA = if (a.size == 1) 0 else 1
    val stepB = if (b.size == 1) 0 else 1
    return FloatArray(size) { operation(a[it * stepA], b[it * stepB]) }
}

internal fun pairwise(kind: Kind, a: FloatArray, b: FloatArray, size: Int): FloatArray = when (kind) {
    Kind.ADD -> pairwise(a, b, size) { x, y -> x + y }
    Kind.SUB -> pairwise(a, b, size) { x, y -> x - y }
    Kind.MUL -> pairwise(a, b, size) { x, y -> x * y }
    Kind.DIV -> pairwise(a, b, size) { x, y -> x / y }
    Kind.MAXIMUM -> pairwise(a, b, size) { x, y -> max(x, y) }
    else -> pairwise(a, b, size) { x, y -> min(x, y) }
}

/**
 * A convolution of 1 x 1 floats: a chain of fused multiplications and additions for each output channel, channel after
 * channel, from the bias on, as XNNPACK's f32-gemm kernels for processors with such an instruction compute it.
 *
 * `weights` holds the input channels of each output channel one after the other.
 */
internal fun pointwise(x: FloatArray, weights: FloatArray, bias: FloatArray, channels: Int): FloatArray {
    val pixels = x.size / channels
    return FloatArray(pixels * bias.size) { index ->
        val pixel = index / bias.size * channels
        val weight = index % bias.size * channels
        var sum = bias[index % bias.size]
        for (channel in 0 until channels) sum = fused(x[pixel + channel], weights[weight + channel], sum)
        sum
    }
}

/** The sums of `length` numbers each, one after the other. */
internal fun sums(x: FloatArray, length: Int): FloatArray = FloatArray(x.size / length) { row ->
    var sum = 0f
    for (index in row * length until (row + 1) * length) sum += x[index]
    sum
}

/** The nearest whole numbers of x / scale, ties to even, held to what `least` and `most` allow. */
internal fun quantised(x: FloatArray, scale: Float, least: Int, most: Int): IntArray {
    val inverse = 1f / scale
    return IntArray(x.size) { nearest(x[it] * inverse).coerceIn(least, most) }
}
