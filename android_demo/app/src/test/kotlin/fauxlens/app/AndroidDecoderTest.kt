package fauxlens.app

import fauxlens.app.picture.PlatformDecoder
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/**
 * Android 16's own decoders (Skia with libjpeg-turbo and libwebp) against Pillow, byte for byte, and from there the
 * whole trip to the verdict.
 */
@RunWith(RobolectricTestRunner::class)
class AndroidDecoderTest {
    private val decoder = PlatformDecoder()

    @Test
    fun `every golden picture has the very bytes that Pillow decodes`() {
        val differing = Golden.pictures.filter { it.refused == null }.filter {
            val decoded = decoder.decode(it.bytes.copyOf())
            assertEquals("${it.name} is decoded whole", 1, decoded.sample)
            rgbSha256(decoded.stored) != it.decodedSha256 || decoded.orientation != it.orientation
        }
        assertEquals("all formats", 30, Golden.pictures.count { it.refused == null })
        assertTrue(differing.joinToString { it.name }, differing.isEmpty())
    }

    @Test
    fun `every golden picture gets the verdict of fauxlens detect, bit for bit`() {
        JnaEngine.library()
        JnaEngine(Golden.bundle.detector.bytes).use { engine ->
            for (picture in Golden.pictures.filter { it.refused == null }) {
                val decoded = decoder.decode(picture.bytes.copyOf())
                assertTrips(picture, decoded.stored, engine)
                decoded.release()
            }
        }
    }
}
