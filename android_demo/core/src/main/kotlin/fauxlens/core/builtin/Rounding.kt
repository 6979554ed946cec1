package fauxlens.core.builtin

/**
 * a * b + c with one rounding, as IEEE 754's fusedMultiplyAdd; Java has it from Android 13 on only.
 *
 * The product of two floats is exact in a double. The sum is rounded to odd (Boldo and Melquiond, "Emulation of FMA and
 * correctly rounded sums", 2008), so that rounding it to a float gives what one rounding would.
 */
internal fun fused(a: Float, b: Float, c: Float): Float {
    val product = a.toDouble() * b.toDouble()
    val addend = c.toDouble()
    val sum = product + addend
    if (sum.isNaN() || sum.isInfinite()) return sum.toFloat()
    val part = sum - product
    val error = (product - (sum - part)) + (addend - part)
    val bits = sum.toRawBits()
    if (error == 0.0 || bits and 1L != 0L) return sum.toFloat()
    // The exact sum lies between this double, which is even, and its neighbour on the side of the error.
    return Double.fromBits(if ((error > 0) == (sum > 0)) bits + 1 else bits - 1).toFloat()
}

// 1.5 * 2^23: added to a float of less than 2^22 it leaves the nearest whole number, ties to even, in the lowest bits.
private const val SHIFT = 12582912f
private const val FAR = 1024f

/** The nearest whole number, ties to even, of what is between -1024 and 1024; those beyond are held to that. */
internal fun nearest(value: Float): Int {
    val held = if (value > FAR) FAR else if (value < -FAR) -FAR else value
    return (held + SHIFT).toRawBits() - SHIFT.toRawBits()
}
