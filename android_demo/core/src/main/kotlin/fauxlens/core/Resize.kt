package fauxlens.core

private const val HALF = 1 shl (PRECISION_BITS - 1)

/**
 * Resizes lines to width x height RGB bytes as Pillow's `Image.resize(..., BILINEAR)` (src/libImaging/Resample.c), rows of
 * the picture first and then its columns, as train/image/view.py does; in between pixels are rounded to 8 bits.
 *
 * Lines are stored rows: rows of the picture, or its columns where `transposed`. So either pixels along a line are
 * resized and then lines are mixed, or, where `transposed`, lines are mixed first. Pillow skips an axis that keeps its
 * length; its weights are then 1 and 0, which changes nothing.
 */
internal fun resize(lines: Lines, width: Int, height: Int, transposed: Boolean): ByteArray {
    val length = lines.columns.size
    val places = if (transposed) height else width
    val count = if (transposed) width else height
    val alongLine = Coefficients(length, places)
    val overLines = Coefficients(lines.rows.size, count)
    val raw = IntArray(length)
    val window = if (transposed) Window(overLines, length, lines::read) else {
        Window(overLines, places) { index, target ->
            lines.read(index, raw)
            along(raw, alongLine, target)
        }
    }
    val mixture = Mixture(if (transposed) length else places)
    val resized = IntArray(places)
    val result = ByteArray(3 * width * height)
    for (line in 0 until count) {
        if (transposed) {
            mixture.mix(window.at(line), overLines, line, raw)
            along(raw, alongLine, resized)
        } else {
            mixture.mix(window.at(line), overLines, line, resized)
        }
        for (i in 0 until places) put(resized[i], result, if (transposed) i * width + line else line * width + i)
    }
    return result
}

/** The few lines that one line of the result is made of, each computed once; line i stands in slot i mod the stride. */
private class Window(
    private val coefficients: Coefficients,
    private val length: Int,
    private val compute: (Int, IntArray) -> Unit,
) {

    private val lines = arrayOfNulls<IntArray>(coefficients.stride)
    private var done = 0

    /** The slots, filled with what line `output` of the result needs; outputs are asked for in ascending order. */
    fun at(output: Int): Array<IntArray?> {
        while (done < coefficients.first[output] + coefficients.count[output]) {
            val slot = done % lines.size
            val line = lines[slot] ?: IntArray(length).also { lines[slot] = it }
            compute(done, line)
            done += 1
        }
        return lines
    }
}

/** Weighted sums of whole lines, a channel at a time. */
private class Mixture(private val length: Int) {

    private val sums = Array(3) { IntArray(length) }

    fun mix(lines: Array<IntArray?>, coefficients: Coefficients, output: Int, target: IntArray) {
        for (channel in sums) channel.fill(HALF)
        for (i in 0 until coefficients.count[output]) {
            val line = checkNotNull(lines[(coefficients.first[output] + i) % lines.size])
            val weight = coefficients.weights[output * coefficients.stride + i]
            add(line, 16, weight, sums[0])
            add(line, 8, weight, sums[1])
            add(line, 0, weight, sums[2])
        }
        for (i in 0 until length) target[i] = pack(sums[0][i], sums[1][i], sums[2][i])
    }

    private fun add(line: IntArray, shift: Int, weight: Int, sum: IntArray) {
        for (i in sum.indices) sum[i] += (line[i] ushr shift and 0xFF) * weight
    }
}

/** Resizes one line of packed pixels. */
private fun along(line: IntArray, coefficients: Coefficients, target: IntArray) {
    val weights = coefficients.weights
    for (o in 0 until coefficients.output) {
        var red = HALF
        var green = HALF
        var blue = HALF
        val first = coefficients.first[o]
        val weight = o * coefficients.stride - first
        for (i in first until first + coefficients.count[o]) {
            val pixel = line[i]
            val share = weights[weight + i]
            red += (pixel ushr 16 and 0xFF) * share
            green += (pixel ushr 8 and 0xFF) * share
            blue += (pixel and 0xFF) * share
        }
        target[o] = pack(red, green, blue)
    }
}

// Weights are never negative, so sums are not either; rounding of the weights may carry one beyond 255.
private fun pack(red: Int, green: Int, blue: Int): Int =
    (level(red) shl 16) or (level(green) shl 8) or level(blue)

private fun level(sum: Int): Int = minOf(sum ushr PRECISION_BITS, 255)

private fun put(pixel: Int, bytes: ByteArray, index: Int) {
    bytes[3 * index] = (pixel shr 16).toByte()
    bytes[3 * index + 1] = (pixel shr 8).toByte()
    bytes[3 * index + 2] = pixel.toByte()
}
