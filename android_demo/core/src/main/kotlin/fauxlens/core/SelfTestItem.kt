package fauxlens.core

import java.security.MessageDigest
import kotlin.math.min

private const val BLOCK_PIXELS = 1 shl 18

/** Decodes, views and runs one reference; a Refused becomes the item's error. */
internal fun testReference(
    bundle: Bundle,
    index: Int,
    guarantee: Guarantee,
    stopwatch: Stopwatch,
    decode: (ByteArray) -> Decoded,
): Item {
    val references = bundle.references
    val detector = bundle.detector
    val stage = tfliteStage(bundle.default)
    val expected = references.stages.getValue(stage)[index]
    val errors = ArrayList<Message>()
    fun <T> attempt(work: () -> T): T? = try {
        work()
    } catch (error: Refused) {
        errors += error.said
        null
    }

    val decoded = attempt { decode(references.pictures[index]) }
    val decodedSha256 = decoded?.let { attempt { pixelsSha256(it.stored) } }
    val view = decoded?.let { attempt { look(detector.view, it.stored, it.orientation, references.eyes[index]) } }
    val output = attempt { stopwatch.run(references.views[index]).also { judge(detector.description, it, BALANCED) } }
    val heatmap = references.heatmaps.getValue(stage)[index]
    return Item(
        name = references.names[index],
        decodedEqual = decodedSha256 == references.decodedSha256[index],
        viewEqual = view != null && view.contentEquals(references.views[index]),
        expected = expected,
        got = output?.scores?.get(1),
        scoresEqual = output != null && near(output.scores[1], expected),
        heatmapEqual = output != null && output.heatmap.size == heatmap.size &&
            heatmap.indices.all { near(output.heatmap[it], heatmap[it]) },
        decodedSha256 = decodedSha256.orEmpty(),
        viewSha256 = view?.let { sha256(it) }.orEmpty(),
        scoreBits = output?.let { bits(it.scores) }.orEmpty(),
        heatmapBits = output?.let { bits(it.heatmap) }.orEmpty(),
        verdictExpected = labelOf(detector.description, expected.toDouble(), BALANCED),
        verdictGot = output?.let { labelOf(detector.description, it.scores[1].toDouble(), BALANCED) },
        errors = errors,
        guarantee = guarantee,
    )
}

private val BALANCED = OperatingPoint.BALANCED

/** float32 next to each other below 1 are at most 6e-8 apart; this library's LiteRT rounds some sums to the other one. */
private const val LAST_BIT = 1e-7f

private fun near(one: Float, other: Float) = kotlin.math.abs(one - other) <= LAST_BIT

private fun bits(values: FloatArray): List<Int> = values.map { it.toRawBits() }

/** SHA-256 of a raster's RGB bytes, row by row as stored. */
fun pixelsSha256(stored: Raster): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val rows = (BLOCK_PIXELS / stored.width).coerceIn(1, stored.height)
    val argb = IntArray(rows * stored.width)
    val rgb = ByteArray(3 * argb.size)
    for (top in 0 until stored.height step rows) {
        val count = min(rows, stored.height - top) * stored.width
        stored.read(0, top, stored.width, count / stored.width, argb)
        for (pixel in 0 until count) {
            rgb[3 * pixel] = (argb[pixel] shr 16).toByte()
            rgb[3 * pixel + 1] = (argb[pixel] shr 8).toByte()
            rgb[3 * pixel + 2] = argb[pixel].toByte()
        }
        digest.update(rgb, 0, 3 * count)
    }
    return hexadecimal(digest.digest())
}
