package fauxlens.core.builtin

/**
 * A convolution of floats, without any claim to the last bit: what it gives is rounded afterwards.
 *
 * `weights` has for each place of the kernel (and, unless `depthwise`, each input channel) those of all output channels
 * side by side. Rows do not depend on each other, so threads may share them.
 */
internal class FloatConvolution(
    private val shape: ConvolutionShape,
    private val window: Window,
    private val bias: FloatArray,
    private val weights: Array<FloatArray>,
    private val depthwise: Boolean,
) {
    /** Writes rows `first` until `last` to `output` from the whole `input`. */
    fun run(input: FloatArray, output: FloatArray, first: Int, last: Int) {
        val s = shape
        val sums = FloatArray(s.outChannels)
        for (outRow in first until last) for (outColumn in 0 until s.outColumns) {
            System.arraycopy(bias, 0, sums, 0, sums.size)
            for (place in 0 until s.kernel * s.kernel) {
                val row = outRow * s.stride - s.above + place / s.kernel
                val column = outColumn * s.stride - s.left + place % s.kernel
                if (row in 0 until s.rows && column in 0 until s.columns) {
                    val at = (row * s.columns + column) * s.channels
                    if (depthwise) addProducts(sums, input, at, weights[place]) else addPixel(sums, input, at, place)
                }
            }
            val at = (outRow * s.outColumns + outColumn) * s.outChannels
            for (i in sums.indices) output[at + i] = minOf(maxOf(sums[i], window.least), window.most)
        }
    }

    private fun addPixel(sums: FloatArray, input: FloatArray, at: Int, place: Int) {
        val channels = shape.channels
        for (channel in 0 until channels) {
            val x = input[at + channel]
            // After a RELU many are 0.
            if (x != 0f) addScaled(sums, x, weights[place * channels + channel])
        }
    }

    private fun addScaled(sums: FloatArray, x: Float, weights: FloatArray) {
        for (i in sums.indices) sums[i] += x * weights[i]
    }

    private fun addProducts(sums: FloatArray, input: FloatArray, at: Int, weights: FloatArray) {
        for (i in sums.indices) sums[i] += input[at + i] * weights[i]
    }
}

/** Weights as TFLite stores them (output channels outermost; depthwise ones innermost), turned for [FloatConvolution]. */
internal fun rowsOf(weights: FloatArray, shape: ConvolutionShape, depthwise: Boolean): Array<FloatArray> {
    val channels = shape.outChannels
    val places = weights.size / channels
    return Array(places) { place ->
        FloatArray(channels) { if (depthwise) weights[place * channels + it] else weights[it * places + place] }
    }
}
