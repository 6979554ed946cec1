package fauxlens.app

import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.TextView
import fauxlens.app.common.Sentence
import fauxlens.app.common.probability
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.shadows.ShadowToast

/** Whatever is shared: a sentence on the screen, and the next picture is judged as if nothing had been. */
@RunWith(RobolectricTestRunner::class)
class BadInputTest {
    private val good = Golden.picture("pictures/420.jpg")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `what is not a picture`() {
        assertTold(R.string.trouble_not_a_picture, "a letter, not a picture".toByteArray())
        assertTold(R.string.trouble_empty, ByteArray(0))
    }

    @Test
    fun `a picture that ends early, wherever that is`() {
        for (name in READ_TO_THE_END) {
            val whole = Golden.picture(name).bytes
            for (share in listOf(0.3, 0.6, 0.9)) {
                assertFailed("$name cut at $share", whole.copyOf((whole.size * share).toInt()))
            }
            assertFailed("$name without its last bytes", whole.copyOf(whole.size - 3))
        }
    }

    @Test
    fun `a picture with a damaged middle is refused or judged, and the app goes on`() {
        for (picture in Golden.pictures.filter { it.refused == null }) {
            val damaged = picture.bytes.copyOf()
            val start = damaged.size / 3
            for (at in start until start + 8) damaged[at] = (damaged[at].toInt() xor 0x5A).toByte()
            val state = app.judge(damaged)
            assertTrue("${picture.name}: $state", state is PictureState.Failed || state is PictureState.Judged)
        }
        assertGoesOn()
    }

    @Test
    fun `an animated picture`() {
        for (name in listOf("formats/animated.gif", "formats/animated.webp", "formats/animated.png")) {
            val picture = Golden.picture(name)
            assertTrue("fauxlens detect refuses $name, too", picture.refused.orEmpty().contains("frames"))
            assertTold(R.string.trouble_animated, picture.bytes)
        }
    }

    @Test
    fun `an address that leads nowhere any more`() {
        assertTold(R.string.trouble_gone, OfferedPictures.address(OfferedPictures.GONE))
        assertTold(R.string.trouble_no_permission, OfferedPictures.address(OfferedPictures.FORBIDDEN))
        assertTold(R.string.trouble_interrupted, OfferedPictures.address(OfferedPictures.BROKEN))
        assertFailed(Uri.parse("content://org.example.uninstalled/1"))
        assertTold(R.string.trouble_address, Uri.parse("file:///data/data/fauxlens.app/files/history/index.json"))
        assertTold(R.string.trouble_address, Uri.parse("https://example.org/picture.jpg"))
        assertGoesOn()
    }

    @Test
    fun `something shared that has no address`() {
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_TEXT, "look at this")
        Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        app.settle()
        assertEquals(PictureState.None, app.holder.state.picture)
        assertEquals(app.getString(R.string.not_a_share), ShadowToast.getTextOfLatestToast())
    }

    @Test
    fun `the sentence is on the screen, and no other part of it`() {
        val uri = OfferedPictures.offer("a letter".toByteArray())
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, uri)
        val activity = Robolectric.buildActivity(MainActivity::class.java, intent).setup().get()
        app.settle()
        val said = activity.findViewById<TextView>(R.id.failed_sentence)
        assertEquals(app.getString(R.string.trouble_not_a_picture), said?.text.toString())
        assertTrue(said?.isShown ?: false)
        assertEquals(false, activity.findViewById<View>(R.id.judged_part)?.isShown)
        assertEquals(true, activity.findViewById<View>(R.id.choose_picture)?.isShown)
    }

    private fun assertTold(sentence: Int, bytes: ByteArray) {
        assertTold(sentence, OfferedPictures.offer(bytes))
        assertGoesOn()
    }

    private fun assertTold(sentence: Int, uri: Uri) {
        val told = assertFailed(uri)
        assertEquals(app.resources.getResourceEntryName(sentence), app.resources.getResourceEntryName(idOf(told)))
    }

    private fun idOf(sentence: Sentence): Int = (sentence as? Sentence.Of)?.id ?: error("not a resource: $sentence")

    private fun assertFailed(about: String, bytes: ByteArray) {
        val state = app.judge(bytes)
        assertTrue("$about: $state", state is PictureState.Failed)
    }

    private fun assertFailed(uri: Uri): Sentence {
        app.holder.open(uri)
        app.settle()
        val state = app.holder.state.picture
        assertTrue("$uri: $state", state is PictureState.Failed)
        val sentence = (state as PictureState.Failed).sentence
        val words = sentence.text(app.resources)
        assertTrue("one sentence: $words", words.endsWith(".") && '\n' !in words && words.length in 20..240)
        return sentence
    }

    private fun assertGoesOn() {
        val state = app.judge(good.bytes)
        val probability = (state as PictureState.Judged).judged.verdict.probability
        assertEquals(good.trips.first().scores[1], hexBits(floatArrayOf(probability)).single())
    }

    private companion object {
        val READ_TO_THE_END = listOf(
            "pictures/420.jpg",
            "pictures/progressive.jpg",
            "pictures/plain.png",
            "formats/lossy.webp",
            "formats/lossless.webp",
            "formats/still.gif",
            "formats/plain.bmp",
        )
    }
}
