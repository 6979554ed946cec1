package fauxlens.app

import fauxlens.app.ui.look
import fauxlens.core.Engine
import fauxlens.core.Raster
import fauxlens.core.judge
import fauxlens.core.look
import java.security.MessageDigest
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.BeforeClass
import org.junit.Test

/**
 * The trip of a picture on a plain JVM, no Android in it: file -> Java's decoder -> core's view -> LiteRT's C library
 * -> verdict; every bit as `fauxlens detect` has it. Java decodes JPEG by the arithmetic that Pillow uses.
 */
class EndToEndTest {
    @Test
    fun `the golden file was made by the shipped detector`() {
        assertEquals(Golden.bundle.detector.sha256, Golden.detectorSha256)
    }

    @Test
    fun `every golden picture gets the verdict of fauxlens detect, bit for bit`() {
        for (picture in Golden.pictures.filter { it.name.startsWith("pictures/") }) {
            val stored = imageIoRaster(picture.bytes)
            assertNotNull("Java decodes ${picture.name}", stored)
            stored ?: continue
            assertEquals("${picture.name} as decoded", picture.decodedSha256, rgbSha256(stored))
            assertTrips(picture, stored, engine)
        }
    }

    companion object {
        private lateinit var engine: Engine

        @BeforeClass
        @JvmStatic
        fun open() {
            JnaEngine.library()
            engine = JnaEngine(Golden.bundle.detector.bytes)
        }

        @AfterClass
        @JvmStatic
        fun close() {
            if (::engine.isInitialized) engine.close()
        }
    }
}

/** Takes every golden trip of a picture from these pixels, and holds view, score, heatmap and verdict against it. */
fun assertTrips(picture: GoldenPicture, stored: Raster, engine: Engine) {
    val description = Golden.bundle.detector.description
    for (trip in picture.trips) {
        val about = "${picture.name} through ${trip.view.text}"
        val view = look(trip.view, stored, picture.orientation, trip.eyes)
        assertEquals("$about: the view", trip.viewSha256, sha256(view))
        val output = engine.run(view)
        assertEquals("$about: the scores", trip.scores, hexBits(output.scores))
        assertEquals("$about: the heatmap", trip.heatmap, hexBits(output.heatmap))
        for ((point, label) in trip.labels) {
            val verdict = judge(description, output, point)
            assertEquals("$about at ${point.key}", label, verdict.label)
            assertEquals("$about: the heatmap shown", trip.heatmap, hexBits(verdict.heatmap.values.toFloatArray()))
        }
    }
}

/** SHA-256 of the RGB bytes row by row. */
fun rgbSha256(stored: Raster): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val row = IntArray(stored.width)
    for (y in 0 until stored.height) {
        stored.read(0, y, stored.width, 1, row)
        digest.update(ByteArray(row.size * 3) { (row[it / 3] shr (16 - 8 * (it % 3))).toByte() })
    }
    return hex(digest.digest())
}

fun sha256(bytes: ByteArray): String = hex(MessageDigest.getInstance("SHA-256").digest(bytes))

private fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }
