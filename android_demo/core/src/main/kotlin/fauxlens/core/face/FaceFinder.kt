package fauxlens.core.face

import fauxlens.core.FaceNetwork
import fauxlens.core.Eyes
import fauxlens.core.Raster
import fauxlens.core.upright
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.sqrt

// Logits in 1/32 (train/image/face_finder/finder.py): from LIKELY on a face counts; from SURE on nobody else is asked.
private const val LIKELY = 13L
private const val SURE = 32L

// Of the box's longer side: the eyes of a face in profile lie close together (train/image/face.py).
private const val LEAST_DISTANCE = 0.3

/**
 * A face in pixels of the upright picture: its box's edges, the eye on the left of the picture and that on the right,
 * and the network's logit. `eyes` are what a view's face(k) takes.
 */
data class Face(
    val left: Double,
    val top: Double,
    val right: Double,
    val bottom: Double,
    val leftEye: Pair<Double, Double>,
    val rightEye: Pair<Double, Double>,
    val logit: Double,
) {
    /** The longer side of the box. */
    val side: Double get() = max(right - left, bottom - top)

    /** Midpoint and distance of the eyes, to a hundredth of a pixel. */
    val eyes: Eyes
        get() {
            val (x1, y1) = leftEye
            val (x2, y2) = rightEye
            val distance = sqrt((x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2))
            return Eyes(hundredths((x1 + x2) / 2), hundredths((y1 + y2) / 2), hundredths(max(distance, LEAST_DISTANCE * side)))
        }
}

private fun hundredths(value: Double): Double = floor(100 * value + 0.5) / 100

/**
 * BlazeFace as train/image/face_finder has it, equal to it bit for bit (docs/face-finder.md).
 *
 * `files` are the networks' files, which are opened when they are first needed. Not for two threads at once.
 */
class FaceFinder(private val files: Map<FaceNetwork, ByteArray>, private val threads: Int = 1) {
    private val runners = HashMap<FaceNetwork, NetworkRunner>()

    /**
     * The faces of a picture, the largest first; `orientation` 1..8 makes `stored` upright. Refused where a network's
     * file is not the one that it should be.
     */
    fun find(stored: Raster, orientation: Int): List<Face> = findWith(stored, orientation) { network ->
        runners.getOrPut(network) { openNetwork(network, files.getValue(network), threads) }
    }
}

internal fun findWith(stored: Raster, orientation: Int, open: (FaceNetwork) -> NetworkRunner): List<Face> {
    val picture = upright(stored, orientation)
    var best = emptyList<DecodedFace>()
    var placement = Placement(1, picture.width, picture.height)
    for (network in FaceNetwork.values()) {
        val here = Placement(network.side, picture.width, picture.height)
        val output = open(network).run(tensorOf(letterbox(stored, orientation, here)))
        val found = decodeFaces(network, output).filter { it.logit >= LIKELY }
        if (found.isNotEmpty() && (best.isEmpty() || found[0].logit > best[0].logit)) {
            best = found
            placement = here
        }
        if (best.isNotEmpty() && best[0].logit >= SURE) break
    }
    return usable(best.map { placed(it, placement) }, picture.width, picture.height)
}

/** A face of the square in pixels of the picture: whole numbers until one division. */
internal fun placed(face: DecodedFace, placement: Placement): Face {
    fun x(doubled: Long): Double =
        (doubled - 2 * UNITS * placement.left) * placement.pictureWidth.toLong() / (2.0 * UNITS * placement.width)

    fun y(doubled: Long): Double =
        (doubled - 2 * UNITS * placement.top) * placement.pictureHeight.toLong() / (2.0 * UNITS * placement.height)

    val (centreX, centreY, width, height) = face.numbers
    return Face(
        left = x(2 * centreX - width),
        top = y(2 * centreY - height),
        right = x(2 * centreX + width),
        bottom = y(2 * centreY + height),
        // The person's right eye is on the left of the picture.
        leftEye = x(2 * face.numbers[4]) to y(2 * face.numbers[5]),
        rightEye = x(2 * face.numbers[6]) to y(2 * face.numbers[7]),
        logit = face.logit / UNITS.toDouble(),
    )
}

/** Without those that no view could use and second boxes on one face; the largest first (train/image/face.py). */
internal fun usable(faces: List<Face>, width: Int, height: Int): List<Face> {
    val kept = ArrayList<Face>()
    val order = compareBy<Face>({ -it.side }, { it.left }, { it.top }, { it.right }, { it.bottom })
    for (face in faces.filter { it.isUsable(width, height) }.sortedWith(order)) {
        val x = (face.left + face.right) / 2
        val y = (face.top + face.bottom) / 2
        if (kept.none { x >= it.left && x <= it.right && y >= it.top && y <= it.bottom }) kept += face
    }
    return kept
}

private fun Face.isUsable(width: Int, height: Int): Boolean = eyes.let {
    it.x >= 0 && it.x <= width && it.y >= 0 && it.y <= height && it.distance > 0
}
