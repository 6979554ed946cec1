package fauxlens.app

import android.app.Activity
import android.content.Intent
import android.os.Build
import android.view.View
import android.view.ViewGroup
import android.widget.ListView
import android.widget.TextView
import fauxlens.app.about.AboutActivity
import fauxlens.app.common.find
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.main.pickers
import fauxlens.app.model.PictureState
import fauxlens.app.model.SelfTestState
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.settings.SettingsActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The way from a shared picture to its verdict, and every screen, on Androids that are older than the other tests'. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [26, 28, 33])
class OlderAndroidsTest {
    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun <T : Activity> screen(kind: Class<T>, intent: Intent = Intent()): T =
        Robolectric.buildActivity(kind, intent).setup().get().also { app.settle() }

    @Test
    fun `a shared picture gets the trained score, is remembered, and is there again when the screen is turned over`() {
        for (name in listOf("pictures/plain.png", "pictures/420.jpg", "formats/lossy.webp")) {
            val picture = Golden.picture(name)
            val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
            assertEquals(name, picture.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
        }
        val controller = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup()
        app.settle()
        val said = controller.get().find<TextView>(R.id.verdict_probability).text.toString()
        assertTrue(controller.get().find<View>(R.id.judged_part).isShown)
        controller.recreate()
        app.settle()
        assertEquals(said, controller.get().find<TextView>(R.id.verdict_probability).text.toString())
        assertEquals(3, app.model.state.history.size)
        assertEquals(3, screen(HistoryActivity::class.java).find<ListView>(R.id.entries).count)
    }

    @Test
    fun `every screen stands, and the self-test passes`() {
        screen(AboutActivity::class.java)
        assertTrue(screen(SettingsActivity::class.java).find<View>(R.id.accelerator_cpu).isShown)
        app.selfTest.run()
        val rows = screen(SelfTestActivity::class.java).find<ViewGroup>(R.id.items)
        assertEquals(Golden.bundle.references.names.size, rows.childCount)
        assertTrue((app.selfTest.state as SelfTestState.Done).result.passed)
    }

    @Test
    fun `the system's own picker is asked where there may be one`() {
        assertEquals(if (Build.VERSION.SDK_INT >= 30) 2 else 1, pickers().size)
    }
}
