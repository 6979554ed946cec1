package fauxlens.core

/** A whole number within bounds; null for anything else, also for 1.0 and 1e0. */
internal fun Json.wholeIn(low: Int, high: Int): Int? {
    val number = (this as? Json.Number)?.takeIf { it.whole } ?: return null
    return number.text.toLongOrNull()?.takeIf { it in low..high }?.toInt()
}

/** A finite number. */
internal fun Json.finite(): Double? =
    (this as? Json.Number)?.text?.toDouble()?.takeIf { !it.isNaN() && !it.isInfinite() }

/** A number in 0..1. */
internal fun Json.probability(): Double? = finite()?.takeIf { it in 0.0..1.0 }
