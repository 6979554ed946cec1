package fauxlens.app

import android.content.Intent
import android.view.View
import android.widget.RadioButton
import android.widget.RadioGroup
import fauxlens.app.common.Sentence
import fauxlens.app.common.find
import fauxlens.app.detect.Bundles
import fauxlens.app.detect.FaceFinder
import fauxlens.app.main.MainActivity
import fauxlens.app.model.Judged
import fauxlens.app.model.PictureState
import fauxlens.core.Bundle
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import fauxlens.core.face.Face
import fauxlens.core.squareOf
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

/** A detector that looks at faces: every face is judged; without one the centre is; without a finder a person says. */
@RunWith(RobolectricTestRunner::class)
class FaceSquareTest {
    // The square of its eyes is large enough to be judged, and reaches beyond the picture.
    private val picture = Golden.picture("pictures/420.jpg")
    private val trip = picture.trips.first { it.view.text == FaceBundle.VIEW }
    private val eyes = requireNotNull(trip.eyes)

    @Before
    fun faces() {
        JnaEngine.library()
        app.bundles = FaceBundle()
    }

    /** A face with eyes here, the box as large as their distance makes it. */
    private fun face(x: Double, y: Double, distance: Double) = Face(
        x - distance, y - distance, x + distance, y + distance, x - distance / 2 to y, x + distance / 2 to y, 2.0,
    )

    private fun judgedWith(vararg faces: Face): Judged {
        app.finder = FaceFinder { _, _ -> faces.toList() }
        return (app.judge(picture.bytes) as PictureState.Judged).judged
    }

    private fun bits(judged: Judged): String = hexBits(floatArrayOf(judged.verdict.probability)).single()

    @Test
    fun `one face is judged by the square of the golden trip`() {
        val judged = judgedWith(face(eyes.x, eyes.y, eyes.distance))
        assertEquals(squareOf(trip.view, judged.details.width, judged.details.height, eyes), judged.details.square)
        assertEquals(trip.scores[1], bits(judged))
        assertTrue(judged.adjustable)
        assertEquals(1, judged.faces.size)
    }

    @Test
    fun `no face is said first, and the centre is judged`() {
        val judged = judgedWith()
        assertEquals(Sentence.of(R.string.note_no_face), judged.notes.first())
        val words = "No face found: this detector classifies faces; the centre square was used instead."
        assertEquals(words, judged.notes.first().text(app.resources))
        assertEquals(FaceBundle.SQUARE, judged.details.view)
        assertEquals(picture.trips.first().scores[1], bits(judged))
    }

    @Test
    fun `every face is judged, and the one with the highest probability speaks for the picture`() {
        val places = listOf(0.3, 0.5, 0.7).map { face(eyes.x, eyes.y * 2 * it, eyes.distance) }
        val judged = judgedWith(*places.toTypedArray())
        val alone = places.map { bits(judgedWith(it)) }
        assertEquals(alone, judged.faces.map { hexBits(floatArrayOf(it.verdict.probability)).single() })
        assertEquals(listOf(1, 2, 3), judged.faces.map { it.number })
        assertEquals(judged.faces.maxOf { it.verdict.probability }, judged.verdict.probability)
    }

    @Test
    fun `another face of the picture can be shown`() {
        judgedWith(*listOf(0.3, 0.7).map { face(eyes.x, eyes.y * 2 * it, eyes.distance) }.toTypedArray())
        val before = (app.viewModel.state.picture as PictureState.Judged).judged
        val activity = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
        assertTrue(activity.find<View>(R.id.faces_card).isShown)
        val rows = activity.find<RadioGroup>(R.id.faces)
        assertEquals(2, rows.childCount)
        val other = 1 - before.shown
        rows.getChildAt(other).performClick()
        val after = (app.viewModel.state.picture as PictureState.Judged).judged
        assertEquals(before.faces[other].square, after.square)
        assertEquals(before.faces[other].verdict, after.verdict)
        assertTrue((rows.getChildAt(other) as RadioButton).isChecked)
        assertEquals("the history keeps what speaks for the picture", 1, app.model.state.history.size)
        assertEquals(before.verdict.probability, app.model.state.history.single().probability)
    }

