package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class ViewTest {

    @Test
    fun `the same texts as in Python are views, and mean the same`() {
        for (case in Golden.cases("view_texts.json")) {
            val text = case["text"].text
            val canonical = case["canonical"].textOrNull
            if (canonical == null) {
                val refused = assertThrows(text, Refused::class.java) { View.parse(text) }
                assertTrue(refused.message.orEmpty().startsWith("View '$text': "))
            } else {
                val view = View.parse(text)
                assertEquals(canonical, view.text)
                assertEquals(canonical, View.parse(canonical).text)
                assertEquals(case["size"].int, view.size)
                assertEquals(case["needs_eyes"].truth, view.needsEyes)
                checkPolicies(view, case["for"].members)
            }
        }
    }

    private fun checkPolicies(view: View, policies: Map<String, Json>) {
        for (unclear in UnclearFaces.values()) for (faces in listOf(0, 1, 2, 5)) {
            val expected = policies.getValue("${unclear.key} $faces").textOrNull
            assertEquals("${view.text} ${unclear.key} $faces", expected, viewFor(view, faces, unclear)?.text)
        }
    }

    @Test
    fun `another size keeps the other steps`() {
        assertEquals("upright|face(2.4)|resize(640)", View.parse("upright|face(2.4)|resize(224)").withSize(640).text)
        assertThrows(Refused::class.java) { View.parse("resize(8)").withSize(4097) }
    }

    @Test
    fun `squares lie where Python takes them`() {
        for (case in Golden.cases("squares.json")) {
            val view = View.parse(case["view"].text)
            val (width, height) = case["width"].int to case["height"].int
            val expected = case["square"]
            if (expected == Json.Null) {
                assertThrows("$case", Refused::class.java) { squareOf(view, width, height, case["eyes"].eyes) }
            } else {
                val (left, top, side) = expected.items.map { it.int }
                assertEquals("$case", Square(left, top, side), squareOf(view, width, height, case["eyes"].eyes))
            }
        }
    }

    @Test
    fun `the whole picture has no square`() {
        assertEquals(null, squareOf(View.parse("upright|resize(8)"), 30, 20, Eyes(1.0, 1.0, 1.0)))
    }

    @Test
    fun `eyes of a dragged square give that square`() {
        val random = java.util.Random(4)
        repeat(20_000) {
            val factor = 1 + random.nextInt(70_001) / 10_000.0
            val view = View(listOf(Step("upright"), Step("face", factor), Step("resize", 8.0)))
            val square = Square(random.nextInt(9000), random.nextInt(9000), 1 + random.nextInt(10_000))
            val eyes = eyesFor(square, factor)
            assertEquals(square, squareOf(view, 30_000, 30_000, eyes))
        }
    }

    @Test
    fun `eyes that are no numbers are refused`() {
        val view = View.parse("upright|face(2)|resize(8)")
        val bad = listOf(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1e300, 1e300)
        for (number in bad) {
            assertThrows(Refused::class.java) { squareOf(view, 90, 90, Eyes(number, 5.0, 5.0)) }
            assertThrows(Refused::class.java) { squareOf(view, 90, 90, Eyes(5.0, number, 5.0)) }
            assertThrows(Refused::class.java) { squareOf(view, 90, 90, Eyes(5.0, 5.0, number)) }
        }
        assertNotNull(squareOf(view, 90, 90, Eyes(90.0, 0.0, 1e-300)))
    }
}
