package fauxlens.app.state

import android.net.Uri
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Opened
import fauxlens.app.detect.OpenedDetector
import fauxlens.app.detect.Running
import fauxlens.app.detect.Subject
import fauxlens.app.detect.clamped
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Keep
import fauxlens.app.model.Layer
import fauxlens.app.model.PictureState
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import fauxlens.app.model.Settings
import fauxlens.app.model.SeveralItem
import fauxlens.app.model.Stage
import fauxlens.app.model.UiState
import fauxlens.app.picture.thumbnailOf
import fauxlens.app.store.FilesProvider
import fauxlens.app.store.Remembered
import fauxlens.core.Description
import fauxlens.core.OperatingPoint
import fauxlens.core.Square
import fauxlens.core.at
import java.io.Closeable
import java.util.concurrent.atomic.AtomicInteger

/**
 * Holds the state of the app, for as long as its process lives: screens come and go, and observe it.
 *
 * Called on the main thread only. Work is done on the worker; of several requests the newest wins.
 */
class AppViewModel(private val dependencies: Dependencies) {
    /** What the screens show now. */
    var state: UiState = UiState(settings = dependencies.settings.load(), point = dependencies.settings.loadPoint())
        private set

    private val observers = LinkedHashSet<(UiState) -> Unit>()
    private val pictures = AtomicInteger()
    private val selfTests = AtomicInteger()
    private val openings = AtomicInteger()

    // Whether the last process ended while it tried the GPU.
    private val crashed = dependencies.settings.trial.isLeft()

    /** Where the picture on the screen came from; null where there is none. */
    var origin: Origin? = null
        private set

    // What a screen saved before the process died, until the picture it belongs to is there again.
    private var restored: SavedState? = null

    // The picture on the screen, if another square may be chosen, and what its detector says of itself.
    private var subject: Subject? = null
    private var description: Description? = null

    // For the worker only.
    private val opened = OpenedDetector(dependencies.bundles, dependencies.engines, dependencies.finders)

    init {
        if (crashed) {
            dependencies.settings.trial.remove()
            state = state.copy(settings = state.settings.copy(accelerator = Accelerator.CPU))
        }
        val settings = state.settings
        dependencies.worker.execute {
            val loaded = dependencies.history.load()
            val remembered = if (loaded.note == null) dependencies.history.prune(settings.keep) else loaded
            dependencies.main.execute { show(remembered) }
        }
        openDetector(settings)
    }

    /** Calls `observer` at once and at every change, until what is returned is closed. */
    fun observe(observer: (UiState) -> Unit): Closeable {
        observers += observer
        observer(state)
        return Closeable { observers -= observer }
    }

    /** Opens and judges a picture that was shared or picked. */
    fun open(uri: Uri) {
        origin = Origin.Address(uri)
        request { request -> openBytes(dependencies.reader.read(uri, request::isWanted), request) }
    }

    /** Judges several pictures, one after the other; each is shown as it is done, and can then be opened. */
    fun openSeveral(uris: List<Uri>) {
        val wanted = uris.take(MOST_SEVERAL)
        origin = Origin.Addresses(wanted)
        request { request ->
            val items = ArrayList<SeveralItem>()
            for (uri in wanted) {
                request.goOn()
                items += severalItem(uri, guarded { openBytes(dependencies.reader.read(uri, request::isWanted), request) })
                val state = PictureState.Several(items.toList(), wanted.size)
                dependencies.main.execute { if (request.isWanted()) change(this.state.copy(picture = state)) }
            }
            Outcome(null, PictureState.Several(items, wanted.size))
        }
    }

    private fun severalItem(uri: Uri, outcome: Outcome): SeveralItem {
        val judged = (outcome.picture as? PictureState.Judged)?.judged
        val sentence = (outcome.picture as? PictureState.Failed)?.sentence
        return SeveralItem(
            uri,
            judged?.preview?.let(::thumbnailOf),
            judged?.verdict,
            sentence ?: Sentence.of(R.string.several_square).takeIf { judged == null },
        )
    }

    /** What is on the first screen, to be saved with it. */
    fun saved(): SavedState {
        val judged = (state.picture as? PictureState.Judged)?.judged
        val square = (state.picture as? PictureState.NeedsSquare)?.square
        return SavedState(origin, state.layer, state.overlayOpacity, state.overlayShare, judged?.shown ?: 0, square)
    }

