package fauxlens.app.model

import android.graphics.Bitmap
import android.net.Uri
import fauxlens.app.common.Sentence
import fauxlens.core.Decision
import fauxlens.core.Description
import fauxlens.core.Label
import fauxlens.core.OperatingPoint
import fauxlens.core.SelfTest
import fauxlens.core.Square
import fauxlens.core.Verdict
import fauxlens.core.at
import fauxlens.core.marks.Row
import java.io.File

/** What all screens share. Immutable, as every state: its model makes another one for each change. */
data class AppState(
    val settings: Settings = Settings(),
    val detector: DetectorState = DetectorState.Loading,
    /** Why the detector does not run on the accelerator that was asked for, or null. */
    val acceleratorNote: Sentence? = null,
    /** Newest first. */
    val history: List<HistoryEntry> = emptyList(),
    /** What went wrong with the history, e.g. that it was damaged and starts anew, or null. */
    val historyNote: Sentence? = null,
)

/** Everything that one first screen shows. */
data class UiState(
    val app: AppState = AppState(),
    val picture: PictureState = PictureState.None,
    val point: OperatingPoint = OperatingPoint.BALANCED,
    /** 0 (the picture alone) to 100 (the overlay as strong as `fauxlens detect` draws it). */
    val overlayOpacity: Int = 100,
    /** How much of the picture's width the layer covers, from its left edge, in per cent; the rest shows the picture alone. */
    val overlayShare: Int = 100,
    val layer: Layer = Layer.HEATMAP,
) {
    val detector: DetectorState get() = app.detector
    val history: List<HistoryEntry> get() = app.history
}

/** What lies over the picture. */
enum class Layer { HEATMAP, ELA, NONE }

/** What the detector runs on. */
enum class Accelerator { CPU, GPU }

/** How long verdicts and their small pictures are kept. */
enum class Keep { NOTHING, MONTH, FOREVER }

/** How the detector runs (threads 1 to 4), and what is kept. */
data class Settings(
    val threads: Int = 2,
    val accelerator: Accelerator = Accelerator.CPU,
    val keep: Keep = Keep.FOREVER,
) {
    val usesGpu: Boolean get() = accelerator == Accelerator.GPU

    companion object {
        const val MOST_THREADS: Int = 4
    }
}

/** Whether there is a detector to ask. */
sealed interface DetectorState {
    data object Loading : DetectorState

    data class Ready(val facts: DetectorFacts) : DetectorState

    /** The app's own detector cannot be used; no picture can be judged. */
    data class Broken(val sentence: Sentence) : DetectorState
}

/** What a detector says about itself, for the page about it. `card` is the model card, Markdown. */
data class DetectorFacts(
    val name: String,
    val variant: String,
    val view: String,
    val frontEnd: String,
    val decisions: Map<OperatingPoint, Decision>,
    val generatorsSeen: List<String>,
    val sourcesSeen: List<String>,
    val licences: List<String>,
    val figures: Map<String, Double>,
    val sha256: String,
    val card: String,
)

/** What the detector knows to be made by AI: `camera` stands for real pictures in its list. */
val DetectorFacts.generators: List<String> get() = generatorsSeen.filter { it != "camera" }

/** The picture that the person gave. */
sealed interface PictureState {
    data object None : PictureState

    data class Working(val stage: Stage) : PictureState

    /**
     * No single face was found (or the person wants another part): the person drags a square, then it is judged.
     *
     * `preview` is upright; `square` and `smallest` (its smallest side) are in pixels of the preview; the square
     * lies within it. `faces` is how many were found, null where none was looked for. `former` is the verdict that stands until another square is
     * judged, null where there is none yet.
     */
    data class NeedsSquare(
        val preview: Bitmap,
        val square: Square,
        val smallest: Int,
        val faces: Int?,
        val notes: List<Sentence>,
        val former: fauxlens.app.model.Judged? = null,
    ) : PictureState

    data class Judged(val judged: fauxlens.app.model.Judged) : PictureState

    /** An entry of the history: only the thumbnail and the verdict are kept. */
    data class Kept(val entry: HistoryEntry, val thumbnail: Bitmap) : PictureState

