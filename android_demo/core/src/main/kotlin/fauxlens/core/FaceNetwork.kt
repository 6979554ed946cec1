package fauxlens.core

/**
 * What must be known of one of the two networks: the square's `side`, the `grids` of its outputs' rows (cells a side,
 * anchors a cell), and the least logit of a candidate in 1/4096 (train/image/face_finder/networks.py).
 */
enum class FaceNetwork(
    /** Its member of a bundle. */
    val member: String,
    internal val side: Int,
    internal val grids: List<Pair<Int, Int>>,
    internal val leastLogit: Int,
    private val sha256: String,
) {
    SHORT_RANGE(
        "face_finder/short_range.tflite", 128, listOf(16 to 2, 8 to 6), 0,
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    ),
    FULL_RANGE(
        "face_finder/full_range.tflite", 192, listOf(48 to 1), 1661,
        "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce",
    ),
    ;

    /** How many rows the outputs have. */
    internal val anchors: Int = grids.sumOf { (cells, each) -> cells * cells * each }

    /** Refused unless these bytes are the network's file; `name` is what the sentence calls it. */
    internal fun check(file: ByteArray, name: String) {
        if (sha256(file) != sha256) throw Refused(Refusal.NOT_THE_FINDER, name)
    }
}
