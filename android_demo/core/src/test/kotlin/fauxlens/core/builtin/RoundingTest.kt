package fauxlens.core.builtin

import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Test

/** Against Java's own, which Android has from version 13 on. */
class RoundingTest {

    @Test
    fun `one rounding for a product and a sum`() {
        val random = Random(1)
        fun check(a: Float, b: Float, c: Float) =
            assertEquals("$a * $b + $c", Math.fma(a, b, c).toRawBits(), fused(a, b, c).toRawBits())
        val special = floatArrayOf(0f, -0f, 1f, -1f, Float.MIN_VALUE, Float.MAX_VALUE, 1.0000001f, 16777217f, 1e-30f)
        for (a in special) for (b in special) for (c in special) check(a, b, c)
        repeat(1_000_000) {
            val (a, b) = random.nextFloat() - 0.5f to random.nextFloat() - 0.5f
            // Sums that nearly vanish, and products at the edge of what a float can tell.
            val c = if (it % 2 == 0) -a * b + Math.scalb(random.nextFloat(), -random.nextInt(60)) else random.nextFloat()
            check(a, b, c)
        }
        // Exactly in the middle of two floats but for a bit that a double cannot hold.
        check(Math.scalb(1f, -30), Math.scalb(1.0000001f, -30), 1f + Math.scalb(1f, -23))
        check(4097f, 4097f, Math.scalb(1f, -30))
    }

    @Test
    fun `the nearest whole number, ties to even`() {
        for (half in -2000..2000) {
            val value = half / 2f
            assertEquals("$value", Math.rint(value.toDouble()).toInt(), nearest(value))
        }
        val random = Random(2)
        repeat(100_000) {
            val value = (random.nextFloat() - 0.5f) * 2000
            assertEquals("$value", Math.rint(value.toDouble()).toInt(), nearest(value))
        }
        assertEquals(1024, nearest(1e30f))
        assertEquals(-1024, nearest(-1e30f))
    }
}
