package fauxlens.app

import android.content.Intent
import android.view.View
import fauxlens.app.common.find
import fauxlens.app.detect.Bundles
import fauxlens.app.main.MainActivity
import fauxlens.core.Bundle
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

/** A cold start: what the person sees first does not wait for the detector. */
@RunWith(RobolectricTestRunner::class)
class ColdStartTest {
    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `the first screen stands before the detector is read, which the worker does`() {
        var read = 0
        val shipped = app.bundles
        app.bundles = object : Bundles {
            override fun own(): Bundle = shipped.own().also { read++ }

            override fun named(name: String): Bundle = shipped.named(name)
        }
        val activity = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
        // The test's worker has not been told to work; all that ran so far ran on the main thread.
        assertTrue(activity.find<View>(R.id.empty_part).isShown)
        assertEquals(app.getString(R.string.detector_loading), text(activity))
        assertEquals(0, read)
        app.settle()
        assertEquals(1, read)
    }

    private fun text(activity: MainActivity): String =
        activity.find<android.widget.TextView>(R.id.empty_knows).text.toString()
}
