package fauxlens.core.builtin

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

// Each gives what an operator does to the numbers of a tensor [1, rows, columns, channels], or null where the shapes do
// not fit it.

/** Zeros around: `amounts` holds how many before and behind each of the four sides. */
internal fun padding(x: Tensor, result: Tensor, amounts: Tensor?): ((FloatArray) -> FloatArray)? {
    if (amounts?.type != Type.INT32 || amounts.data?.size != 4 * 8) return null
    val numbers = intsOf(amounts.data)
    val fits = (0 until 4).all {
        numbers[2 * it] >= 0 && numbers[2 * it + 1] >= 0 &&
            x.shape[it].toLong() + numbers[2 * it] + numbers[2 * it + 1] == result.shape[it].toLong()
    }
    if (!fits) return null
    val (rows, columns, channels) = x.shape.drop(1)
    val (_, outColumns, outChannels) = result.shape.drop(1)
    return { values ->
        FloatArray(result.size).also { padded ->
            for (row in 0 until rows) for (column in 0 until columns) {
                val from = (row * columns + column) * channels
                val to = ((row + numbers[2]) * outColumns + column + numbers[4]) * outChannels + numbers[6]
                values.copyInto(padded, to, from, from + channels)
            }
        }
    }
}

/** The largest of each square of `window.side` pixels; squares lie side by side. */
internal fun maxPooling(x: Tensor, result: Tensor, window: Window): ((FloatArray) -> FloatArray)? {
    val side = window.side
    val (rows, columns, channels) = x.shape.drop(1)
    val (outRows, outColumns, outChannels) = result.shape.drop(1)
    if (outRows * side != rows || outColumns * side != columns || outChannels != channels) return null
    return { values ->
        FloatArray(result.size) { Float.NEGATIVE_INFINITY }.also { pooled ->
            for (row in 0 until rows) for (column in 0 until columns) {
                val from = (row * columns + column) * channels
                val to = (row / side * outColumns + column / side) * channels
                for (i in 0 until channels) pooled[to + i] = max(pooled[to + i], values[from + i])
            }
        }
    }
}

/** Bilinear, with pixels as areas (TFLite's half_pixel_centers: reference_ops::ComputeInterpolationValues). */
internal fun enlargement(x: Tensor, result: Tensor): ((FloatArray) -> FloatArray)? {
    val (rows, columns, channels) = x.shape.drop(1)
    val (outRows, outColumns, outChannels) = result.shape.drop(1)
    if (outChannels != channels) return null
    val down = places(rows, outRows)
    val across = places(columns, outColumns)
    return { values ->
        FloatArray(result.size).also { enlarged ->
            for (row in 0 until outRows) for (column in 0 until outColumns) for (i in 0 until channels) {
                val (top, bottom, v) = down[row]
                val (left, right, h) = across[column]
                fun at(r: Int, c: Int) = values[(r * columns + c) * channels + i]
                enlarged[(row * outColumns + column) * channels + i] =
                    at(top, left) * (1 - v) * (1 - h) + at(top, right) * (1 - v) * h +
                    at(bottom, left) * v * (1 - h) + at(bottom, right) * v * h
            }
        }
    }
}

/** The two pixels that each of `outSide` lies between, and how far it lies towards the second. */
private fun places(side: Int, outSide: Int): List<Triple<Int, Int, Float>> = List(outSide) {
    val place = (it + 0.5f) * (side.toFloat() / outSide) - 0.5f
    val first = max(floor(place).toInt(), 0)
    Triple(first, min(ceil(place).toInt(), side - 1), place - first)
}

/** Every pixel becomes block * block, of which each takes its part of the channels. */
internal fun depthToSpace(x: Tensor, result: Tensor, block: Int): ((FloatArray) -> FloatArray)? {
    val (rows, columns, channels) = x.shape.drop(1)
    val (outRows, outColumns, outChannels) = result.shape.drop(1)
    if (block !in 1..channels || outRows != rows * block || outColumns != columns * block) return null
    if (outChannels * block * block != channels) return null
    return { values ->
        FloatArray(result.size).also { spread ->
            for (row in 0 until outRows) for (column in 0 until outColumns) {
                val part = row % block * block + column % block
                val from = (row / block * columns + column / block) * channels + part * outChannels
                values.copyInto(spread, (row * outColumns + column) * outChannels, from, from + outChannels)
            }
        }
    }
}

/** Numbers of 16 bits (IEEE 754 binary16), two bytes each, as floats. */
internal fun halvesOf(data: ByteArray): FloatArray = FloatArray(data.size / 2) {
    val bits = (data[2 * it].toInt() and 0xFF) or (data[2 * it + 1].toInt() and 0xFF shl 8)
    val magnitude = when (val exponent = bits shr 10 and 31) {
        // Below the smallest normal one: so many of 2^-24.
        0 -> (bits and 1023) * Float.fromBits(127 - 24 shl 23)
        31 -> if (bits and 1023 == 0) Float.POSITIVE_INFINITY else Float.NaN
        else -> Float.fromBits((exponent + 127 - 15 shl 23) or (bits and 1023 shl 13))
    }
    if (bits and 0x8000 != 0) -magnitude else magnitude
}
