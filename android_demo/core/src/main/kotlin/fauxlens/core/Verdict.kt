package fauxlens.core

/** What a detector gave: scores real and fake; heatmap row by row; all 0..1. */
class Output(val scores: FloatArray, val heatmap: FloatArray)

/** Something that runs one detector. Not for two threads at once. */
interface Engine : AutoCloseable {

    /** What runs it, for people. */
    val name: String

    /** Runs a view of size*size*3 RGB bytes. Whatever goes wrong is Refused. */
    fun run(view: ByteArray): Output
}

/** What spoke for fake and where: `values` row by row, 0..1, all zero where nothing did. */
data class Heatmap(val rows: Int, val columns: Int, val values: List<Float>)

/** What a detector says about one picture; `probability` is P(fake), `threshold` the one of `point`. */
data class Verdict(
    val label: Label,
    val probability: Float,
    val point: OperatingPoint,
    val threshold: Double,
    val heatmap: Heatmap,
)

/** The verdict on an output; Refused for a score or heatmap that is not finite or of another shape. */
fun judge(description: Description, output: Output, point: OperatingPoint): Verdict {
    val rows = description.heatmapRows
    val columns = description.heatmapColumns
    if (output.scores.size != 2 || output.heatmap.size != rows * columns) {
        throw Refused(Refusal.OUTPUT_SHAPE, description.name)
    }
    if (!output.scores.all(::isFinite) || !output.heatmap.all(::isFinite)) {
        throw Refused(Refusal.OUTPUT_NOT_FINITE, description.name)
    }
    return Verdict(
        labelOf(description, output.scores[1].toDouble(), point),
        output.scores[1],
        point,
        description.operatingPoints.getValue(point).fakeFrom,
        Heatmap(rows, columns, output.heatmap.toList()),
    )
}

/** The verdict for another operating point, without running again. */
fun Verdict.at(description: Description, point: OperatingPoint): Verdict = copy(
    label = labelOf(description, probability.toDouble(), point),
    point = point,
    threshold = description.operatingPoints.getValue(point).fakeFrom,
)

private fun isFinite(value: Float): Boolean = !value.isNaN() && !value.isInfinite()
