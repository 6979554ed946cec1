package fauxlens.app

import android.app.Activity
import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.graphics.Bitmap
import android.provider.MediaStore
import fauxlens.app.detect.StoredBundles
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import fauxlens.app.selftest.SelfTestActivity
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/**
 * The pictures of docs/app: real screens drawn by Android's own renderer, two of them by day and two by night.
 *
 *     mvn -f android_demo -pl app -am test -Dtest=ScreensTest -Dsurefire.failIfNoSpecifiedTests=false \
 *         -Dfauxlens.screens=$PWD/docs/app
 *
 * What is judged on them are references of the shipped bundle: portraits that a program drew, nobody's faces.
 */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w360dp-h700dp-mdpi")
class ScreensTest {
    @Before
    fun phone() {
        JnaEngine.library()
        // As on a phone, which has an app that takes photos.
        val camera = ComponentName("org.example.camera", "Camera")
        shadowOf(app.packageManager).addActivityIfNotPresent(camera)
        shadowOf(app.packageManager).addIntentFilterForActivity(camera, IntentFilter(MediaStore.ACTION_IMAGE_CAPTURE))
    }

    @Test
    fun verdict() {
        app.bundles = asShipped()
        app.judge(reference(1.0))
        dayAndNight("verdict", DAY, MainActivity::class.java)
    }

    @Test
    fun square() {
        app.bundles = FaceBundle()
        val asked = app.judge(reference(0.5)) as PictureState.NeedsSquare
        val side = asked.preview.width * 7 / 10
        app.viewModel.moveSquare(asked.square.copy(left = side / 4, top = side / 8, side = side))
        dayAndNight("square", NIGHT, MainActivity::class.java)
    }

    @Test
    fun history() {
        app.bundles = asShipped()
        for (share in listOf(0.0, 0.4, 0.7, 1.0)) app.judge(reference(share))
        dayAndNight("history", NIGHT, HistoryActivity::class.java)
    }

    @Test
    fun selfTest() {
        app.selfTest.run()
        app.settle()
        dayAndNight("selftest", DAY, SelfTestActivity::class.java)
    }

    /** The detector with its own view, so that its scores are those that people get. */
    private fun asShipped() = StoredBundles(app.assets, app.filesDir)

    private fun dayAndNight(name: String, shown: String, screen: Class<out Activity>) {
        val day = drawn(screen)
        RuntimeEnvironment.setQualifiers("+night")
        val night = drawn(screen)
        assertTrue("$name is dark by night", mean(night) < mean(day))
        (if (shown == NIGHT) night else day).keep(name)
    }

    private fun drawn(screen: Class<out Activity>): Bitmap {
        app.showAgain()
        val controller = Robolectric.buildActivity(screen, Intent()).setup()
        app.settle()
        return shotOf(controller.get()).also { controller.pause().stop() }
    }

    private fun mean(shot: Bitmap): Double {
        val pixels = IntArray(shot.width * shot.height)
        shot.getPixels(pixels, 0, shot.width, 0, 0, shot.width, shot.height)
        assertTrue("something is shown", pixels.toSet().size > 30)
        return pixels.sumOf { it and 0xFF }.toDouble() / pixels.size
    }

    /** The reference of the shipped bundle at so great a share of the way from the most real to the most fake one. */
    private fun reference(share: Double): ByteArray {
        val references = Golden.bundle.references
        val scores = references.stages.getValue("tflite/${Golden.bundle.default}")
        val order = scores.indices.sortedBy { scores[it] }
        return references.pictures[order[(share * (order.size - 1)).toInt()]]
    }

    private companion object {
        const val DAY = "day"
        const val NIGHT = "night"
    }
}
