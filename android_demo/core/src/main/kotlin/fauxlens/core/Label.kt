package fauxlens.core

/** Where the thresholds lie: balanced, or at most 1 % or 0.5 % of real pictures called fake. */
enum class OperatingPoint(val key: String) { BALANCED("balanced"), FPR_1("fpr-1%"), FPR_05("fpr-0.5%") }

/** What a detector says in one word, from mild to severe. */
enum class Label(val key: String) { REAL("real"), UNSURE("unsure"), FAKE("fake") }

/**
 * One operating point (train/evaluate/decision.py): fake iff p >= fakeFrom, else unsure iff p >= unsureFrom, else real.
 *
 * Both are calibrated probabilities of "fake", 0 <= unsureFrom <= fakeFrom <= 1. Nothing else decides, so `fakeFrom` is
 * the threshold that people are told. A higher probability never sounds milder.
 */
data class Decision(val fakeFrom: Double, val unsureFrom: Double) {

    fun label(probability: Double): Label = when {
        probability >= fakeFrom -> Label.FAKE
        probability >= unsureFrom -> Label.UNSURE
        else -> Label.REAL
    }
}

/**
 * The same decisions as a detector file of format 1, which had one band [low, high) for all of its thresholds: there the
 * balanced point called fake what reached both the threshold and `high`, a stricter one what reached the threshold.
 */
internal fun decisionOfFormat1(point: OperatingPoint, threshold: Double, low: Double, high: Double): Decision = Decision(
    fakeFrom = if (point == OperatingPoint.BALANCED) maxOf(threshold, high) else threshold,
    unsureFrom = minOf(threshold, low),
)

/** The verdict for P(fake) at an operating point. */
fun labelOf(description: Description, probability: Double, point: OperatingPoint): Label =
    description.operatingPoints.getValue(point).label(probability)
