package fauxlens.app.widget

import fauxlens.app.model.DetectorFacts
import fauxlens.core.OperatingPoint
import kotlin.math.max
import kotlin.math.min

/** Where on the scale of P(fake), 0..1, a verdict begins: real, from `unsureFrom` cannot tell, from `fakeFrom` fake. */
data class Zones(val unsureFrom: Double, val fakeFrom: Double, val threshold: Double)

/** The zones of an operating point; the same rule as `labelOf` in core, solved for the probability. */
fun zonesOf(facts: DetectorFacts, point: OperatingPoint): Zones {
    val threshold = facts.thresholds.getValue(point)
    val fakeFrom = if (point == OperatingPoint.BALANCED) max(threshold, facts.unsureHigh) else threshold
    return Zones(min(threshold, facts.unsureLow), fakeFrom, threshold)
}
