package fauxlens.core

/**
 * The content of `fauxlens.json`: what a detector file says about itself. The keys and their meaning stand in
 * export/artifacts/description.py.
 *
 * `view` and `frontEnd` are the readable strings; `size` is S of the input uint8 [1,S,S,3]; the heatmap has
 * `heatmapRows` x `heatmapColumns` values. `operatingPoints` has a threshold on P(fake), 0..1, for each point; the
 * unsure band is [unsureLow, unsureHigh). P(fake) = sigmoid(calibrationScale x logit + calibrationBias).
 */
class Description(
    val name: String,
    val variant: String,
    val view: String,
    val unclearFaces: UnclearFaces,
    val frontEnd: String,
    val size: Int,
    val heatmapRows: Int,
    val heatmapColumns: Int,
    val operatingPoints: Map<OperatingPoint, Double>,
    val unsureLow: Double,
    val unsureHigh: Double,
    val calibrationScale: Double,
    val calibrationBias: Double,
    val generatorsSeen: List<String>,
    val sourcesSeen: List<String>,
    val trainingSha256: String,
    val createdBy: Map<String, String>,
    val figures: Map<String, Double>,
    val licences: List<String>,
) {
    companion object {

        /** Reads a description as strictly as export/artifacts/description.py; `name` is what errors call the file. */
        fun parse(json: String, name: String): Description = parseDescription(json, name)
    }
}
