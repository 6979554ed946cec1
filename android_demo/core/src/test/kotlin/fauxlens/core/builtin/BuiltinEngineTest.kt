package fauxlens.core.builtin

import fauxlens.core.Bundle
import fauxlens.core.DetectorFile
import fauxlens.core.Golden
import fauxlens.core.Refused
import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** The engine against LiteRT, whose results for its references a bundle carries. */
class BuiltinEngineTest {

    private val shipped = Bundle.read(Golden.folder.resolve("../../export/shipped/bundle.zip").readBytes(), "shipped")

    @Test
    fun `every reference of the shipped detector gives the scores and heatmaps of LiteRT, bit for bit`() {
        val references = shipped.references
        val stage = "tflite/${shipped.default}"
        for (threads in listOf(1, 3)) {
            BuiltinEngine(shipped.detector, threads).use { engine ->
                references.views.forEachIndexed { index, view ->
                    val output = engine.run(view)
                    val name = "${references.names[index]}, $threads threads"
                    val expected = references.stages.getValue(stage)[index]
                    assertEquals(name, expected.toRawBits(), output.scores[1].toRawBits())
                    assertEquals(name, bits(references.heatmaps.getValue(stage)[index]), bits(output.heatmap))
                }
            }
        }
    }

    @Test
    fun `an altered graph is a sentence or another output, and ends`() {
        val random = Random(18)
        val good = shipped.detector
        val graphs = good.bytes.size - WEIGHTS
        var refused = 0
        for (trial in 0 until TRIALS) {
            val bytes = good.bytes.copyOf()
            // The graph stands behind the weights; a few in the tables before them.
            repeat(1 + random.nextInt(3)) {
                val at = if (random.nextInt(4) == 0) random.nextInt(4096) else graphs + random.nextInt(WEIGHTS)
                bytes[at] = random.nextInt(256).toByte()
            }
            try {
                readGraph(bytes, "altered").let { graph ->
                    val compiler = Compiler(graph, "altered")
                    graph.operators.forEach(compiler::step)
                }
            } catch (error: Refused) {
                refused += 1
                assertTrue(error.message, error.message.orEmpty().let { it.endsWith(".") && '\n' !in it })
            }
        }
        assertTrue("$refused of $TRIALS were refused", refused in TRIALS / 100 until TRIALS)
    }

    @Test
    fun `a detector that was cut short is a sentence`() {
        val good = shipped.detector
        for (length in listOf(8, 64, 4096, good.bytes.size / 2)) {
            val cut = DetectorFile(good.bytes.copyOf(length), good.description, good.view, good.sha256)
            val error = runCatching { BuiltinEngine(cut) }.exceptionOrNull()
            assertTrue("$length bytes: $error", error is Refused)
        }
    }

    private fun bits(values: FloatArray): List<Int> = values.map { it.toRawBits() }

    private companion object {
        const val TRIALS = 600
        const val WEIGHTS = 60_000
    }
}
