package fauxlens.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Test

class UprightTest {

    // 1 2 3
    // 4 5 6
    private val stored = ArgbRaster(3, 2, intArrayOf(1, 2, 3, 4, 5, 6))

    @Test
    fun `the eight orientations of EXIF 2_32`() {
        // By rows: what the 0th row and column show in the EXIF standard.
        val upright = mapOf(
            1 to listOf(listOf(1, 2, 3), listOf(4, 5, 6)),
            2 to listOf(listOf(3, 2, 1), listOf(6, 5, 4)),
            3 to listOf(listOf(6, 5, 4), listOf(3, 2, 1)),
            4 to listOf(listOf(4, 5, 6), listOf(1, 2, 3)),
            5 to listOf(listOf(1, 4), listOf(2, 5), listOf(3, 6)),
            6 to listOf(listOf(4, 1), listOf(5, 2), listOf(6, 3)),
            7 to listOf(listOf(6, 3), listOf(5, 2), listOf(4, 1)),
            8 to listOf(listOf(3, 6), listOf(2, 5), listOf(1, 4)),
        )
        for ((orientation, rows) in upright) {
            val turned = upright(stored, orientation)
            assertEquals("$orientation", rows[0].size to rows.size, turned.width to turned.height)
            assertArrayEquals("$orientation", rows.flatten().toIntArray(), whole(turned))
        }
    }

    @Test
    fun `a part of a turned raster is that part`() {
        val large = ComputedRaster("noise", 3, 23, 17)
        for (orientation in 1..8) {
            val turned = upright(large, orientation)
            val all = whole(turned)
            val part = IntArray(5 * 4)
            turned.read(6, 9, 5, 4, part)
            val expected = IntArray(20) { all[(9 + it / 5) * turned.width + 6 + it % 5] }
            assertArrayEquals("$orientation", expected, part)
        }
    }

    private fun whole(raster: Raster): IntArray {
        val argb = IntArray(raster.width * raster.height)
        raster.read(0, 0, raster.width, raster.height, argb)
        return argb
    }
}
