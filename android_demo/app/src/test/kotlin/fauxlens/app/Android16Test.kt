package fauxlens.app

import android.app.Activity
import android.content.Intent
import android.content.pm.ActivityInfo
import android.content.pm.PackageManager
import android.graphics.Insets
import android.os.Build
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import android.window.OnBackInvokedCallback
import fauxlens.app.about.AboutActivity
import fauxlens.app.common.find
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.settings.SettingsActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.util.ReflectionHelpers

/**
 * What Android 16 does to apps that are made for it: they are drawn below the bars without a way out of that, only
 * callbacks hear the back gesture, and on large screens no app chooses its orientation or shape.
 */
@RunWith(RobolectricTestRunner::class)
class Android16Test {
    private val screens = listOf(
        MainActivity::class.java,
        HistoryActivity::class.java,
        SettingsActivity::class.java,
        AboutActivity::class.java,
        SelfTestActivity::class.java,
    )

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun <T : Activity> screen(kind: Class<T>): T {
        app.showAgain()
        return Robolectric.buildActivity(kind, Intent()).setup().get().also { app.settle() }
    }

    @Test
    fun `the app is made for the Android that it is tested on`() {
        assertEquals(36, Build.VERSION.SDK_INT)
        assertEquals(36, app.applicationInfo.targetSdkVersion)
    }

    @Test
    fun `bars, the camera's hole and the keyboard hide nothing of any screen`() {
        val bars = WindowInsets.Builder()
            .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, 48, 0, 0))
            .setInsets(WindowInsets.Type.navigationBars(), Insets.of(0, 0, 0, 96))
            .setInsets(WindowInsets.Type.displayCutout(), Insets.of(24, 0, 0, 0))
        for (kind in screens) {
            val activity = screen(kind)
            val scroll = activity.findViewById<ViewGroup>(R.id.scroll)
            val before = scroll?.paddingBottom ?: 0
            hidden(activity, bars.build(), bottom = 96, before)
            // The keyboard is higher than the bar, and goes again.
            hidden(activity, bars.setInsets(WindowInsets.Type.ime(), Insets.of(0, 0, 0, 600)).build(), bottom = 600, before)
            hidden(activity, bars.setInsets(WindowInsets.Type.ime(), Insets.NONE).build(), bottom = 96, before)
        }
    }

    private fun hidden(activity: Activity, bars: WindowInsets, bottom: Int, before: Int) {
        val name = activity.javaClass.simpleName
        val root = activity.find<View>(R.id.root)
        val scroll = activity.findViewById<ViewGroup>(R.id.scroll)
        root.dispatchApplyWindowInsets(bars)
        assertEquals(name, listOf(24, 48, 0), listOf(root.paddingLeft, root.paddingTop, root.paddingRight))
        if (scroll == null) {
            assertEquals(name, bottom, root.paddingBottom)
        } else {
            // What scrolls is seen through the bar and ends above it.
            assertEquals(name, 0, root.paddingBottom)
            assertEquals(name, before + bottom, scroll.paddingBottom)
            assertEquals(name, false, scroll.clipToPadding)
        }
    }

    @Test
    fun `what the back gesture calls closes the picture, and the screen stays`() {
        app.judge(Golden.picture("pictures/420.jpg").bytes)
        val activity = screen(MainActivity::class.java)
        assertTrue(app.viewModel.state.picture is PictureState.Judged)
        requireNotNull(backCallback(activity)).onBackInvoked()
        app.settle()
        assertEquals(PictureState.None, app.viewModel.state.picture)
        assertEquals("the screen stays", false, activity.isFinishing)
    }

    /**
     * What the next back gesture calls. Robolectric does not read from the manifest that the app hears it by callbacks, so
     * Android's own stands here, which asks the activity.
     */
    private fun backCallback(activity: Activity): OnBackInvokedCallback? {
        val dispatcher = requireNotNull(activity.window.decorView.findOnBackInvokedDispatcher())
        return ReflectionHelpers.callInstanceMethod(dispatcher, "getTopCallback")
    }

    @Test
    fun `no screen asks for an orientation or a shape, which large screens would ignore`() {
        val info = app.packageManager.getPackageInfo(app.packageName, PackageManager.GET_ACTIVITIES)
        val activities = requireNotNull(info.activities).filter { it.name.startsWith("fauxlens.") }
        assertEquals(screens.map { it.name }.toSet(), activities.map { it.name }.toSet())
        for (activity in activities) {
            assertEquals(activity.name, ActivityInfo.SCREEN_ORIENTATION_UNSPECIFIED, activity.screenOrientation)
        }
    }

    @Test
    @Config(qualifiers = "w1280dp-h800dp-land-mdpi")
    fun `on a tablet every screen fits every window, and the picture stays when the window changes`() {
        app.judge(Golden.picture("pictures/plain.png").bytes)
        for (kind in screens) {
            app.showAgain()
            val controller = Robolectric.buildActivity(kind, Intent()).setup()
            app.settle()
            for (window in listOf("w1280dp-h800dp-land", "w800dp-h1280dp-port", "w840dp-h500dp-land", "w640dp-h800dp-port")) {
                RuntimeEnvironment.setQualifiers("$window-mdpi")
                controller.configurationChange()
                controller.visible()
                app.settle()
                fits("$window: ${kind.simpleName}", controller.get())
            }
            if (kind == MainActivity::class.java) {
                assertTrue(controller.get().find<View>(R.id.verdict_words).isShown)
            }
            controller.pause().stop()
        }
    }

    /** No view reaches out of the window to the side, and no line of text is longer than can be read well. */
    private fun fits(where: String, activity: Activity) {
        val root = activity.find<View>(R.id.root)
        assertTrue(where, root.width > 0)
        for (view in shown(root)) {
            val at = IntArray(2).also(view::getLocationInWindow)
            assertTrue("$where: $view", at[0] >= 0 && at[0] + view.width <= root.width)
            if (view is TextView) {
                val lines = view.layout ?: continue
                val longest = (0 until lines.lineCount).maxOfOrNull(lines::getLineWidth) ?: 0f
                assertTrue("$where: ${view.text} is $longest dp wide", longest <= LONGEST)
            }
        }
    }

    private fun shown(view: View): List<View> = when {
        !view.isShown -> emptyList()
        view is ViewGroup -> listOf(view) + (0 until view.childCount).flatMap { shown(view.getChildAt(it)) }
        else -> listOf(view)
    }

    private companion object {
        const val LONGEST = 960f
    }
}
