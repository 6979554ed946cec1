package fauxlens.app

import android.app.AlertDialog
import android.content.Intent
import android.view.View
import fauxlens.app.common.Sentence
import fauxlens.app.common.probability
import fauxlens.app.history.HistoryActivity
import fauxlens.app.model.Accelerator
import fauxlens.app.model.HistoryEntry
import fauxlens.app.model.Keep
import fauxlens.app.model.PictureState
import fauxlens.app.model.Settings
import fauxlens.app.state.AppModel
import fauxlens.app.state.PictureViewModel
import fauxlens.app.store.HistoryStore
import fauxlens.core.OperatingPoint
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.shadows.ShadowAlertDialog

/** What the app keeps: verdicts with small pictures, and settings; all of it in its own storage, all of it erasable. */
@RunWith(RobolectricTestRunner::class)
class RememberingTest {
    private val kept get() = app.filesDir.resolve("history").listFiles().orEmpty().map { it.name }.sorted()

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun judgeThree() {
        for (name in listOf("420.jpg", "plain.png", "grey.jpg")) app.judge(Golden.picture("pictures/$name").bytes)
    }

    @Test
    fun `verdicts outlive the process`() {
        judgeThree()
        val before = app.model.state.history
        assertEquals(3, before.size)
        val again = AppModel(app.parts())
        app.settle()
        assertEquals(before, again.state.history)
    }

    @Test
    fun `a remembered verdict is shown with its small picture`() {
        judgeThree()
        val entry = app.model.state.history[1]
        app.viewModel.openEntry(entry.id)
        app.settle()
        val shown = app.viewModel.state.picture as PictureState.Kept
        assertEquals(entry, shown.entry)
        assertTrue(maxOf(shown.thumbnail.width, shown.thumbnail.height) <= 256)
        val expected = Golden.picture("pictures/plain.png").trips.first()
        assertEquals(expected.scores[1], hexBits(floatArrayOf(entry.probability)).single())
    }

    @Test
    fun `one verdict is erased with its picture, the others stay`() {
        judgeThree()
        val (newest, middle, oldest) = app.model.state.history
        app.model.erase(middle.id)
        app.settle()
        assertEquals(listOf(newest, oldest), app.model.state.history)
        assertEquals(listOf("${oldest.id}.jpg", "${newest.id}.jpg", "index.json"), kept)
    }

    @Test
    fun `erasing goes on where the disk is full`() {
        judgeThree()
        // An index that cannot be replaced.
        app.filesDir.resolve("history/index.json.new/x").mkdirs()
        app.model.eraseHistory()
        app.settle()
        assertEquals(emptyList<String>(), kept.filter { it.endsWith(".jpg") })
        assertEquals(emptyList<HistoryEntry>(), app.model.state.history)
        val again = AppModel(app.parts())
        app.settle()
        assertEquals(emptyList<HistoryEntry>(), again.state.history)
    }

    @Test
    fun `all are erased after a question, and nothing is left`() {
        judgeThree()
        val activity = Robolectric.buildActivity(HistoryActivity::class.java, Intent()).setup().get()
        app.settle()
        activity.findViewById<View>(R.id.erase_all)?.performClick()
        val question = ShadowAlertDialog.getLatestDialog() as? AlertDialog
        assertNotNull("a question is asked", question)
        assertEquals(3, app.model.state.history.size)
        question?.getButton(AlertDialog.BUTTON_POSITIVE)?.performClick()
        app.settle()
        assertEquals(emptyList<HistoryEntry>(), app.model.state.history)
        assertEquals(listOf("index.json"), kept)
    }

    @Test
    fun `a verdict that is kept for a month goes after 30 days, with its picture, and others stay`() {
        val day = 24L * 60 * 60 * 1000
        var now = 1_000 * day
        val folder = app.filesDir.resolve("history")
        fun store() = HistoryStore(folder, clock = { now }).also { it.load() }
        val judged = (app.judge(Golden.picture("pictures/420.jpg").bytes) as PictureState.Judged).judged
        store().eraseAll()
        store().add(judged.preview, judged.verdict, "old")
        now += 20 * day
        store().add(judged.preview, judged.verdict, "new")
        now += 10 * day
        assertEquals("on the 30th day it is still there", 2, store().prune(Keep.MONTH).entries.size)
        now += 1
        assertEquals(2, store().prune(Keep.FOREVER).entries.size)
        assertEquals(listOf("new"), store().prune(Keep.MONTH).entries.map { it.detector })
        assertEquals("index and one picture", 2, kept.size)
        assertEquals(listOf("new"), store().load().entries.map { it.detector })
    }

    @Test
    fun `a damaged history is told and starts anew`() {
        judgeThree()
        app.filesDir.resolve("history/index.json").writeText("{\"format\": 1, \"entries\": [{}")
        val again = AppModel(app.parts())
        app.settle()
        assertEquals(emptyList<HistoryEntry>(), again.state.history)
        assertEquals(Sentence.of(R.string.note_history_damaged), again.state.historyNote)
        app.judge(Golden.picture("pictures/420.jpg").bytes)
        assertTrue(app.viewModel.state.picture is PictureState.Judged)
    }

    @Test
    fun `settings and operating point outlive the process`() {
        app.model.set(Settings(threads = 4))
        app.viewModel.choose(OperatingPoint.FPR_05)
        app.settle()
        val again = AppModel(app.parts())
        assertEquals(Settings(threads = 4), again.state.settings)
        assertEquals(OperatingPoint.FPR_05, PictureViewModel(again).state.point)
    }

    @Test
    fun `where the GPU cannot, the CPU does, and a note says so`() {
        app.model.set(Settings(threads = 1, accelerator = Accelerator.GPU))
        val judged = app.judge(Golden.picture("pictures/420.jpg").bytes) as PictureState.Judged
        assertEquals(Accelerator.CPU, judged.judged.details.accelerator)
        assertNotNull(app.model.state.acceleratorNote)
        app.model.set(Settings(threads = 2))
        app.settle()
        assertNull(app.model.state.acceleratorNote)
    }

    @Test
    fun `a verdict changes with the operating point, and its history does not`() {
        val picture = Golden.picture("pictures/plain.png")
        app.judge(picture.bytes)
        val entry = app.model.state.history.single()
        app.viewModel.choose(OperatingPoint.FPR_05)
        assertEquals(entry, app.model.state.history.single())
        val verdict = (app.viewModel.state.picture as PictureState.Judged).judged.verdict
        assertEquals(picture.trips.first().labels[OperatingPoint.FPR_05], verdict.label)
        val decision = Golden.bundle.detector.description.operatingPoints.getValue(OperatingPoint.FPR_05)
        assertEquals(decision.fakeFrom, verdict.threshold, 0.0)
    }
}
