package fauxlens.app.widget

import fauxlens.app.model.DetectorFacts
import fauxlens.core.OperatingPoint

/** Where on the scale of P(fake), 0..1, a verdict begins: real, from `unsureFrom` cannot tell, from `fakeFrom` fake. */
data class Zones(val unsureFrom: Double, val fakeFrom: Double)

/** The zones of an operating point. */
fun zonesOf(facts: DetectorFacts, point: OperatingPoint): Zones =
    facts.decisions.getValue(point).let { Zones(it.unsureFrom, it.fakeFrom) }