    @Test
    fun `a face that is too small is said so and not judged`() {
        // The square of face(3) has less than half of 192 pixels.
        val judged = judgedWith(face(eyes.x, eyes.y, eyes.distance), face(eyes.x, eyes.y, 21.0))
        assertEquals(listOf(1), judged.faces.map { it.number })
        assertTrue(Sentence.of(R.string.note_small_face, 2) in judged.notes)
    }

    @Test
    fun `where all are too small the person is asked for a square`() {
        app.finder = FaceFinder { _, _ -> listOf(face(eyes.x, eyes.y, 21.0)) }
        val asked = app.judge(picture.bytes) as PictureState.NeedsSquare
        assertEquals(listOf(Sentence.of(R.string.note_small_face, 1)), asked.notes)
    }

    @Test
    fun `the shipped detector finds faces by the finder that its bundle carries`() {
        app.bundles = object : Bundles {
            override fun own(): Bundle = Golden.bundle

            override fun named(name: String): Bundle = own()
        }
        val none = Golden.picture("pictures/sixteen_bit_grey.png")
        val judged = (app.judge(none.bytes) as PictureState.Judged).judged
        assertEquals(Sentence.of(R.string.note_no_face), judged.notes.first())
        assertEquals(none.trips.first().scores[1], bits(judged))
        // `fauxlens detect` says of this one that its only face is too small.
        val asked = app.judge(picture.bytes) as PictureState.NeedsSquare
        assertEquals(1, asked.faces)
        assertEquals(Sentence.of(R.string.note_small_face, 1), asked.notes.first())
    }

    @Test
    fun `a detector without a finder asks for a square, and the dragged one is judged`() {
        val asked = app.judge(picture.bytes) as PictureState.NeedsSquare
        assertEquals(null, asked.faces)
        assertTrue("nothing is remembered yet", app.model.state.history.isEmpty())
        assertFalse("no verdict stands yet", app.viewModel.keepVerdict())
        val half = asked.square.side / 2
        app.viewModel.moveSquare(Square(3, 5, half))
        app.viewModel.judgeSquare()
        app.settle()
        val judged = (app.viewModel.state.picture as PictureState.Judged).judged
        assertEquals(Square(3, 5, half), judged.square)
        assertEquals(1, app.model.state.history.size)
    }

    @Test
    fun `a square stays within the picture wherever it is dragged`() {
        val preview = (app.judge(picture.bytes) as PictureState.NeedsSquare).preview
        for (wild in listOf(Square(-900, -900, 5000), Square(9000, 0, 10), Square(0, 0, 0), Square(10, 10, -4))) {
            app.viewModel.moveSquare(wild)
            val square = (app.viewModel.state.picture as PictureState.NeedsSquare).square
            assertTrue("$square", square.left >= 0 && square.top >= 0 && square.side > 0)
            assertTrue("$square", square.left + square.side <= preview.width)
            assertTrue("$square", square.top + square.side <= preview.height)
        }
    }

    @Test
    fun `a square that is not moved gives the face's own score again`() {
        val before = judgedWith(face(eyes.x, eyes.y, eyes.distance))
        app.viewModel.adjustSquare()
        assertTrue(app.viewModel.state.picture is PictureState.NeedsSquare)
        app.viewModel.judgeSquare()
        app.settle()
        assertEquals(bits(before), bits((app.viewModel.state.picture as PictureState.Judged).judged))
    }

    @Test
    fun `who does not choose another square after all keeps the verdict`() {
        val before = judgedWith(face(eyes.x, eyes.y, eyes.distance))
        app.viewModel.adjustSquare()
        app.viewModel.choose(OperatingPoint.FPR_05)
        assertTrue(app.viewModel.keepVerdict())
        val after = (app.viewModel.state.picture as PictureState.Judged).judged
        assertEquals(before.square, after.square)
        assertEquals(OperatingPoint.FPR_05, after.verdict.point)
        assertFalse("there is nothing to go back from", app.viewModel.keepVerdict())
    }
}
