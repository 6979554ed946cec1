package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Test

class WhiteTest {

    @Test
    fun `opaque pixels stay and clear ones become white`() {
        val argb = intArrayOf(0xFF123456.toInt(), 0x00123456, 0x80000000.toInt(), 0x01FFFFFF)
        layOnWhite(argb)
        val expected = listOf(0xFF123456, 0xFFFFFFFF, 0xFF7F7F7F, 0xFFFFFFFF).map { it.toInt() }
        assertEquals(expected.map { hexadecimal(it) }, argb.toList().map { hexadecimal(it) })
    }
}
