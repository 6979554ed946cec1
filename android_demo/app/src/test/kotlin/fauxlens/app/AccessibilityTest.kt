package fauxlens.app

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.Rect
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.ScrollView
import android.widget.TextView
import fauxlens.app.about.AboutActivity
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.model.Accelerator
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.Settings
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.settings.SettingsActivity
import fauxlens.app.ui.look
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/**
 * What an accessibility scanner asks of every screen: a label on whatever can be touched, 48 dp to touch it, text that
 * is whole at twice its size, and contrast by day and by night (WCAG 2.1 AA: 4.5, or 3 for large text).
 *
 * The window is high enough that nothing has to be scrolled into it.
 */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w411dp-h3000dp-mdpi")
class AccessibilityTest {
    private val flaws = ArrayList<String>()

    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `whatever can be touched has a label and 48 dp`() {
        onEveryScreen { name, activity -> for (view in shown(activity)) touchable(name, view) }
        assertNone()
    }

    @Test
    @Config(qualifiers = "w411dp-h20000dp-mdpi")
    fun `no text is cut at twice its size`() {
        RuntimeEnvironment.setFontScale(2f)
        onEveryScreen { name, activity -> for (view in shown(activity)) if (view is TextView) whole(name, view) }
        assertNone()
    }

    @Test
    @Config(qualifiers = "w320dp-h20000dp-mdpi")
    fun `no text is cut at twice its size on the narrowest phone`() {
        RuntimeEnvironment.setFontScale(2f)
        onEveryScreen { name, activity -> for (view in shown(activity)) if (view is TextView) whole(name, view) }
        assertNone()
    }

    @Test
    fun `text stands out by day`() = contrast("day")

    @Test
    @Config(qualifiers = "+night")
    fun `text stands out by night`() = contrast("night")

    private fun contrast(time: String) {
        onEveryScreen { name, activity ->
            val shot = shotOf(activity).also { it.keep("${time}_$name") }
            for (view in shown(activity)) if (view is TextView && view.isEnabled) standsOut(name, view, shot)
        }
        assertNone()
    }

    private fun onEveryScreen(look: (String, Activity) -> Unit) {
        app.bundles = FaceBundle()
        look(MainActivity::class.java, "empty", look)
        for (at in listOf(0, 5, 23)) {
            app.judge(Golden.bundle.references.pictures[at])
            if (at == 0) look(MainActivity::class.java, "square", look)
            app.viewModel.judgeSquare()
            app.settle()
        }
        look(MainActivity::class.java, "judged", look) { it.findViewById<View>(R.id.details_toggle)?.performClick() }
        look(HistoryActivity::class.java, "history", look)
        app.viewModel.openEntry(app.model.state.history.first().id)
        app.settle()
        look(MainActivity::class.java, "kept", look)
        app.viewModel.close()
        look(MainActivity::class.java, "recent", look)
        app.judge("a letter".toByteArray())
        look(MainActivity::class.java, "failed", look)
        app.filesDir.resolve("selftest-bundle.zip").writeBytes(Golden.bundleBytes)
        app.selfTest.run(SelfTestRequest("selftest-bundle.zip"))
        app.settle()
        look(SelfTestActivity::class.java, "selftest", look)
        app.model.set(Settings(1, Accelerator.GPU))
        look(SettingsActivity::class.java, "settings", look)
        look(AboutActivity::class.java, "about", look)
    }

    private fun look(
        screen: Class<out Activity>,
        name: String,
        look: (String, Activity) -> Unit,
        first: (Activity) -> Unit = {},
    ) {
        app.showAgain()
        val controller = Robolectric.buildActivity(screen, Intent()).setup()
        app.settle()
        first(controller.get())
        shadowOf(Looper.getMainLooper()).idle()
        look(name, controller.get())
        // Not destroyed, which would end what the next screen goes on with.
        controller.pause().stop()
    }

    private fun shown(activity: Activity): List<View> =
        below(activity.window.decorView).filter { it.isShown && it.width > 0 }

    private fun below(view: View): List<View> {
        val children = if (view is ViewGroup) (0 until view.childCount).map(view::getChildAt) else emptyList()
        return listOf(view) + children.flatMap(::below)
    }

    private fun touchable(screen: String, view: View) {
        if (!view.isClickable || view is ScrollView) return
        val words = below(view).flatMap { listOf(it.contentDescription, (it as? TextView)?.text) }
        if (words.all { it.isNullOrBlank() }) flaws += "$screen: ${nameOf(view)} has no label"
        val least = (48 * view.resources.displayMetrics.density).toInt()
        if (view.width < least || view.height < least) {
            flaws += "$screen: ${nameOf(view)} is ${view.width} x ${view.height} dp to touch"
        }
    }

    private fun whole(screen: String, view: TextView) {
        val layout = view.layout ?: return
        val about = "$screen: ${nameOf(view)} '${view.text.take(40)}'"
        if ((0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }) flaws += "$about is shortened"
        val height = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        if (layout.height > height) flaws += "$about is cut in height"
        val widest = (0 until layout.lineCount).maxOfOrNull { layout.getLineMax(it) } ?: 0f
        val width = view.width - view.compoundPaddingLeft - view.compoundPaddingRight
        if (widest > width + 1) flaws += "$about is cut in width"
        val seen = Rect()
        if (!view.getGlobalVisibleRect(seen) || seen.width() < view.width || seen.height() < view.height) {
            flaws += "$about reaches out of the screen"
        }
    }

    private fun standsOut(screen: String, view: TextView, shot: Bitmap) {
        if (view.text.isNullOrBlank()) return
        val seen = Rect().also { view.getGlobalVisibleRect(it) }
        if (seen.isEmpty) return
        val pixels = IntArray(seen.width() * seen.height())
        shot.getPixels(pixels, 0, seen.width(), seen.left, seen.top, seen.width(), seen.height())
        val ground = pixels.toList().groupingBy { it }.eachCount().maxByOrNull { it.value }?.key ?: return
        val ratio = ratioOf(over(view.currentTextColor, ground), ground)
        val points = view.textSize / view.resources.displayMetrics.density
        val large = points >= 24 || (points >= 18.7f && view.typeface?.isBold ?: false)
        if (ratio < (if (large) 3.0 else 4.5)) {
            flaws += "$screen: ${nameOf(view)} '${view.text.take(40)}' has a contrast of ${"%.2f".format(ratio)}"
        }
    }

    private fun nameOf(view: View): String = when (view.id) {
        View.NO_ID -> view.javaClass.simpleName
        else -> view.resources.getResourceEntryName(view.id)
    }

    private fun assertNone() = assertEquals("", flaws.distinct().joinToString("\n"))
}

private fun over(colour: Int, ground: Int): Int {
    val share = Color.alpha(colour) / 255.0
    fun mixed(channel: (Int) -> Int) = (channel(colour) * share + channel(ground) * (1 - share)).toInt()
    return Color.rgb(mixed(Color::red), mixed(Color::green), mixed(Color::blue))
}

/** WCAG 2.1, contrast ratio. */
private fun ratioOf(one: Int, other: Int): Double {
    val (dark, light) = listOf(one, other).map { Color.luminance(it).toDouble() }.sorted()
    return (light + 0.05) / (dark + 0.05)
}
