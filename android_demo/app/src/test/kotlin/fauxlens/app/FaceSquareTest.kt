package fauxlens.app

import fauxlens.app.common.probability
import fauxlens.app.detect.FaceFinder
import fauxlens.app.detect.FoundFace
import fauxlens.app.model.PictureState
import fauxlens.app.picture.PlatformDecoder
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import fauxlens.core.UnclearFaces
import fauxlens.core.squareOf
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** A detector that looks at faces: what becomes of pictures with one, with none and with several. */
@RunWith(RobolectricTestRunner::class)
class FaceSquareTest {
    // Larger than what faces are looked for in, and turned in its file.
    private val picture = Golden.picture("pictures/tall_6.jpg")
    private val trip = picture.trips.first { it.view.text == FaceBundle.VIEW }
    private val eyes = requireNotNull(trip.eyes)

    @Before
    fun faces() {
        JnaEngine.library()
        app.bundles = FaceBundle()
    }

    @Test
    fun `one face is judged by the square of the golden trip`() {
        app.finder = found(1)
        val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
        val width = judged.details.width
        val height = judged.details.height
        assertEquals(squareOf(trip.view, width, height, eyes), judged.details.square)
        assertEquals(trip.scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
        assertTrue(judged.adjustable)
    }

    @Test
    fun `no face asks for a square, and the dragged one is judged`() {
        app.finder = found(0)
        val asked = app.judge(picture.bytes) as PictureState.NeedsSquare
        assertEquals(0, asked.faces)
        assertTrue("nothing is remembered yet", app.holder.state.history.isEmpty())
        val half = asked.square.side / 2
        app.holder.moveSquare(Square(3, 5, half))
        app.holder.judgeSquare()
        app.settle()
        val judged = (app.holder.state.picture as PictureState.Judged).judged
        assertEquals(Square(3, 5, half), judged.square)
        assertEquals(1, app.holder.state.history.size)
    }

    @Test
    fun `several faces ask, with the largest one proposed`() {
        app.finder = found(3)
        val asked = app.judge(picture.bytes) as PictureState.NeedsSquare
        assertEquals(3, asked.faces)
    }

    @Test
    fun `the proposal that is not moved is judged as training would have`() {
        app.bundles = FaceBundle(UnclearFaces.CENTRE)
        app.finder = found(0)
        assertTrue(app.judge(picture.bytes) is PictureState.NeedsSquare)
        app.holder.judgeSquare()
        app.settle()
        val judged = (app.holder.state.picture as PictureState.Judged).judged
        assertEquals("upright|square|resize(128)", judged.details.view)
        assertEquals(picture.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
    }

    @Test
    fun `a square stays within the picture wherever it is dragged`() {
        app.finder = found(0)
        val preview = (app.judge(picture.bytes) as PictureState.NeedsSquare).preview
        for (wild in listOf(Square(-900, -900, 5000), Square(9000, 0, 10), Square(0, 0, 0), Square(10, 10, -4))) {
            app.holder.moveSquare(wild)
            val square = (app.holder.state.picture as PictureState.NeedsSquare).square
            assertTrue("$square", square.left >= 0 && square.top >= 0 && square.side > 0)
            assertTrue("$square", square.left + square.side <= preview.width)
            assertTrue("$square", square.top + square.side <= preview.height)
        }
    }

    @Test
    fun `another square may be chosen after a verdict`() {
        app.finder = found(1)
        app.judge(picture.bytes)
        app.holder.adjustSquare()
        assertTrue(app.holder.state.picture is PictureState.NeedsSquare)
        app.holder.judgeSquare()
        app.settle()
        assertTrue(app.holder.state.picture is PictureState.Judged)
    }

    @Test
    fun `who does not choose another square after all keeps the verdict`() {
        app.finder = found(1)
        val before = app.judge(picture.bytes) as PictureState.Judged
        app.holder.adjustSquare()
        app.holder.choose(OperatingPoint.FPR_05)
        assertTrue(app.holder.keepVerdict())
        val after = (app.holder.state.picture as PictureState.Judged).judged
        assertEquals(before.judged.square, after.square)
        assertEquals(OperatingPoint.FPR_05, after.verdict.point)
        assertFalse("there is nothing to go back from", app.holder.keepVerdict())
        app.finder = found(0)
        app.judge(picture.bytes)
        assertFalse("no verdict stands yet", app.holder.keepVerdict())
    }

    /** So many faces, a single one with the eyes of the golden trip, as a detector sees them in its copy. */
    private fun found(count: Int) = FaceFinder { copy ->
        val upright = sides()
        val x = copy.width.toDouble() / upright.first
        val y = copy.height.toDouble() / upright.second
        // Nearer together than that they are taken for one face.
        val size = if (count == 1) 1.0 else 0.1
        List(count) { FoundFace(eyes.x * x, eyes.y * y * (1 + 0.4 * it), eyes.distance * x * size) }
    }

    private fun sides(): Pair<Int, Int> {
        val decoded = PlatformDecoder().decode(picture.bytes.copyOf())
        return decoded.uprightWidth to decoded.uprightHeight
    }
}
