package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class DescriptionTest {

    private companion object {
        const val NEWER = "made by a newer Fauxlens: update this app."
    }

    private val formats = listOf("descriptions.json", "descriptions_2.json").map(Golden::cases)

    @Test
    fun `what Python accepts is accepted and nothing else`() {
        for (cases in formats) {
            assertTrue(cases.any { it["accepted"].truth } && cases.any { it["newer"].truth })
        }
        for (case in formats.flatten()) {
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
    fun `every value arrives, of both formats`() {
        for (cases in formats) assertGolden(Description.parse(cases.first()["text"].text, "it"))
        val old = Description.parse(formats[0].first()["text"].text, "it").operatingPoints
        // The band of format 1 ended above its threshold.
        assertEquals(Decision(0.625, 0.25), old.getValue(OperatingPoint.BALANCED))
        val new = Description.parse(formats[1].first()["text"].text, "it").operatingPoints
        assertEquals(Decision(0.5, 0.25), new.getValue(OperatingPoint.BALANCED))
    }

    private fun assertGolden(description: Description) {
        assertEquals("golden", description.name)
        assertEquals("ptq-int8", description.variant)
        assertEquals("upright|square|resize(8)", description.view)
        assertEquals(UnclearFaces.CENTRE, description.unclearFaces)
        assertEquals("rgb", description.frontEnd)
        assertEquals(8, description.size)
        assertEquals(listOf(2, 3), listOf(description.heatmapRows, description.heatmapColumns))
        val strict = listOf(OperatingPoint.FPR_1, OperatingPoint.FPR_05).map { description.operatingPoints[it] }
        assertEquals(listOf(Decision(0.75, 0.25), Decision(0.875, 0.25)), strict)
        assertEquals(listOf("camera" to "drawn", "stylegan" to "drawn"), description.seen)
        assertEquals(null, description.faceFinder)
        assertEquals(listOf(1.25, -0.5), listOf(description.calibrationScale, description.calibrationBias))
        assertEquals(listOf("camera", "stylegan"), description.generatorsSeen)
        assertEquals(listOf("drawn"), description.sourcesSeen)
        assertEquals("0123456789abcdef".repeat(4), description.trainingSha256)
        assertEquals(mapOf("fauxlens" to "0.1.0"), description.createdBy)
        assertEquals(mapOf("auc" to 0.9375), description.figures)
        assertEquals(listOf("Drawn by Fauxlens."), description.licences)
    }
}
