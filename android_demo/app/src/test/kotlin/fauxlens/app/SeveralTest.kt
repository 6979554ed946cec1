package fauxlens.app

import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import fauxlens.app.common.find
import fauxlens.app.common.sha256
import fauxlens.app.main.Incoming
import fauxlens.app.main.MainActivity
import fauxlens.app.main.incomingOf
import fauxlens.app.main.shareText
import fauxlens.app.model.DetectorState
import fauxlens.app.model.HistoryEntry
import fauxlens.app.model.Keep
import fauxlens.app.model.PictureState
import fauxlens.app.state.AppModel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

/** Several pictures at once, a verdict that is handed on, and how long verdicts are kept. */
@RunWith(RobolectricTestRunner::class)
class SeveralTest {
    private val names = listOf("pictures/420.jpg", "pictures/plain.png")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun share(vararg uris: Uri) = Intent(Intent.ACTION_SEND_MULTIPLE).setType("image/*")
        .putParcelableArrayListExtra(Intent.EXTRA_STREAM, ArrayList(uris.toList()))

    @Test
    fun `several shared pictures get a verdict each, and one that cannot be read a sentence`() {
        val uris = names.map { OfferedPictures.offer(Golden.picture(it).bytes) } + OfferedPictures.offer(ByteArray(3))
        val activity = Robolectric.buildActivity(MainActivity::class.java, share(*uris.toTypedArray())).setup().get()
        app.settle()
        val several = app.viewModel.state.picture as PictureState.Several
        assertEquals(uris, several.items.map { it.uri })
        for ((name, item) in names.zip(several.items)) {
            val expected = Golden.picture(name).trips.first().scores[1]
            assertEquals(name, expected, hexBits(floatArrayOf(requireNotNull(item.verdict).probability)).single())
        }
        assertTrue(several.items[2].let { it.verdict == null && it.sentence != null })
        val rows = activity.find<ViewGroup>(R.id.several_rows)
        assertEquals(3, rows.childCount)
        rows.getChildAt(1).find<View>(R.id.entry_open).performClick()
        app.settle()
        assertTrue(app.viewModel.state.picture is PictureState.Judged)
    }

    @Test
    fun `one picture shared as several is one, and none is said`() {
        val uri = Uri.parse("content://org.example/1")
        assertEquals(Incoming.Picture(uri), incomingOf(share(uri)))
        assertEquals(Incoming.Unusable, incomingOf(share()))
    }

    @Test
    fun `a verdict that is handed on names its detector and its file`() {
        val picture = Golden.picture("formats/p3.jpg")
        val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
        val facts = (app.model.state.detector as DetectorState.Ready).facts
        val text = shareText(app.resources, judged, facts)
        assertTrue(text, sha256(picture.bytes) in text && facts.sha256 in text)
        assertTrue(text, text.endsWith(app.getString(R.string.verdict_hint)))
    }

    @Test
    fun `nothing is kept where that is wished, and the rest goes at once`() {
        app.judge(Golden.picture(names[0]).bytes)
        assertEquals(1, app.model.state.history.size)
        app.model.keep(Keep.NOTHING)
        app.settle()
        assertEquals(emptyList<HistoryEntry>(), app.model.state.history)
        app.judge(Golden.picture(names[1]).bytes)
        assertEquals(emptyList<HistoryEntry>(), app.model.state.history)
        assertEquals(emptyList<String>(), app.filesDir.resolve("history").list().orEmpty().filter { it.endsWith(".jpg") })
        assertEquals(Keep.NOTHING, AppModel(app.parts()).state.settings.keep)
    }
}