    /** Several pictures that were shared together, of which so many have been judged; each can be opened. */
    data class Several(val items: List<SeveralItem>, val total: Int) : PictureState

    data class Failed(val sentence: Sentence) : PictureState
}

/** One of several pictures: where it is, and its small picture and verdict, or a sentence why there is none. */
data class SeveralItem(val uri: Uri, val thumbnail: Bitmap?, val verdict: Verdict?, val sentence: Sentence?)

/** What is being done to a picture. */
enum class Stage { READING, FINDING_FACE, JUDGING }

/**
 * What a detector says of one face.
 *
 * `square` is what the detector looked at, in pixels of the
 * preview; it may reach beyond the border; null means the whole preview, squeezed to a square. `overlay` is a
 * transparent square to be drawn over exactly that part. Faces are numbered from 1 on, the largest first.
 */
data class JudgedFace(
    val number: Int,
    val square: Square?,
    val verdict: Verdict,
    val overlay: Bitmap,
    val details: Details,
)

/**
 * A judged picture.
 *
 * `preview` is upright, its longer side at most 1600 pixels. `faces` are those that were judged (or the one square
 * where none is looked for), `shown` says which of them is on the screen: at first that with the highest probability,
 * which speaks for the picture. `ela` is as large as the preview. `marks` are what the file says about itself. `adjustable` says whether another square may be chosen.
 */
data class Judged(
    val preview: Bitmap,
    val faces: List<JudgedFace>,
    val shown: Int,
    val ela: Bitmap,
    val notes: List<Sentence>,
    val marks: List<Row>,
    val adjustable: Boolean,
) {
    val face: JudgedFace get() = faces[shown]
    val square: Square? get() = face.square
    val verdict: Verdict get() = face.verdict
    val overlay: Bitmap get() = face.overlay
    val details: Details get() = face.details

    /** The face with the highest probability, which speaks for the picture. */
    val worst: JudgedFace get() = faces.maxByOrNull { it.verdict.probability } ?: face

    /** The same at another operating point. */
    fun at(said: Description, point: OperatingPoint): Judged =
        copy(faces = faces.map { it.copy(verdict = it.verdict.at(said, point)) })
}

/**
 * How a verdict came about.
 *
 * `width` and `height` are those of the upright picture in the file, `sample` how many of its pixels became one along
 * each side when it was decoded (1: all were used), `square` is in pixels of the decoded upright picture. `faces` is
 * null where the view does not ask for a face. `sha256` is that of the file, 64 hexadecimal digits. Times in milliseconds; `latencyMs` is the detector alone. `elaGain` is
 * the factor that makes the largest error level white.
 */
data class Details(
    val detector: String,
    val variant: String,
    val view: String,
    val frontEnd: String,
    val format: String,
    val bytes: Int,
    val sha256: String,
    val width: Int,
    val height: Int,
    val orientation: Int,
    val sample: Int,
    val square: Square?,
    val faces: Int?,
    val runtime: String,
    val accelerator: Accelerator,
    val threads: Int,
    val decodeMs: Double,
    val viewMs: Double,
    val latencyMs: Double,
    val elaQuality: Int,
    val elaGain: Double,
)

/** One remembered verdict; `time` in milliseconds since 1970, `thumbnail` a JPEG of at most 256 pixels. */
data class HistoryEntry(
    val id: Long,
    val time: Long,
    val label: Label,
    val probability: Float,
    val point: OperatingPoint,
    val threshold: Double,
    val detector: String,
    val thumbnail: File,
)

/** The self-test. */
sealed interface SelfTestState {
    data object Idle : SelfTestState

    data class Running(val done: Int, val total: Int) : SelfTestState

    /** `file` holds the JSON document that `fauxlens verify --runtime device` reads. */
    data class Done(val result: SelfTest, val file: File) : SelfTestState

    data class Failed(val sentence: Sentence) : SelfTestState
}

/** What the self-test is to run: `bundle` is a file name in the app's `files` folder, null the app's own bundle. */
data class SelfTestRequest(val bundle: String? = null, val threads: Int? = null, val accelerator: Accelerator? = null)
