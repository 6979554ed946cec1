package fauxlens.app.state

import android.net.Uri
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Subject
import fauxlens.app.detect.clamped
import fauxlens.app.model.AppState
import fauxlens.app.model.Keep
import fauxlens.app.model.Layer
import fauxlens.app.model.PictureState
import fauxlens.app.model.SeveralItem
import fauxlens.app.model.Stage
import fauxlens.app.model.UiState
import fauxlens.app.picture.thumbnailOf
import fauxlens.app.store.FilesProvider
import fauxlens.core.OperatingPoint
import fauxlens.core.Square

/** The state of one first screen: its picture, and how that is shown. Called on the main thread only. */
class PictureViewModel(private val app: AppModel) :
    ViewModel<UiState>(UiState(app.state, point = app.dependencies.settings.loadPoint())) {
    private val dependencies = app.dependencies
    private val requests = Requests(dependencies, { change(state.copy(picture = it)) }, ::finish)

    // Where the picture on the screen came from; null where there is none.
    private var origin: Origin? = null

    // What a screen saved before the process died, until the picture it belongs to is there again.
    private var restored: SavedState? = null

    // The picture on the screen, if another square may be chosen.
    private var subject: Subject? = null

    private val watching = app.observe(::show)

    override fun end() {
        requests.abandon()
        watching.close()
    }

    /** Opens and judges a picture that was shared or picked. */
    fun open(uri: Uri) {
        origin = Origin.Address(uri)
        val request = begin()
        request.read(uri) { bytes -> request.end(guarded { openBytes(bytes(), request) }) }
    }

    /** Judges several pictures, one after the other; each is shown as it is done, and can then be opened. */
    fun openSeveral(uris: List<Uri>) {
        val wanted = uris.take(MOST_SEVERAL)
        origin = Origin.Addresses(wanted)
        openNext(wanted, emptyList(), begin())
    }

    private fun openNext(uris: List<Uri>, items: List<SeveralItem>, request: Requests.Request) {
        val several = PictureState.Several(items, uris.size)
        val uri = uris.getOrNull(items.size) ?: return request.end(Outcome(null, several))
        if (items.isNotEmpty()) request.show(several)
        request.read(uri) { bytes ->
            openNext(uris, items + severalItem(uri, guarded { openBytes(bytes(), request) }), request)
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

    /** Opens and judges the photo that the camera app has put at FilesProvider.cameraUri. */
    fun openCamera() {
        // The photo is gone once it was read; what the history keeps of it is not.
        origin = null
        val request = begin()
        request.read(FilesProvider.cameraUri) { bytes ->
            dependencies.discardPhoto()
            request.end(guarded { openBytes(bytes(), request) })
        }
    }

    /** The person took no photo after all. */
    fun discardCamera() = dependencies.worker.execute { dependencies.discardPhoto() }

    /** Shows what is kept of a verdict. */
    fun openEntry(id: Long) {
        origin = Origin.Entry(id)
        begin().work {
            val entry = dependencies.history.find(id) ?: throw Trouble(R.string.trouble_thumbnail)
            Outcome(null, PictureState.Kept(entry, dependencies.history.thumbnail(entry)))
        }
    }

    /** What is on the screen, to be saved with it. */
    fun saved(): SavedState {
        val judged = (state.picture as? PictureState.Judged)?.judged
        val square = (state.picture as? PictureState.NeedsSquare)?.square
        return SavedState(
            origin,
            state.layer,
            state.overlayOpacity,
            state.overlayShare,
            state.point,
            judged?.shown ?: 0,
            square,
        )
    }

    /** Opens again what was on the screen when the process died; does nothing where something is on it. */
    fun restore(saved: SavedState) {
        if (state.picture !is PictureState.None) return
        change(
            state.copy(
                layer = saved.layer,
                overlayOpacity = saved.opacity,
                overlayShare = saved.share,
                point = saved.point,
            ),
        )
        when (val origin = saved.origin) {
            is Origin.Address -> open(origin.uri)
            is Origin.Addresses -> openSeveral(origin.uris)
            is Origin.Entry -> openEntry(origin.id)
            null -> return
        }
        restored = saved
    }

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
        val request = begin(Stage.JUDGING)
        request.work { kept(mine, dependencies.evaluator.judge(mine, now.square, app.opened.get(), request.point), request) }
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
        change(state.copy(picture = app.atPoint(PictureState.Judged(former), state.point)))
        return true
    }

    /** Puts the picture away. */
    fun close() {
        requests.abandon()
        subject = null
        origin = null
        change(state.copy(picture = PictureState.None))
    }

    /** Chooses the operating point; a verdict on the screen changes with it, and the next screen begins with it. */
    fun choose(point: OperatingPoint) {
        dependencies.settings.save(point)
        change(state.copy(point = point, picture = app.atPoint(state.picture, point)))
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

    private fun show(shared: AppState) {
        // An entry that was erased does not stay on the screen either.
        val entry = (state.picture as? PictureState.Kept)?.entry
        val picture = if (entry == null || entry in shared.history) state.picture else PictureState.None
        change(state.copy(app = shared, picture = picture))
    }

    private fun begin(stage: Stage = Stage.READING): Requests.Request {
        restored = null
        val request = requests.begin(state.point, app.state.settings.keep)
        change(state.copy(picture = PictureState.Working(stage)))
        return request
    }

    /** On the worker. */
    private fun openBytes(bytes: ByteArray, request: Requests.Request): Outcome {
        request.goOn()
        val running = app.opened.get()
        val (subject, picture) =
            dependencies.evaluator.open(bytes, running, app.opened.finder, request.point, request::enter)
        // A verdict that nobody waits for any more is not remembered either.
        request.goOn()
        return kept(subject, picture, request)
    }

    /** Remembers a verdict in the history. On the worker. */
    private fun kept(subject: Subject, picture: PictureState, request: Requests.Request): Outcome {
        val judged = (picture as? PictureState.Judged)?.judged?.takeIf { request.keep != Keep.NOTHING }
        return Outcome(subject, picture, judged?.let { app.add(it, app.opened.get().detector.description.name) })
    }

    private fun finish(result: Outcome) {
        // Only pictures whose view asks for a face are kept: no other square can be chosen for the rest.
        subject = result.subject?.takeIf { app.description?.view?.contains("face(") ?: false }
        if (origin == null) origin = result.entry?.let(Origin::Entry)
        val saved = restored
        restored = null
        val picture = app.atPoint(result.picture, state.point)
        change(state.copy(picture = saved?.let { asSaved(picture, it) } ?: picture))
    }

    private companion object {
        // A small picture of each is held.
        const val MOST_SEVERAL = 50
    }
}

/** A picture as a screen had it before the process died. */
private fun asSaved(picture: PictureState, saved: SavedState): PictureState = when (picture) {
    is PictureState.Judged -> picture.judged.let { judged ->
        val face = saved.face.takeIf { it in judged.faces.indices } ?: judged.shown
        PictureState.Judged(judged.copy(shown = face))
    }
    is PictureState.NeedsSquare -> saved.square?.let { square ->
        picture.copy(square = clamped(square, picture.preview.width, picture.preview.height, picture.smallest))
    } ?: picture
    else -> picture
}
