package fauxlens.app

import android.content.Intent
import android.graphics.Rect
import android.view.KeyEvent
import android.view.View
import fauxlens.app.common.find
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import fauxlens.app.widget.SquareView
import fauxlens.core.Square
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The square by keys, on small screens, and beside the gesture that leads back. */
@RunWith(RobolectricTestRunner::class)
class SquareInputTest {
    @Before
    fun faces() {
        app.bundles = FaceBundle()
    }

    private fun screen(): MainActivity {
        app.judge(Golden.picture("pictures/plain.png").bytes)
        return Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
    }

    @Test
    fun `at the edge a key goes on, so that the focus can leave the square`() {
        val view = screen().find<SquareView>(R.id.square_picture)
        val asked = app.viewModel.state.picture as PictureState.NeedsSquare
        app.viewModel.moveSquare(Square(0, 0, asked.square.side / 2))
        fun press(key: Int) = view.onKeyDown(key, KeyEvent(KeyEvent.ACTION_DOWN, key))
        assertFalse(press(KeyEvent.KEYCODE_DPAD_LEFT))
        assertFalse(press(KeyEvent.KEYCODE_DPAD_UP))
        assertTrue(press(KeyEvent.KEYCODE_DPAD_DOWN))
        assertTrue((app.viewModel.state.picture as PictureState.NeedsSquare).square.top > 0)
    }

    @Test
    fun `the corners of the square are no place for the gesture that leads back`() {
        val view = screen().find<SquareView>(R.id.square_picture)
        assertEquals(4, view.systemGestureExclusionRects.size)
        val touch = view.resources.getDimensionPixelSize(R.dimen.touch)
        assertTrue(view.systemGestureExclusionRects.all { it.width() == touch && it.height() == touch })
    }

    @Test
    @Config(qualifiers = "w320dp-h480dp-xhdpi")
    fun `all six buttons are whole on the smallest screen`() {
        val activity = screen()
        val seen = Rect()
        val touch = activity.resources.getDimensionPixelSize(R.dimen.touch)
        for (id in listOf(
            R.id.square_left, R.id.square_up, R.id.square_down, R.id.square_right, R.id.square_smaller,
            R.id.square_larger,
        )) {
            val button = activity.find<View>(id)
            val parent = button.parent as View
            seen.set(0, 0, button.width, button.height)
            (activity.window.decorView as android.view.ViewGroup).offsetDescendantRectToMyCoords(button, seen)
            assertTrue("$seen", seen.left >= 0 && seen.right <= activity.window.decorView.width)
            assertTrue(button.right <= parent.width && button.width == touch)
        }
    }
}