    /** Opens again what was on the screen when the process died; does nothing where something is on it. */
    fun restore(saved: SavedState) {
        if (state.picture !is PictureState.None) return
        change(state.copy(layer = saved.layer, overlayOpacity = saved.opacity, overlayShare = saved.share))
        when (val origin = saved.origin) {
            is Origin.Address -> open(origin.uri)
            is Origin.Addresses -> openSeveral(origin.uris)
            is Origin.Entry -> openEntry(origin.id)
            null -> return
        }
        restored = saved
    }

    /** A picture as a screen had it before the process died. */
    private fun asRestored(picture: PictureState): PictureState {
        val saved = restored ?: return picture
        restored = null
        return when (picture) {
            is PictureState.Judged -> picture.judged.let { judged ->
                val face = saved.face.takeIf { it in judged.faces.indices } ?: judged.shown
                PictureState.Judged(judged.copy(shown = face))
            }
            is PictureState.NeedsSquare -> saved.square?.let { square ->
                picture.copy(square = clamped(square, picture.preview.width, picture.preview.height, picture.smallest))
            } ?: picture
            else -> picture
        }
    }

    /** Opens and judges the photo that the camera app has put at FilesProvider.cameraUri. */
    fun openCamera() {
        // The photo is gone once it was read; what the history keeps of it is not.
        origin = null
        request { request ->
            val bytes = try {
                dependencies.reader.read(FilesProvider.cameraUri, request::isWanted)
            } finally {
                dependencies.discardPhoto()
            }
            openBytes(bytes, request)
        }
    }

    /** The person took no photo after all. */
    fun discardCamera() = dependencies.worker.execute { dependencies.discardPhoto() }

    /** Moves the square of a picture that needs one; it is kept within the picture. */
    fun moveSquare(square: Square) {
        val now = state.picture as? PictureState.NeedsSquare ?: return
        val kept = clamped(square, now.preview.width, now.preview.height, now.smallest)
        if (kept != now.square) change(state.copy(picture = now.copy(square = kept)))
    }

    /** Judges the picture by the square that is shown. */
    fun judgeSquare() {
        val now = state.picture as? PictureState.NeedsSquare ?: return
        val mine = subject ?: return
        request(Stage.JUDGING) { request ->
            val running = opened.get()
            Outcome(mine, kept(dependencies.evaluator.judge(mine, now.square, running, request.point), running, request))
        }
    }

    /** Goes back from a verdict to choosing the square. */
    fun adjustSquare() {
        val judged = (state.picture as? PictureState.Judged)?.judged ?: return
        val mine = subject ?: return
        val shown = judged.square ?: return
        val square = clamped(shown, mine.preview.width, mine.preview.height, mine.smallest)
        val needs = PictureState.NeedsSquare(mine.preview, square, mine.smallest, faces = null, mine.notes, former = judged)
        change(state.copy(picture = needs))
    }

    /** Goes back from choosing another square to the verdict there was; false where there was none. */
    fun keepVerdict(): Boolean {
        val former = (state.picture as? PictureState.NeedsSquare)?.former ?: return false
        change(state.copy(picture = atPoint(PictureState.Judged(former), state.point)))
        return true
    }

    /** Puts the picture away. */
    fun close() {
        pictures.incrementAndGet()
        dependencies.reader.abandon()
        subject = null
        origin = null
        change(state.copy(picture = PictureState.None))
    }

    /** Chooses the operating point; a verdict on the screen changes with it. */
    fun choose(point: OperatingPoint) {
        dependencies.settings.save(point)
        change(state.copy(point = point, picture = atPoint(state.picture, point)))
    }

    /** Shows another face of the picture: its square, its heatmap and what the detector says of it. */
    fun showFace(index: Int) {
        val judged = (state.picture as? PictureState.Judged)?.judged ?: return
        if (index !in judged.faces.indices) return
        change(state.copy(picture = PictureState.Judged(judged.copy(shown = index))))
    }

    /** Sets how strong the overlay is, 0 to 100. */
    fun setOpacity(percent: Int) = change(state.copy(overlayOpacity = percent.coerceIn(0, 100)))

    /** Sets how much of the picture's width what lies over it covers, 0 to 100 from the left. */
    fun setOverlayShare(percent: Int) = change(state.copy(overlayShare = percent.coerceIn(0, 100)))

    /** Chooses what lies over the picture. */
    fun show(layer: Layer) = change(state.copy(layer = layer))

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

