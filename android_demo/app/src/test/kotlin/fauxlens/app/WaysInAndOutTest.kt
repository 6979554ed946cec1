package fauxlens.app

import android.content.ClipData
import android.content.ClipDescription
import android.content.ClipboardManager
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Color
import android.view.View
import android.view.ViewGroup
import fauxlens.app.common.find
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.Incoming
import fauxlens.app.main.MainActivity
import fauxlens.app.main.drawVerdict
import fauxlens.app.main.incomingOf
import fauxlens.app.main.offersPicture
import fauxlens.app.model.Layer
import fauxlens.app.model.PictureState
import fauxlens.app.store.FilesProvider
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.fakes.RoboMenuItem
import org.robolectric.shadows.ShadowToast

/** Pictures that are pasted or dropped, what the app's icon offers, and a verdict that is handed on as a picture. */
@RunWith(RobolectricTestRunner::class)
class WaysInAndOutTest {
    private val picture = Golden.picture("pictures/plain.png")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun activity(action: String? = null): MainActivity =
        Robolectric.buildActivity(MainActivity::class.java, Intent(action)).setup().get()

    private fun clipOf(vararg bytes: ByteArray): ClipData {
        val items = bytes.map { ClipData.Item(OfferedPictures.offer(it)) }
        val clip = ClipData(ClipDescription("pictures", arrayOf("image/png")), items[0])
        items.drop(1).forEach(clip::addItem)
        return clip
    }

    @Test
    fun `a picture that was copied is pasted, and other things are not`() {
        val clipboard = requireNotNull(app.getSystemService(ClipboardManager::class.java))
        val activity = activity()
        clipboard.setPrimaryClip(ClipData.newPlainText("", "a letter"))
        activity.onOptionsItemSelected(RoboMenuItem(R.id.menu_paste))
        assertEquals(app.getString(R.string.not_a_share), ShadowToast.getTextOfLatestToast())
        clipboard.setPrimaryClip(clipOf(picture.bytes))
        activity.onOptionsItemSelected(RoboMenuItem(R.id.menu_paste))
        app.settle()
        val judged = (app.viewModel.state.picture as PictureState.Judged).judged
        assertEquals(picture.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
    }

    @Test
    fun `what is dropped is a picture, several, or nothing`() {
        val two = clipOf(picture.bytes, picture.bytes)
        assertTrue(two.description.offersPicture())
        assertEquals(2, (incomingOf(two) as Incoming.Several).uris.size)
        assertTrue(incomingOf(clipOf(picture.bytes)) is Incoming.Picture)
        assertEquals(Incoming.Unusable, incomingOf(ClipData.newPlainText("", "a letter")))
        assertEquals(Incoming.Unusable, incomingOf(null as ClipData?))
        assertEquals(false, ClipData.newPlainText("", "a letter").description.offersPicture())
    }

    @Test
    fun `the icon's shortcuts lead to choosing a picture and to the history`() {
        val choosing = shadowOf(activity("fauxlens.app.action.CHOOSE")).nextStartedActivityForResult
        assertEquals("image/*", choosing.intent.type)
        val history = shadowOf(activity("fauxlens.app.action.HISTORY")).nextStartedActivityForResult
        assertEquals(HistoryActivity::class.java.name, history.intent.component?.className)
    }

    @Test
    fun `a verdict is handed on as a picture with its words and hashes`() {
        app.judge(picture.bytes)
        val activity = activity()
        activity.find<View>(R.id.share_picture).performClick()
        val chooser = shadowOf(activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val send = requireNotNull(chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT))
        assertEquals("image/png", send.type)
        assertTrue(send.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION != 0)
        val judged = (app.viewModel.state.picture as PictureState.Judged).judged
        assertTrue(judged.details.sha256 in send.getStringExtra(Intent.EXTRA_TEXT).orEmpty())
        val drawn = requireNotNull(app.contentResolver.openInputStream(FilesProvider.verdictUri)).use {
            BitmapFactory.decodeStream(it)
        }
        drawn.keep("handed-on")
        assertEquals(1080, drawn.width)
        val preview = judged.preview
        val bottom = 40 + preview.height * minOf(1000f / preview.width, 1600f / preview.height)
        assertTrue("words stand below the picture", inkBelow(drawn, bottom.toInt() + 4))
    }

    @Test
    fun `more words make a taller picture`() {
        val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
        val short = drawVerdict(judged, "One line.")
        assertTrue(drawVerdict(judged, "One line.\n".repeat(20)).height > short.height + 300)
    }

    private fun inkBelow(drawn: Bitmap, top: Int): Boolean {
        val pixels = IntArray(drawn.width * (drawn.height - top))
        drawn.getPixels(pixels, 0, drawn.width, 0, top, drawn.width, drawn.height - top)
        return pixels.count { Color.red(it) < 100 } in 500..pixels.size / 3
    }

    @Test
    @Config(qualifiers = "w411dp-h3000dp-mdpi")
    fun `the layer is drawn up to the edge that compares`() {
        app.judge(picture.bytes)
        app.viewModel.show(Layer.ELA)
        val activity = activity()
        app.settle()
        val whole = shotOf(activity)
        app.viewModel.setOverlayShare(0)
        app.settle()
        val none = shotOf(activity)
        val at = IntArray(2).also { activity.find<View>(R.id.picture).getLocationInWindow(it) }
        val view = activity.find<View>(R.id.picture)
        val (x, y) = at[0] + view.width / 2 to at[1] + view.height / 2
        assertNotEquals(whole.getPixel(x, y), none.getPixel(x, y))
    }

    @Test
    @Config(qualifiers = "w700dp-h1000dp-port-mdpi")
    fun `from 600 dp on the picture stands beside what is said of it`() {
        app.judge(picture.bytes)
        val activity = activity()
        app.settle()
        fun left(id: Int) = IntArray(2).also { activity.find<View>(id).getLocationInWindow(it) }[0]
        assertTrue(left(R.id.verdict_card) > left(R.id.picture_card) + activity.find<ViewGroup>(R.id.picture_card).width / 2)
        shotOf(activity).keep("wide")
    }
}
