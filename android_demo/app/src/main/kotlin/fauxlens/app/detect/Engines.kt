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
 * Opens a detector and tries it once, so that what cannot run shows here; falls back from GPU to CPU with a note.
 *
 * Throws Trouble or Refused where it does not run on the CPU either.
 */
fun openDetector(factory: EngineFactory, detector: DetectorFile, settings: Settings): Running {
    val reason = try {
        return Running(detector, tried(factory, detector, settings), settings, null)
    } catch (trouble: Trouble) {
        if (settings.accelerator == Accelerator.CPU) throw trouble
        trouble.sentence
    } catch (refused: Refused) {
        if (settings.accelerator == Accelerator.CPU) throw refused
        Sentence.of(refused)
    }
    val fallback = settings.copy(accelerator = Accelerator.CPU)
    return Running(detector, tried(factory, detector, fallback), fallback, Sentence.of(R.string.note_no_gpu, reason))
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
