package fauxlens.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class HeatTest {

    private val cases = Golden.cases("heat.json")

    @Test
    fun `colours are Python's`() {
        val values = floatsOf(cases.first()["values"])
        val colours = cases.first()["colours"].items.map { it.text }
        for ((value, colour) in values.zip(colours)) {
            assertEquals("$value", "ff$colour", hexadecimal(heatColour(value)))
        }
        assertEquals(heatColour(0f), heatColour(-1f))
        assertEquals(heatColour(1f), heatColour(2f))
    }

    @Test
    fun `enlarged heatmaps are Python's in every bit`() {
        for (case in cases.drop(1)) {
            val enlarged = expand(heatmapOf(case), case["side"].int)
            assertArrayEquals("$case", floatsOf(case["enlarged"]).toFloatArray(), enlarged, 0f)
        }
    }

    @Test
    fun `the overlay shows nothing where nothing spoke for fake`() {
        for (pixel in overlay(Heatmap(3, 3, List(9) { 0f }), 20)) assertEquals(0, pixel ushr 24)
        assertEquals(0xB2FCFFA4.toInt(), overlay(Heatmap(1, 1, listOf(1f)), 1).single())
    }

    @Test
    fun `the overlay's pixels are the colours with seven tenths of the value`() {
        for (case in cases.drop(1)) {
            val side = case["side"].int
            val values = expand(heatmapOf(case), side)
            overlay(heatmapOf(case), side).forEachIndexed { index, pixel ->
                assertEquals(heatColour(values[index]) and 0xFFFFFF, pixel and 0xFFFFFF)
                assertTrue(kotlin.math.abs((pixel ushr 24) - 255 * 0.7 * values[index]) <= 0.5)
            }
        }
    }

    private fun heatmapOf(case: Json.Object): Heatmap =
        Heatmap(case["rows"].int, case["columns"].int, floatsOf(case["heatmap"]))
}
