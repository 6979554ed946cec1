package fauxlens.app.detect

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Settings
import fauxlens.core.DetectorFile
import fauxlens.core.Engine
import fauxlens.core.OperatingPoint
import fauxlens.core.Refused
import fauxlens.core.builtin.BuiltinEngine
import fauxlens.core.judge

/** Opens a detector to be run as the settings say; throws Trouble or Refused where that cannot be. */
fun interface EngineFactory {
    fun make(detector: DetectorFile, settings: Settings): Engine
}

/** An opened detector; `settings` are those it really runs with, `note` says why they are not those asked for. */
class Running(
    val detector: DetectorFile,
    val engine: Engine,
    val settings: Settings,
    val note: Sentence?,
) : AutoCloseable {
    override fun close() {
        engine.close()
    }
}

/**
 * Opens a detector and tries it once, so that what cannot run shows here.
 *
 * Falls back with a note from the GPU to the CPU, and from the native library to the engine in `core`, which needs none
 * and gives the same bits. Throws Trouble or Refused, as the native library did, where nothing runs it.
 */
fun openDetector(factory: EngineFactory, detector: DetectorFile, settings: Settings): Running {
    val refusal = try {
        return Running(detector, tried(factory, detector, settings), settings, null)
    } catch (trouble: Trouble) {
        trouble
    } catch (refused: Refused) {
        Trouble(Sentence.of(refused), refused)
    }
    if (settings.accelerator == Accelerator.GPU) {
        val cpu = openDetector(factory, detector, settings.copy(accelerator = Accelerator.CPU))
        return Running(detector, cpu.engine, cpu.settings, Sentence.of(R.string.note_no_gpu, refusal.sentence))
    }
    val builtin = try {
        tried({ file, wanted -> BuiltinEngine(file, wanted.threads) }, detector, settings)
    } catch (_: Refused) {
        throw refusal
    }
    return Running(detector, builtin, settings, Sentence.of(R.string.note_builtin, refusal.sentence))
}

private fun tried(factory: EngineFactory, detector: DetectorFile, settings: Settings): Engine {
    val engine = factory.make(detector, settings)
    var works = false
    try {
        val size = detector.view.size
        // Refused for outputs of another shape than the detector says.
        judge(detector.description, engine.run(ByteArray(size * size * 3)), OperatingPoint.BALANCED)
        works = true
    } finally {
        if (!works) engine.close()
    }
    return engine
}

/** For processors of 32 bits, on which the native library is not known to give the bits that were trained. */
object BuiltinOnly : EngineFactory {
    override fun make(detector: DetectorFile, settings: Settings): Engine {
        if (settings.usesGpu) throw Trouble(R.string.trouble_no_gpu_library)
        return BuiltinEngine(detector, settings.threads)
    }
}
