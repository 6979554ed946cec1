package fauxlens.app

import android.content.Intent
import android.view.View
import android.widget.TextView
import fauxlens.app.detect.EngineFactory
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import fauxlens.app.ui.words
import fauxlens.core.Engine
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** The device is turned over: the activity is made anew, and shows what it showed, without judging again. */
@RunWith(RobolectricTestRunner::class)
class RotationTest {
    private var runs = 0

    @Before
    fun engine() {
        JnaEngine.library()
        val engines = app.engines
        app.engines = EngineFactory { detector, settings ->
            val engine = engines.make(detector, settings)
            object : Engine by engine {
                override fun run(view: ByteArray) = engine.run(view).also { runs++ }
            }
        }
    }

    @Test
    fun `a verdict stays, with all that was chosen`() {
        val uri = OfferedPictures.offer(Golden.picture("pictures/plain.png").bytes)
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, uri)
        val controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        app.settle()
        val before = controller.get()
        before.findViewById<View>(R.id.layer_ela)?.performClick()
        before.findViewById<View>(R.id.details_toggle)?.performClick()
        app.viewModel.setOpacity(40)
        val state = app.viewModel.state
        val judged = runs

        RuntimeEnvironment.setQualifiers("w891dp-h411dp-land")
        controller.configurationChange()
        controller.visible()
        app.settle()

        val after = controller.get()
        assertNotSame("made anew", before, after)
        assertEquals(judged, runs)
        assertSame(state.picture, app.viewModel.state.picture)
        assertEquals(state, app.viewModel.state)
        for (id in listOf(R.id.verdict_words, R.id.verdict_probability, R.id.layer_meaning, R.id.opacity_label)) {
            assertEquals(words(before, id), words(after, id))
        }
        assertTrue("details stay open", after.findViewById<View>(R.id.details_rows)?.isShown ?: false)
        assertEquals(1, app.model.state.history.size)
    }

    private fun words(activity: MainActivity, id: Int): String = activity.findViewById<TextView>(id)?.text.toString()

    @Test
    fun `a picture that is being judged meanwhile arrives on the new screen`() {
        val uri = OfferedPictures.offer(Golden.picture("pictures/420.jpg").bytes)
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, uri)
        val controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        assertTrue(controller.get().findViewById<View>(R.id.working_part)?.isShown ?: false)

        RuntimeEnvironment.setQualifiers("w891dp-h411dp-land")
        controller.configurationChange()
        controller.visible()
        app.settle()

        assertTrue(controller.get().findViewById<View>(R.id.verdict_words)?.isShown ?: false)
        assertEquals(1, app.model.state.history.size)
    }

    @Test
    fun `a dragged square stays`() {
        app.bundles = FaceBundle()
        app.judge(Golden.picture("pictures/plain.png").bytes)
        val square = (app.viewModel.state.picture as PictureState.NeedsSquare).square
        app.viewModel.moveSquare(square.copy(side = square.side / 2))
        val moved = app.viewModel.state.picture
        val controller = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup()
        controller.recreate()
        app.settle()
        assertEquals(moved, app.viewModel.state.picture)
        assertTrue(controller.get().findViewById<View>(R.id.square_picture)?.isShown ?: false)
    }

    @Test
    fun `a screen that is gone hears nothing more`() {
        val controller = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup()
        app.settle()
        controller.pause().stop().destroy()
        app.judge(Golden.picture("pictures/420.jpg").bytes)
        assertEquals(false, controller.get().findViewById<View>(R.id.judged_part)?.isShown)
    }
}
