package fauxlens.app

import fauxlens.app.common.Sentence
import fauxlens.app.model.PictureState
import fauxlens.app.picture.PlatformDecoder
import fauxlens.app.picture.pixelBudget
import fauxlens.testing.DesktopJava
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** A picture of 100 megapixels is decoded coarser, within a bound, and judged. */
@RunWith(RobolectricTestRunner::class)
class LargePictureTest {
    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `a picture of 100 megapixels is judged within bounds`() {
        val bytes = flatJpeg(10_000)
        val bound = pixelBudget()
        val decoded = PlatformDecoder().decode(bytes.copyOf())
        assertTrue("${decoded.stored.width}", decoded.stored.width.toLong() * decoded.stored.height <= bound)
        assertEquals(10_000, decoded.fileWidth)
        assertEquals("the least that fits", 2, decoded.sample)
        decoded.release()

        val before = allocated()
        val judged = (app.judge(bytes) as PictureState.Judged).judged
        val heap = allocated() - before
        assertTrue("${heap shr 20} MB were allocated on the heap", heap < BYTES_PER_PIXEL * bound)
        assertTrue(maxOf(judged.preview.width, judged.preview.height) <= 1600)
        assertEquals(10_000, judged.details.width)
        assertTrue(judged.notes.contains(Sentence.of(R.string.note_sampled, 2)))
    }

    @Test
    fun `with little memory it is decoded coarser still`() {
        val decoded = PlatformDecoder(mostPixels = 1L shl 20).decode(flatJpeg(10_000))
        assertEquals(16, decoded.sample)
        assertEquals(625, decoded.stored.width)
        decoded.release()
    }

    @Test
    fun `a picture that claims more pixels than there can be is refused before it is decoded`() {
        val state = app.judge(withSides(flatJpeg(64), 65_000, 65_000))
        assertEquals(Sentence.of(R.string.trouble_pixels, 65_000, 65_000), (state as PictureState.Failed).sentence)
    }

    /** Bytes that this thread has taken from the heap so far; the bitmaps' own pixels lie beside it. */
    private fun allocated(): Long = DesktopJava.allocatedBytes()
}

private const val BYTES_PER_PIXEL = 4
private const val SCAN = 0xDA

/**
 * A grey JPEG of `side` x `side` pixels, a multiple of 64, made without holding them: every block is the same.
 *
 * By the standard tables (ITU-T T.81, K.3) a block that differs in nothing from the one before is 00 1010: no change
 * of the mean, end of the block.
 */
internal fun flatJpeg(side: Int): ByteArray {
    val header = withSides(DesktopJava.smallGreyJpeg(), side, side).let { it.copyOf(markerOf(it, SCAN) + 10) }
    val blocks = (side + 7) / 8
    val bits = 6L * blocks * blocks
    val pattern = byteArrayOf(0x28, 0xA2.toByte(), 0x8A.toByte())
    val scan = ByteArray(((bits + 7) / 8).toInt()) { pattern[it % pattern.size] }
    return header + scan + byteArrayOf(0xFF.toByte(), 0xD9.toByte())
}

/** The same JPEG with other sides in its header. */
private fun withSides(jpeg: ByteArray, width: Int, height: Int): ByteArray = jpeg.copyOf().also {
    val frame = markerOf(it, 0xC0)
    for ((at, value) in listOf(frame + 5 to height, frame + 7 to width)) {
        it[at] = (value shr 8).toByte()
        it[at + 1] = value.toByte()
    }
}

private fun markerOf(jpeg: ByteArray, code: Int): Int {
    var at = 2
    while (jpeg[at + 1].toInt() and 0xFF != code) {
        at += 2 + (jpeg[at + 2].toInt() and 0xFF shl 8) + (jpeg[at + 3].toInt() and 0xFF)
    }
    return at
}
