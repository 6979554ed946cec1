package fauxlens.app

import android.os.Build
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.picture.PlatformDecoder
import java.io.ByteArrayOutputStream
import java.util.zip.DeflaterOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.util.ReflectionHelpers

/** Pictures that take more memory than their pixels say, and formats that an Android has no decoder for. */
@RunWith(RobolectricTestRunner::class)
class PictureMemoryTest {
    @Test
    fun `16 bits a channel count twice`() {
        val bytes = Golden.picture("pictures/sixteen_bit_grey.png").bytes
        val whole = PlatformDecoder().decode(bytes.copyOf())
        val pixels = whole.fileWidth.toLong() * whole.fileHeight
        whole.release()
        assertEquals(1, PlatformDecoder(2 * pixels).decode(bytes.copyOf()).sample)
        assertEquals(2, PlatformDecoder(2 * pixels - 2).decode(bytes.copyOf()).sample)
    }

    @Test
    fun `an interlaced PNG above the budget is refused, for it is held as a whole`() {
        val bytes = interlaced(64, 32)
        PlatformDecoder(64 * 32).decode(bytes.copyOf()).release()
        val trouble = assertThrows(Trouble::class.java) { PlatformDecoder(64 * 32 - 1).decode(bytes.copyOf()) }
        assertEquals(Sentence.of(R.string.trouble_interlaced, 64, 32), trouble.sentence)
    }

    @Test
    fun `an AVIF on an Android that cannot read it is told by its name`() {
        val avif = byteArrayOf(0, 0, 0, 20) + "ftypavif".toByteArray() + ByteArray(4) + "mif1".toByteArray()
        for ((version, sentence) in listOf(
            Build.VERSION_CODES.R to Sentence.of(R.string.trouble_avif),
            Build.VERSION_CODES.VANILLA_ICE_CREAM to Sentence.of(R.string.trouble_no_decoder, "AVIF"),
        )) {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", version)
            assertEquals(sentence, assertThrows(Trouble::class.java) { PlatformDecoder().decode(avif.copyOf()) }.sentence)
        }
    }

    /** A grey, black, interlaced PNG (W3C PNG, 8.1: where the seven passes begin and how far their pixels lie apart). */
    private fun interlaced(width: Int, height: Int): ByteArray {
        val passes = listOf(
            listOf(0, 0, 8, 8), listOf(4, 0, 8, 8), listOf(0, 4, 4, 8), listOf(2, 0, 4, 4),
            listOf(0, 2, 2, 4), listOf(1, 0, 2, 2), listOf(0, 1, 1, 2),
        )
        val pixels = ByteArrayOutputStream()
        DeflaterOutputStream(pixels).use { out ->
            for ((left, top, across, down) in passes) {
                val columns = (width - left + across - 1) / across
                // A byte for the filter of each row.
                repeat((height - top + down - 1) / down) { out.write(ByteArray(1 + columns)) }
            }
        }
        val head = byteArrayOf(0, 0, 0, width.toByte(), 0, 0, 0, height.toByte(), 8, 0, 0, 0, 1)
        return pngOf(listOf("IHDR" to head, "IDAT" to pixels.toByteArray()))
    }
}
