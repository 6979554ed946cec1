package fauxlens.core.face

import fauxlens.core.FaceNetwork
import kotlin.math.floor

internal const val FIXED = 4096
internal const val UNITS = 32
private const val LARGEST_LOGIT = 16.0
private const val LARGEST_REGRESSOR = 1024.0
private const val OVERLAP_TENTHS = 3L
private const val BOX = 4

/**
 * One face in 1/32 pixel of the square: `numbers` has the centre's x and y, width, height, and x and y of six points;
 * `logit` is in 1/32.
 */
internal class DecodedFace(val numbers: List<Long>, val logit: Long)

private class Candidate(val score: Long, val numbers: LongArray)

/** The faces in a network's outputs, the largest logit first; all in whole numbers (docs/face-finder.md, part 2). */
internal fun decodeFaces(network: FaceNetwork, output: NetworkOutput): List<DecodedFace> {
    // Sorting keeps the order of rows whose scores are equal.
    var left = candidates(network, output).sortedByDescending { it.score }
    val faces = ArrayList<DecodedFace>()
    while (left.isNotEmpty()) {
        val (together, others) = left.partition { overlaps(left[0].numbers, it.numbers) }
        faces += mean(together, network.leastLogit)
        left = others
    }
    return faces
}

private fun candidates(network: FaceNetwork, output: NetworkOutput): List<Candidate> {
    val found = ArrayList<Candidate>()
    var row = 0
    for ((cells, each) in network.grids) for (cell in 0 until cells * cells) for (anchor in 0 until each) {
        val x = (2 * (cell % cells) + 1) * network.side / (2 * cells)
        val y = (2 * (cell / cells) + 1) * network.side / (2 * cells)
        candidate(network, output, row, x, y)?.let(found::add)
        row += 1
    }
    return found
}

private fun candidate(network: FaceNetwork, output: NetworkOutput, row: Int, x: Int, y: Int): Candidate? {
    val logit = output.logits[row]
    val at = row * REGRESSORS
    if (!isFinite(logit) || (at until at + REGRESSORS).any { !isFinite(output.regressors[it]) }) return null
    val score = fixed(logit, LARGEST_LOGIT)
    if (score < network.leastLogit) return null
    val numbers = LongArray(REGRESSORS) { fixed(output.regressors[at + it], LARGEST_REGRESSOR) }
    if (numbers[2] <= 0 || numbers[3] <= 0) return null
    for (index in numbers.indices) {
        if (index < 2 || index >= BOX) numbers[index] += (FIXED * (if (index % 2 == 0) x else y)).toLong()
    }
    return Candidate(score, numbers)
}

private fun isFinite(value: Float): Boolean = !value.isNaN() && !value.isInfinite()

private fun fixed(value: Float, most: Double): Long =
    floor(value.toDouble().coerceIn(-LARGEST_REGRESSOR, most) * FIXED + 0.5).toLong()

/** Whether two boxes share more than three tenths of what they cover together. */
private fun overlaps(one: LongArray, other: LongArray): Boolean {
    var shared = 1L
    for (axis in 0..1) {
        val low = maxOf(2 * one[axis] - one[axis + 2], 2 * other[axis] - other[axis + 2])
        val high = minOf(2 * one[axis] + one[axis + 2], 2 * other[axis] + other[axis + 2])
        shared *= maxOf(0L, high - low)
    }
    val union = 4 * one[2] * one[3] + 4 * other[2] * other[3] - shared
    return 10 * shared > OVERLAP_TENTHS * union
}

private fun mean(together: List<Candidate>, least: Int): DecodedFace {
    val step = (FIXED / UNITS).toLong()
    val weights = together.map { it.score - least + 1 }
    val total = weights.sum()
    val numbers = List(REGRESSORS) { index ->
        var sum = 0L
        for ((candidate, weight) in together.zip(weights)) sum += weight * candidate.numbers[index]
        Math.floorDiv(2 * sum + step * total, 2 * step * total)
    }
    return DecodedFace(numbers, Math.floorDiv(2 * together[0].score + step, 2 * step))
}
