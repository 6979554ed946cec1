package fauxlens.app.model

import kotlin.math.ceil

/** Counts of times in equally wide bins from `low` to `high`, milliseconds. */
data class Bins(val low: Double, val high: Double, val counts: List<Int>)

/** How long the detector took, milliseconds. */
data class Latency(val shortest: Double, val median: Double, val ninetieth: Double, val longest: Double, val runs: Int)

/** The distribution of times, null for none. A quantile is the smallest time that so many do not exceed. */
fun latencyOf(times: List<Double>): Latency? {
    if (times.isEmpty()) return null
    val sorted = times.sorted()
    fun quantile(share: Double) = sorted[(ceil(share * sorted.size).toInt() - 1).coerceIn(sorted.indices)]
    return Latency(sorted.first(), quantile(0.5), quantile(0.9), sorted.last(), sorted.size)
}

/** The times sorted into bins; all in the first where they are equal. */
fun binsOf(times: List<Double>, number: Int = 24): Bins {
    if (times.isEmpty()) return Bins(0.0, 0.0, emptyList())
    val low = times.min()
    val high = times.max()
    val counts = IntArray(number)
    for (time in times) {
        val share = if (high > low) (time - low) / (high - low) else 0.0
        counts[(share * number).toInt().coerceAtMost(number - 1)]++
    }
    return Bins(low, high, counts.toList())
}
