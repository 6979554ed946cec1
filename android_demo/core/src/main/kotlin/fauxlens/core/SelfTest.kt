package fauxlens.core

import kotlin.math.max

/** A reference picture decoded on this device: as stored, and its EXIF orientation 1..8. */
class Decoded(val stored: Raster, val orientation: Int)

/** What must be equal: `export/runtimes/interface.py` has the same keys, of which this app's engines give no "bits". */
enum class Guarantee(val key: String) {
    /** Scores and heatmaps, but for a last bit. */
    LAST_BIT("last-bit"),

    /** Verdicts. */
    DECISIONS("decisions"),
}

/** What ran the self-test, for the report; `accelerator` is "cpu" or "gpu". */
data class Header(
    val app: String,
    val device: String,
    val system: String,
    val abi: String,
    val runtime: String,
    val threads: Int,
    val accelerator: String,
) {
    init {
        require(accelerator in listOf("cpu", "gpu")) { "There is no accelerator '$accelerator'." }
    }

    /** A GPU computes in half precision. */
    val guarantee: Guarantee
        get() = if (accelerator == "gpu") Guarantee.DECISIONS else Guarantee.LAST_BIT
}

/**
 * What came of one reference.
 *
 * The engine is fed the stored view, so that a difference in decoding shows in its own column. `got`, `verdictGot` and
 * the bits are of what the engine gave: null and empty where it gave nothing. Hashes are 64 hexadecimal digits, ""
 * where there was nothing to hash. `errors` say what could not be done; `expected` and `got` are P(fake).
 */
data class Item(
    val name: String,
    val decodedEqual: Boolean,
    val viewEqual: Boolean,
    val expected: Float,
    val got: Float?,
    val scoresEqual: Boolean,
    val heatmapEqual: Boolean,
    val decodedSha256: String,
    val viewSha256: String,
    val scoreBits: List<Int>,
    val heatmapBits: List<Int>,
    val verdictExpected: Label,
    val verdictGot: Label?,
    val errors: List<Message>,
    val guarantee: Guarantee,
) {

    /** Whether all that is guaranteed holds: the decoding, the view, and the scores but for a last bit or the decisions. */
    val passed: Boolean
        get() {
            val run = when (guarantee) {
                Guarantee.LAST_BIT -> scoresEqual && heatmapEqual
                Guarantee.DECISIONS -> verdictGot == verdictExpected
            }
            return errors.isEmpty() && decodedEqual && viewEqual && run
        }
}

/** The self-test of a bundle's shipped variant on this device; `latencyMs` has the milliseconds of each timed run. */
data class SelfTest(
    val header: Header,
    val bundleSha256: String,
    val detectorSha256: String,
    val variant: String,
    val view: String,
    val items: List<Item>,
    val latencyMs: List<Double>,
) {

    /** Whether every reference passed. */
    val passed: Boolean
        get() = items.isNotEmpty() && items.all { it.passed }

    /** The report that `fauxlens verify --runtime device` reads. */
    fun toJson(): String = selfTestJson(this)
}

private const val TIMED_RUNS = 32

/**
 * Decodes, views and runs every reference of the bundle with the shipped variant, which `engine` has loaded.
 *
 * `decode` gives a picture file's pixels or is Refused; `onProgress` hears how many of how many references are done.
 * One run before the first is not timed; where there are fewer than 32 references, their views run again until 32 runs
 * are timed. What goes wrong with one reference stands in its item, and the others go on; Refused where the bundle
 * holds no heatmaps to compare with.
 */
fun selfTest(
    bundle: Bundle,
    engine: Engine,
    header: Header,
    decode: (ByteArray) -> Decoded,
    nanoTime: () -> Long,
    onProgress: (Int, Int) -> Unit = { _, _ -> },
): SelfTest {
    val references = bundle.references
    val count = references.names.size
    if (tfliteStage(bundle.default) !in references.heatmaps) {
        throw Refused(Refusal.NO_HEATMAPS, bundle.default)
    }
    val stopwatch = Stopwatch(engine, nanoTime)
    val items = List(count) { index ->
        onProgress(index, count)
        testReference(bundle, index, header.guarantee, stopwatch, decode)
    }
    onProgress(count, count)
    if (items.all { it.got != null }) {
        for (run in count until max(count, TIMED_RUNS)) stopwatch.run(references.views[run % count])
    }
    val detector = bundle.detector
    val view = detector.description.view
    return SelfTest(header, bundle.sha256, detector.sha256, bundle.default, view, items, stopwatch.milliseconds)
}

/** Runs the engine and keeps how long each run but the first took. */
internal class Stopwatch(private val engine: Engine, private val nanoTime: () -> Long) {

    val milliseconds = ArrayList<Double>()
    private var warm = false

    fun run(view: ByteArray): Output {
        if (!warm) engine.run(view)
        warm = true
        val start = nanoTime()
        val output = engine.run(view)
        milliseconds += (nanoTime() - start) / 1e6
        return output
    }
}
