package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class DescriptionTest {

    private companion object {
        const val NEWER = "made by a newer Fauxlens: update this app."
    }

    private val cases = Golden.cases("descriptions.json")

    @Test
    fun `what Python accepts is accepted and nothing else`() {
        assertTrue(cases.any { it["accepted"].truth } && cases.any { it["newer"].truth })
        for (case in cases) {
            val text = case["text"].text
            if (case["accepted"].truth) {
                Description.parse(text, "it")
            } else {
                val refused = assertThrows(text.take(2000), Refused::class.java) { Description.parse(text, "it") }
                val message = refused.message.orEmpty()
                assertTrue(message, message.startsWith("it: fauxlens.json"))
                assertEquals(message, case["newer"].truth, message.endsWith(NEWER))
            }
        }
    }

    @Test
    fun `every value arrives`() {
        val description = Description.parse(cases.first()["text"].text, "it")
        assertEquals("golden", description.name)
        assertEquals("ptq-int8", description.variant)
        assertEquals("upright|square|resize(8)", description.view)
        assertEquals(UnclearFaces.CENTRE, description.unclearFaces)
        assertEquals("rgb", description.frontEnd)
        assertEquals(8, description.size)
        assertEquals(listOf(2, 3), listOf(description.heatmapRows, description.heatmapColumns))
        assertEquals(listOf(0.5, 0.75, 0.875), OperatingPoint.values().map { description.operatingPoints.getValue(it) })
        assertEquals(listOf(0.25, 0.625), listOf(description.unsureLow, description.unsureHigh))
        assertEquals(listOf(1.25, -0.5), listOf(description.calibrationScale, description.calibrationBias))
        assertEquals(listOf("camera", "stylegan"), description.generatorsSeen)
        assertEquals(listOf("drawn"), description.sourcesSeen)
        assertEquals("0123456789abcdef".repeat(4), description.trainingSha256)
        assertEquals(mapOf("fauxlens" to "0.1.0"), description.createdBy)
        assertEquals(mapOf("auc" to 0.9375), description.figures)
        assertEquals(listOf("Drawn by Fauxlens."), description.licences)
    }
}
