package fauxlens.app

import android.content.ComponentName
import android.content.Intent
import android.content.pm.ActivityInfo
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.ListView
import android.widget.RadioButton
import android.widget.TextView
import fauxlens.app.common.find
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Layer
import fauxlens.app.model.PictureState
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.state.AppModel
import fauxlens.app.state.Origin
import fauxlens.app.state.PictureViewModel
import fauxlens.app.state.SavedState
import fauxlens.app.state.SelfTestViewModel
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import java.util.concurrent.Executor
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.fakes.RoboMenuItem

/** Each screen has a state of its own, whatever becomes of the others, and it outlives the process. */
@RunWith(RobolectricTestRunner::class)
class ScreenStateTest {
    private val plain = Golden.picture("pictures/plain.png")
    private val other = Golden.picture("pictures/420.jpg")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun share(uri: Uri): ActivityController<MainActivity> {
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, uri)
        return Robolectric.buildActivity(MainActivity::class.java, intent).setup()
    }

    private fun probability(screen: ActivityController<MainActivity>): String =
        screen.get().find<TextView>(R.id.verdict_probability).text.toString()

    @Test
    fun `two screens have a picture each, and one that is closed leaves the other alone`() {
        val first = share(OfferedPictures.offer(plain.bytes))
        app.settle()
        val said = probability(first)
        val second = share(OfferedPictures.offer(other.bytes))
        app.settle()
        assertTrue("another verdict", probability(second) != said)
        second.get().find<View>(R.id.layer_ela).performClick()
        @Suppress("DEPRECATION")
        second.get().onBackPressed()
        assertTrue("back to the app that shared", second.get().isFinishing)
        second.pause().stop().destroy()
        app.settle()
        assertEquals(said, probability(first))
        assertTrue(first.get().find<View>(R.id.judged_part).isShown)
        assertEquals(Layer.HEATMAP, app.viewModel.state.layer)
        assertEquals("both are remembered", 2, app.model.state.history.size)
    }

    @Test
    fun `each task has a first screen of its own`() {
        val name = ComponentName(app, MainActivity::class.java)
        assertEquals(ActivityInfo.LAUNCH_MULTIPLE, app.packageManager.getActivityInfo(name, 0).launchMode)
    }

    @Test
    fun `a picture that is being judged when its screen ends is not remembered`() {
        val screen = share(OfferedPictures.offer(plain.bytes))
        screen.pause().stop().destroy()
        app.settle()
        assertEquals(0, app.model.state.history.size)
    }

    @Test
    fun `an app that does not answer one screen keeps no other waiting`() {
        val readings = ArrayList<Runnable>()
        app.reading = Executor { readings += it }
        val hanging = PictureViewModel(app.model).also { it.open(OfferedPictures.address(OfferedPictures.HANGING)) }
        val good = PictureViewModel(app.model).also { it.open(OfferedPictures.offer(plain.bytes)) }
        // The first of them is still at it.
        readings[1].run()
        app.settle()
        assertTrue(good.state.picture is PictureState.Judged)
        assertTrue(hanging.state.picture is PictureState.Working)
        hanging.close()
        assertEquals(PictureState.None, hanging.state.picture)
    }

    @Test
    fun `an entry of the history is shown on the screen that asked for the history`() {
        app.judge(plain.bytes)
        val screen = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup()
        val others = PictureViewModel(app.model)
        screen.get().onOptionsItemSelected(RoboMenuItem(R.id.menu_history))
        val asked = shadowOf(screen.get()).nextStartedActivityForResult
        val history = Robolectric.buildActivity(HistoryActivity::class.java, asked.intent).setup().get()
        history.find<ListView>(R.id.entries).getChildAt(0).find<View>(R.id.entry_open).performClick()
        assertTrue(history.isFinishing)
        val result = shadowOf(history)
        shadowOf(screen.get()).receiveResult(asked.intent, result.resultCode, result.resultIntent)
        app.settle()
        val entry = app.model.state.history.single()
        assertEquals(entry, (app.viewModel.state.picture as PictureState.Kept).entry)
        assertEquals(PictureState.None, others.state.picture)
        // And goes from every screen once it is erased.
        app.model.erase(entry.id)
        app.settle()
        assertEquals(PictureState.None, app.viewModel.state.picture)
    }

    @Test
    fun `what a screen saved is there again on the one that is made for it`() {
        val screen = share(OfferedPictures.offer(plain.bytes))
        app.settle()
        screen.get().find<View>(R.id.layer_ela).performClick()
        screen.get().find<View>(R.id.point_fpr_05).performClick()
        val said = probability(screen)
        val saved = Bundle()
        screen.pause().stop().saveInstanceState(saved).destroy()
        PictureViewModel(app.model).choose(OperatingPoint.BALANCED)

        val intent = screen.intent
        val again = Robolectric.buildActivity(MainActivity::class.java, intent).setup(saved)
        app.settle()
        assertEquals(said, probability(again))
        assertTrue(again.get().find<RadioButton>(R.id.point_fpr_05).isChecked)
        assertEquals(
            screen.get().find<TextView>(R.id.layer_meaning).text.toString(),
            again.get().find<TextView>(R.id.layer_meaning).text.toString(),
        )
    }

    @Test
    fun `a picture is opened again after the process has died`() {
        app.judge(plain.bytes)
        val id = app.model.state.history.single().id
        app.viewModel.show(Layer.ELA)
        app.viewModel.setOverlayShare(30)
        app.viewModel.choose(OperatingPoint.FPR_1)
        val again = restarted()
        val judged = (again.state.picture as PictureState.Judged).judged
        assertEquals(plain.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
        assertEquals(Layer.ELA to 30, again.state.layer to again.state.overlayShare)
        assertEquals(OperatingPoint.FPR_1 to OperatingPoint.FPR_1, again.state.point to judged.verdict.point)

        // What cannot be read again is shown as the history has it.
        val third = PictureViewModel(AppModel(app.parts()))
        third.restore(app.viewModel.saved().copy(origin = Origin.Entry(id)))
        app.settle()
        assertEquals(id, (third.state.picture as PictureState.Kept).entry.id)
        assertEquals(null, SavedState.of(Bundle()))
    }

    @Test
    fun `a dragged square and several pictures are there again after the process has died`() {
        app.bundles = FaceBundle()
        app.judge(plain.bytes)
        val square = (app.viewModel.state.picture as PictureState.NeedsSquare).square
        app.viewModel.moveSquare(Square(left = 1, top = 2, side = square.side / 2))
        val moved = (app.viewModel.state.picture as PictureState.NeedsSquare).square
        assertEquals(moved, (restarted().state.picture as PictureState.NeedsSquare).square)

        val uris = listOf(other, plain).map { OfferedPictures.offer(it.bytes) }
        app.viewModel.openSeveral(uris)
        app.settle()
        assertEquals(uris, (restarted().state.picture as PictureState.Several).items.map { it.uri })
    }

    /** A first screen with what that of the tests had saved, after the process has died. */
    private fun restarted(): PictureViewModel {
        val saved = Bundle().also { SavedState.save(app.viewModel.saved(), it) }
        return PictureViewModel(AppModel(app.parts())).also { again ->
            SavedState.of(saved)?.let(again::restore)
            app.settle()
        }
    }

    @Test
    fun `a self-test is turned over with its screen, ends with it, and is run again on the one that is made for it`() {
        val request = SelfTestRequest(threads = 1, accelerator = Accelerator.CPU)
        val screen = Robolectric.buildActivity(SelfTestActivity::class.java, Intent()).setup()
        app.selfTest.run(request)
        app.settle()
        val done = app.selfTest.state
        assertTrue(done is SelfTestState.Done)
        screen.recreate()
        assertEquals(done, app.selfTest.state)
        assertTrue(screen.get().find<ViewGroup>(R.id.items).childCount > 0)

        val saved = Bundle()
        screen.pause().stop().saveInstanceState(saved).destroy()
        val file = app.filesDir.resolve("selftest.json").also { it.delete() }
        val again = Robolectric.buildActivity(SelfTestActivity::class.java, Intent()).setup(saved)
        app.settle()
        assertTrue(again.get().find<ViewGroup>(R.id.items).childCount > 0)
        assertTrue(file.delete())
        val ended = SelfTestViewModel(app.model).also { it.run(request) }
        ended.end()
        app.settle()
        assertFalse(file.exists())
    }
}
