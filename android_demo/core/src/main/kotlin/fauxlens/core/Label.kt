package fauxlens.core

/** Where the threshold lies: balanced, or at most 1 % or 0.5 % of real pictures called fake. */
enum class OperatingPoint(val key: String) { BALANCED("balanced"), FPR_1("fpr-1%"), FPR_05("fpr-0.5%") }

/** What a detector says in one word. */
enum class Label(val key: String) { REAL("real"), UNSURE("unsure"), FAKE("fake") }

/**
 * The verdict for P(fake): real below unsure below fake, so a higher probability never sounds milder.
 *
 * With the band [low, high) and the threshold t of the operating point (export/inference/detector.py, label_of):
 *
 *     balanced   fake iff p >= max(t, high), unsure iff p >= min(t, low), else real
 *     strict     fake iff p >= t,            unsure iff p >= min(t, low), else real
 */
fun labelOf(description: Description, probability: Double, point: OperatingPoint): Label {
    val threshold = description.operatingPoints.getValue(point)
    val fakeFrom = if (point == OperatingPoint.BALANCED) maxOf(threshold, description.unsureHigh) else threshold
    return when {
        probability >= fakeFrom -> Label.FAKE
        probability >= minOf(threshold, description.unsureLow) -> Label.UNSURE
        else -> Label.REAL
    }
}
