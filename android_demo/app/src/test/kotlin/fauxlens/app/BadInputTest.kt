package fauxlens.app

import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import android.view.View
import android.widget.TextView
import fauxlens.app.common.Sentence
import fauxlens.app.common.probability
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
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
    fun `a WebP that claims more than its limit, in 34 bytes`() {
        // A VP8L chunk of 16,384 x 16,384 pixels (RFC 9649, 3.4) with hardly any data.
        val head = "RIFF\u001a\u0000\u0000\u0000WEBPVP8L\r\u0000\u0000\u0000/".toByteArray(Charsets.ISO_8859_1)
        assertTold(R.string.trouble_pixels, head + byteArrayOf(-1, -1, -1, 15) + ByteArray(9))
    }

    @Test
    fun `a progressive JPEG of more pixels than may be held at once`() {
        // Frame header of 9000 x 9000 pixels, one scan without data (ITU-T T.81, B.2).
        val frame = byteArrayOf(-1, 0xC2.toByte(), 0, 11, 8, 0x23, 0x28, 0x23, 0x28, 1, 1, 0x11, 0)
        val scan = byteArrayOf(-1, 0xDA.toByte(), 0, 8, 1, 1, 0, 0, 0, 0, 0)
        val file = byteArrayOf(-1, 0xD8.toByte()) + frame + scan + byteArrayOf(-1, 0xD9.toByte())
        assertTold(R.string.trouble_pixels, file)
    }

    @Test
    fun `a picture of which nothing shows, and a BMP whose fourth byte is empty`() {
        assertTold(R.string.trouble_invisible, encoded(Bitmap.createBitmap(64, 64, Bitmap.Config.ARGB_8888)))
        val pixels = ByteArray(4 * 48 * 48) { if (it % 4 == 3) 0 else (it / 7).toByte() }
        val empty = (app.judge(bmp(pixels, 48)) as PictureState.Judged).judged
        for (at in 3 until pixels.size step 4) pixels[at] = -1
        val opaque = (app.judge(bmp(pixels, 48)) as PictureState.Judged).judged
        assertEquals(opaque.verdict.probability, empty.verdict.probability)
        assertEquals(opaque.notes, empty.notes)
    }

    private fun encoded(bitmap: Bitmap): ByteArray =
        ByteArrayOutputStream().also { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }.toByteArray()

    /** A BMP of 32 bits with BITMAPV4HEADER, whose masks name an alpha channel. */
    private fun bmp(pixels: ByteArray, side: Int): ByteArray {
        val header = ByteBuffer.allocate(14 + 108).order(ByteOrder.LITTLE_ENDIAN)
        header.put("BM".toByteArray()).putInt(122 + pixels.size).putInt(0).putInt(122)
        header.putInt(108).putInt(side).putInt(side).putShort(1).putShort(32).putInt(3).putInt(pixels.size)
        header.putInt(2835).putInt(2835).putInt(0).putInt(0)
        header.putInt(0xFF0000).putInt(0xFF00).putInt(0xFF).putInt(0xFF shl 24)
        return header.array() + pixels
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
        assertEquals(PictureState.None, app.viewModel.state.picture)
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
        app.viewModel.open(uri)
        app.settle()
        val state = app.viewModel.state.picture
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
