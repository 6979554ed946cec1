package fauxlens.app

import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.MarkedGpuFactory
import fauxlens.app.detect.gpuReason
import fauxlens.app.model.Accelerator
import fauxlens.app.model.DetectorState
import fauxlens.app.model.PictureState
import fauxlens.app.model.Settings
import fauxlens.app.model.TrialMark
import fauxlens.app.state.AppModel
import fauxlens.core.Engine
import fauxlens.core.Output
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** What runs the detector where the first choice does not: never nothing, never in silence. */
@RunWith(RobolectricTestRunner::class)
class EngineChoiceTest {
    private val picture = Golden.picture("pictures/420.jpg")
    private val gpu = Settings(threads = 1, accelerator = Accelerator.GPU)

    @Test
    fun `without the native library the app's own engine gives the same bits`() {
        app.engines = EngineFactory { _, _ -> throw Trouble(R.string.trouble_engine, "no library for this processor") }
        val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
        assertEquals(picture.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
        assertEquals("built-in engine (Kotlin)", judged.details.runtime)
        assertTrue(app.model.state.detector is DetectorState.Ready)
        val reason = Sentence.of(R.string.trouble_engine, "no library for this processor")
        assertEquals(Sentence.of(R.string.note_builtin, reason), app.model.state.acceleratorNote)
    }

    @Test
    fun `the GPU is stored only once it has run`() {
        var stored: Settings? = null
        app.engines = EngineFactory { _, settings ->
            if (settings.usesGpu) stored = app.parts().settings.load()
            AnyEngine
        }
        app.model.set(gpu)
        app.settle()
        assertEquals("while it was tried", Accelerator.CPU, stored?.accelerator)
        assertEquals(gpu, app.parts().settings.load())
    }

    @Test
    fun `a GPU that refuses is put back`() {
        app.model.set(gpu)
        app.settle()
        assertEquals(Settings(threads = 1), app.model.state.settings)
        assertEquals(Settings(threads = 1), app.parts().settings.load())
    }

    @Test
    fun `a GPU that ended the process is not tried again`() {
        // As a crash leaves it: chosen and stored long ago, and the mark is there.
        app.parts().settings.save(gpu)
        app.parts().settings.trial.make()
        var tried = 0
        app.engines = EngineFactory { _, settings ->
            if (settings.usesGpu) tried++
            AnyEngine
        }
        val viewModel = AppModel(app.parts())
        app.settle()
        assertEquals(0, tried)
        assertEquals(Accelerator.CPU, viewModel.state.settings.accelerator)
        assertEquals(Sentence.of(R.string.note_gpu_crashed), viewModel.state.acceleratorNote)
        assertFalse("and is free to be chosen again", app.parts().settings.trial.isLeft())
        assertNull(AppModel(app.parts()).also { app.settle() }.state.acceleratorNote)
    }

    @Test
    fun `the mark is there while the GPU is made and in its first two runs`() {
        val mark = object : TrialMark {
            var made = false

            override fun isLeft(): Boolean = made

            override fun make() {
                made = true
            }

            override fun remove() {
                made = false
            }
        }
        val marks = ArrayList<Boolean>()
        val factory = MarkedGpuFactory(
            { _, _ ->
                marks += mark.made
                object : Engine by AnyEngine {
                    override fun run(view: ByteArray): Output = AnyEngine.run(view).also { marks += mark.made }
                }
            },
            mark,
        )
        val engine = factory.make(Golden.bundle.detector, gpu)
        repeat(3) { engine.run(ByteArray(0)) }
        factory.make(Golden.bundle.detector, Settings())
        assertEquals(listOf(true, true, true, false, false), marks)
        assertFalse(mark.made)
    }

    @Test
    fun `what a GPU delegate refuses is told by its reason, and not by what it leaves to the CPU`() {
        // What it says of the shipped detector on OpenGL: tests/export/runtimes/test_gpu_delegate.py.
        val said = Golden.file("tests/golden/gpu_refusal.txt").readText()
        val error = IllegalArgumentException("Internal error: Failed to apply delegate: $said")
        assertEquals("No shader implementation for reduce_sum", gpuReason(error))
        val listed = said.lines().take(3).joinToString("\n")
        assertEquals(
            "CAST: Not supported Cast case. Input type: UINT8 and output type: FLOAT32",
            gpuReason(IllegalArgumentException("Internal error: Failed to apply delegate: $listed")),
        )
        assertEquals("Something else", gpuReason(IllegalStateException("Something else.\nMore of it.")))
    }

    private object AnyEngine : Engine {
        override val name: String = "any"

        override fun run(view: ByteArray): Output = Output(floatArrayOf(0.5f, 0.5f), FloatArray(CELLS))

        override fun close() = Unit
    }

    private companion object {
        val CELLS = Golden.bundle.detector.description.let { it.heatmapRows * it.heatmapColumns }
    }
}