    /** Shows what is kept of a verdict. */
    fun openHistory(id: Long) {
        if (state.history.any { it.id == id }) openEntry(id)
    }

    private fun openEntry(id: Long) {
        origin = Origin.Entry(id)
        request {
            val entry = dependencies.history.find(id) ?: throw Trouble(R.string.trouble_thumbnail)
            Outcome(null, PictureState.Kept(entry, dependencies.history.thumbnail(entry)))
        }
    }

    /** Runs the self-test; its result is in the state and in a file. */
    fun runSelfTest(request: SelfTestRequest = SelfTestRequest()) {
        val mine = selfTests.incrementAndGet()
        val settings = state.settings
        fun post(next: SelfTestState) = dependencies.main.execute {
            if (mine == selfTests.get()) change(state.copy(selfTest = next))
        }
        change(state.copy(selfTest = SelfTestState.Running(0, 0)))
        dependencies.worker.execute {
            try {
                val goOn = { if (mine != selfTests.get()) throw Superseded() }
                post(dependencies.selfTests.run(request, settings) { done, total ->
                    goOn()
                    post(SelfTestState.Running(done, total))
                })
            } catch (_: Superseded) {
                // The newer request reports for itself.
            }
        }
    }

    /** Ends a self-test that is under way; no result is written. */
    fun stopSelfTest() {
        selfTests.incrementAndGet()
        change(state.copy(selfTest = SelfTestState.Idle))
    }

    /** A request on the worker: `point` and `keep` as they were chosen then. */
    private inner class Request(val mine: Int, val point: OperatingPoint, val keep: Keep) {
        fun isWanted(): Boolean = mine == pictures.get()

        fun goOn() {
            if (!isWanted()) throw Superseded()
        }

        fun enter(stage: Stage) {
            goOn()
            dependencies.main.execute { if (mine == pictures.get()) change(state.copy(picture = PictureState.Working(stage))) }
        }
    }

    private fun request(stage: Stage = Stage.READING, job: (Request) -> Outcome) {
        restored = null
        val request = Request(pictures.incrementAndGet(), state.point, state.settings.keep)
        dependencies.reader.abandon()
        change(state.copy(picture = PictureState.Working(stage)))
        dependencies.worker.execute {
            try {
                request.enter(stage)
                val result = guarded { job(request) }
                dependencies.main.execute { if (request.mine == pictures.get()) finish(result) }
            } catch (_: Superseded) {
                // Nobody waits for it.
            }
        }
    }

    private fun finish(result: Outcome) {
        // Only pictures whose view asks for a face are kept: no other square can be chosen for the rest.
        subject = result.subject?.takeIf { description?.view?.contains("face(") ?: false }
        if (origin == null && result.picture is PictureState.Judged && state.settings.keep != Keep.NOTHING) {
            origin = state.history.firstOrNull()?.let { Origin.Entry(it.id) }
        }
        change(state.copy(picture = asRestored(atPoint(result.picture, state.point))))
    }

    private fun openBytes(bytes: ByteArray, request: Request): Outcome {
        request.goOn()
        val running = opened.get()
        val (subject, picture) = dependencies.evaluator.open(bytes, running, opened.finder, request.point, request::enter)
        // A verdict that nobody waits for any more is not remembered either.
        request.goOn()
        return Outcome(subject, kept(picture, running, request))
    }

    /** Remembers a verdict in the history. */
    private fun kept(picture: PictureState, running: Running, request: Request): PictureState {
        if (picture is PictureState.Judged && request.keep != Keep.NOTHING) {
            val name = running.detector.description.name
            val remembered = dependencies.history.add(picture.judged.preview, picture.judged.verdict, name)
            dependencies.main.execute { show(remembered) }
        }
        return picture
    }

    private fun atPoint(picture: PictureState, point: OperatingPoint): PictureState {
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

    private fun show(remembered: Remembered) {
        // An entry that was erased does not stay on the screen either.
        val shown = (state.picture as? PictureState.Kept)?.entry
        val picture = if (shown == null || shown in remembered.entries) state.picture else PictureState.None
        change(state.copy(history = remembered.entries, historyNote = remembered.note, picture = picture))
    }

    private companion object {
        // A small picture of each is held.
        const val MOST_SEVERAL = 50
    }

    private fun change(next: UiState) {
        state = next
        // A copy: an observer may leave while it is told.
        observers.toList().forEach { if (it in observers) it(next) }
    }
}
