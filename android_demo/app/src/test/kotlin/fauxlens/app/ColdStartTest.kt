package fauxlens.app

import android.content.Intent
import android.os.Looper
import android.view.View
import fauxlens.app.common.find
import fauxlens.app.detect.Bundles
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.FaceFinderFactory
import fauxlens.app.main.MainActivity
import fauxlens.app.model.DetectorState
import fauxlens.core.Bundle
import java.util.Collections
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

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

    @Test
    fun `bundle, engine and face finder are opened by the worker's thread and by no other`() {
        val worker = worker()
        app.work = worker
        val where = Collections.synchronizedMap(LinkedHashMap<String, Thread>())
        fun <T> noted(what: String, made: T): T = made.also { where[what] = Thread.currentThread() }
        val (bundles, engines, finders) = Triple(app.bundles, app.engines, app.finders)
        app.bundles = object : Bundles by bundles {
            override fun own(): Bundle = noted("bundle", bundles.own())
        }
        app.engines = EngineFactory { detector, settings -> noted("engine", engines.make(detector, settings)) }
        app.finders = FaceFinderFactory { bundle -> noted("face finder", finders.make(bundle)) }
        val activity = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
        assertTrue(activity.find<View>(R.id.empty_part).isShown)
        // The worker does what it was given before that, and is done.
        worker.submit {}.get()
        shadowOf(Looper.getMainLooper()).idle()
        assertTrue("${app.model.state.detector}", app.model.state.detector is DetectorState.Ready)
        assertEquals(setOf("bundle", "engine", "face finder"), where.keys)
        val main = Looper.getMainLooper().thread
        assertTrue("$where", where.values.toSet().single() != main && where.values.first().name == "judging")
        worker.shutdown()
    }

    private fun text(activity: MainActivity): String =
        activity.find<android.widget.TextView>(R.id.empty_knows).text.toString()
}
