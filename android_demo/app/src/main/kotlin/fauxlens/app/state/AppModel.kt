package fauxlens.app.state

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.detect.Opened
import fauxlens.app.detect.OpenedDetector
import fauxlens.app.model.Accelerator
import fauxlens.app.model.AppState
import fauxlens.app.model.Judged
import fauxlens.app.model.Keep
import fauxlens.app.model.PictureState
import fauxlens.app.model.Settings
import fauxlens.app.store.Remembered
import fauxlens.core.Description
import fauxlens.core.OperatingPoint
import java.util.concurrent.atomic.AtomicInteger

/**
 * What all screens share, for as long as the process lives: the detector, how it runs, and the verdicts that are kept.
 *
 * Called on the main thread, except where it says otherwise. Work is done on the worker.
 */
class AppModel(internal val dependencies: Dependencies) : StateHolder<AppState>(AppState(dependencies.settings.load())) {
    private val openings = AtomicInteger()

    // Whether the last process ended while it tried the GPU.
    private val crashed = dependencies.settings.trial.isLeft()

    /** What the detector says of itself; null until it is open, and where it is broken. */
    internal var description: Description? = null
        private set

    /** For the worker only. */
    internal val opened = OpenedDetector(dependencies.bundles, dependencies.engines, dependencies.finders)

    init {
        if (crashed) {
            dependencies.settings.trial.remove()
            change(state.copy(settings = state.settings.copy(accelerator = Accelerator.CPU)))
        }
        val settings = state.settings
        dependencies.worker.execute {
            val loaded = dependencies.history.load()
            val remembered = if (loaded.note == null) dependencies.history.prune(settings.keep) else loaded
            dependencies.main.execute { show(remembered) }
        }
        openDetector(settings)
    }

    /** Changes how the detector runs, from the next picture on; kept once it has run so. */
    fun set(settings: Settings) {
        val sound = settings.copy(threads = settings.threads.coerceIn(1, Settings.MOST_THREADS))
        if (sound == state.settings) return
        change(state.copy(settings = sound))
        openDetector(sound)
    }

    /** Says how long verdicts are kept; what is older goes at once. */
    fun keep(keep: Keep) {
        val settings = state.settings.copy(keep = keep)
        dependencies.settings.save(settings)
        change(state.copy(settings = settings))
        remember { dependencies.history.prune(keep) }
    }

    /** Forgets one verdict. */
    fun erase(id: Long) = remember { dependencies.history.erase(id) }

    /** Forgets all verdicts. */
    fun eraseHistory() = remember { dependencies.history.eraseAll() }

    /** Remembers a verdict, on the worker; the number of its entry, or null where it could not be written. */
    internal fun add(judged: Judged, detector: String): Long? {
        val remembered = dependencies.history.add(judged.preview, judged.verdict, detector)
        dependencies.main.execute { show(remembered) }
        return if (remembered.note == null) remembered.entries.firstOrNull()?.id else null
    }

    /** A picture with its verdict at another operating point. */
    internal fun atPoint(picture: PictureState, point: OperatingPoint): PictureState {
        val said = description ?: return picture
        if (picture !is PictureState.Judged || picture.judged.verdict.point == point) return picture
        return PictureState.Judged(picture.judged.at(said, point))
    }

    private fun openDetector(settings: Settings) {
        val mine = openings.incrementAndGet()
        dependencies.worker.execute {
            if (mine == openings.get()) {
                val result = opened.open(settings)
                dependencies.main.execute { show(result, mine) }
            }
        }
    }

    private fun show(result: Opened, opening: Int) {
        description = result.description
        // What was asked for and does not run is put back; what runs is kept for the next start.
        val ran = if (opening == openings.get()) result.settings else state.settings
        val settings = ran.copy(keep = state.settings.keep)
        dependencies.settings.save(settings)
        val note = result.note ?: Sentence.of(R.string.note_gpu_crashed).takeIf { crashed && !settings.usesGpu }
        change(state.copy(detector = result.state, settings = settings, acceleratorNote = note))
    }

    private fun remember(job: () -> Remembered) = dependencies.worker.execute {
        val remembered = job()
        dependencies.main.execute { show(remembered) }
    }

    private fun show(remembered: Remembered) =
        change(state.copy(history = remembered.entries, historyNote = remembered.note))
}
