package fauxlens.app.detect

import fauxlens.app.model.Accelerator
import fauxlens.app.model.Settings
import fauxlens.app.model.TrialMark
import fauxlens.core.DetectorFile
import fauxlens.core.Engine
import fauxlens.core.Output

/**
 * Marks the time in which a GPU's driver has not proved itself: while a detector is opened on it, and in its first two
 * runs (that with no picture and that with the first). A driver that crashes ends the whole process; found at the next
 * start, the mark says not to try again.
 */
class MarkedGpuFactory(private val engines: EngineFactory, private val mark: TrialMark) : EngineFactory {
    override fun make(detector: DetectorFile, settings: Settings): Engine {
        if (settings.accelerator != Accelerator.GPU) return engines.make(detector, settings)
        return marked { MarkedEngine(engines.make(detector, settings)) }
    }

    private fun <T> marked(work: () -> T): T {
        mark.make()
        try {
            return work()
        } finally {
            mark.remove()
        }
    }

    private inner class MarkedEngine(private val engine: Engine) : Engine by engine {
        private var runs = 0

        override fun run(view: ByteArray): Output {
            if (runs == PROVING_RUNS) return engine.run(view)
            runs += 1
            return marked { engine.run(view) }
        }
    }

    private companion object {
        const val PROVING_RUNS = 2
    }
}
