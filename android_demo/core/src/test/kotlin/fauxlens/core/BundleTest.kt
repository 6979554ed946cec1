package fauxlens.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Test

class BundleTest {

    private val bytes = Golden.sealed().getValue("accepted/bundle/good")
    private val bundle = Bundle.read(bytes, "it")

    @Test
    fun `every part of a bundle arrives`() {
        assertEquals(setOf("ptq-int8", "float32"), bundle.variants.keys)
        assertEquals("ptq-int8", bundle.default)
        assertEquals("ptq-int8", bundle.detector.description.variant)
        assertEquals("# Golden\n", bundle.card)
        assertEquals(sha256(bytes), bundle.sha256)
        val references = bundle.references
        assertEquals(listOf("drawn/1.png", "drawn/2 é.png"), references.names)
        assertEquals(listOf(Eyes(9.5, 7.25, 4.0), null), references.eyes)
        assertEquals(setOf("keras-float", "keras-ptq", "tflite/ptq-int8", "tflite/float32"), references.stages.keys)
        assertArrayEquals(floatArrayOf(0.1f, 0.78125f), references.stages.getValue("tflite/ptq-int8"), 0f)
        assertEquals(setOf("tflite/ptq-int8", "tflite/float32"), references.heatmaps.keys)
        val second = references.heatmaps.getValue("tflite/ptq-int8")[1]
        assertArrayEquals(FloatArray(6) { (6 + it) / 16f }, second, 0f)
    }

    @Test
    fun `its references decode and look as they did where it was made`() {
        val references = bundle.references
        for (index in references.names.indices) {
            val raster = checkNotNull(decodeByImageIo(references.pictures[index]))
            assertEquals(references.decodedSha256[index], pixelsSha256(raster))
            assertArrayEquals(references.views[index], look(bundle.detector.view, raster, 1, references.eyes[index]))
        }
    }
}
