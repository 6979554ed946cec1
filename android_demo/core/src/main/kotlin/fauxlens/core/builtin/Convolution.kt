package fauxlens.core.builtin

/**
 * An int8 convolution in whole numbers, equal to XNNPACK's qs8-qc8w kernels bit for bit: products are summed in 32 bits
 * onto the bias; the sum becomes a float, is multiplied by input scale * weight scale / output scale, and rounded to the
 * nearest whole number, ties to even (XNNPACK, src/qs8-requantization/fp32).
 *
 * Activations stand as whole numbers less their zero point, so that the padding is 0. `run` computes output rows from
 * `first` until `last`; rows do not depend on each other, so threads may share them.
 */
internal abstract class Convolution(
    val shape: ConvolutionShape,
    private val scales: FloatArray,
    private val bias: IntArray,
) {
    /** Writes the rows to `output`, rows * columns * channels numbers, from the whole `input`. */
    fun run(input: IntArray, output: IntArray, first: Int, last: Int) {
        val s = shape
        val sums = IntArray(s.outChannels)
        for (outRow in first until last) for (outColumn in 0 until s.outColumns) {
            System.arraycopy(bias, 0, sums, 0, sums.size)
            for (place in 0 until s.kernel * s.kernel) {
                val row = outRow * s.stride - s.above + place / s.kernel
                val column = outColumn * s.stride - s.left + place % s.kernel
                if (row in 0 until s.rows && column in 0 until s.columns) {
                    add(sums, input, (row * s.columns + column) * s.channels, place)
                }
            }
            requantise(sums, output, (outRow * s.outColumns + outColumn) * s.outChannels)
        }
    }

    /** Adds what the pixel of `input` at `at` gives, at a place of the kernel (row by row). */
    protected abstract fun add(sums: IntArray, input: IntArray, at: Int, place: Int)

    /** Turns sums into the numbers of the output, less its zero point. */
    private fun requantise(sums: IntArray, output: IntArray, at: Int) {
        val least = shape.least
        val most = shape.most
        for (channel in sums.indices) {
            val number = nearest(sums[channel].toFloat() * scales[channel])
            output[at + channel] = if (number < least) least else if (number > most) most else number
        }
    }
}

/** Sides in pixels and channels; `least` and `most` bound the output's numbers less their zero point. */
internal class ConvolutionShape(
    val rows: Int,
    val columns: Int,
    val channels: Int,
    val outRows: Int,
    val outColumns: Int,
    val outChannels: Int,
    val kernel: Int,
    val stride: Int,
    val same: Boolean,
    val least: Int,
    val most: Int,
) {
    /** How many rows of padding stand above, columns to the left: the smaller half, as TensorFlow's SAME. */
    val above: Int = if (same) padding(rows, outRows) else 0
    val left: Int = if (same) padding(columns, outColumns) else 0

    private fun padding(side: Int, outSide: Int): Int = maxOf((outSide - 1) * stride + kernel - side, 0) / 2
}

/** Every channel by its own kernel; `taps` holds the weights of all channels for each place of the kernel. */
internal class DepthwiseConvolution(
    shape: ConvolutionShape,
    scales: FloatArray,
    bias: IntArray,
    private val taps: Array<IntArray>,
) : Convolution(shape, scales, bias) {

    override fun add(sums: IntArray, input: IntArray, at: Int, place: Int) {
        val weights = taps[place]
        for (channel in sums.indices) sums[channel] += input[at + channel] * weights[channel]
    }
}

/** All channels of a pixel together, or of kernel * kernel pixels; `weights` has a row for each place and channel. */
internal class FullConvolution(
    shape: ConvolutionShape,
    scales: FloatArray,
    bias: IntArray,
    private val weights: Array<IntArray>,
) : Convolution(shape, scales, bias) {

    override fun add(sums: IntArray, input: IntArray, at: Int, place: Int) {
        val channels = shape.channels
        val weight = place * channels
        var channel = 0
        while (channel + 4 <= channels) {
            addFour(sums, input, at + channel, weight + channel)
            channel += 4
        }
        while (channel < channels) {
            addOne(sums, input[at + channel], weights[weight + channel])
            channel += 1
        }
    }

    private fun addFour(sums: IntArray, input: IntArray, at: Int, weight: Int) {
        val a = input[at]
        val b = input[at + 1]
        val c = input[at + 2]
        val d = input[at + 3]
        // After a RELU many are 0.
        if (a or b or c or d == 0) return
        addProducts(sums, a, weights[weight], b, weights[weight + 1], c, weights[weight + 2], d, weights[weight + 3])
    }

    // Nothing but arrays of one length in the loop: so compilers make vector instructions of it, eight times as fast.
    @Suppress("LongParameterList")
    private fun addProducts(
        sums: IntArray,
        a: Int, ofA: IntArray,
        b: Int, ofB: IntArray,
        c: Int, ofC: IntArray,
        d: Int, ofD: IntArray,
    ) {
        for (i in sums.indices) sums[i] += a * ofA[i] + b * ofB[i] + c * ofC[i] + d * ofD[i]
    }

    private fun addOne(sums: IntArray, a: Int, ofA: IntArray) {
        for (i in sums.indices) sums[i] += a * ofA[i]
    }
}
