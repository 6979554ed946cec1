package fauxlens.core

/**
 * The content of `fauxlens.json`: what a detector file says about itself. The keys and their meaning stand in
 * export/artifacts/description.py.
 *
 * `view` and `frontEnd` are the readable strings; `size` is S of the input uint8 [1,S,S,3]; the heatmap has
 * `heatmapRows` x `heatmapColumns` values. `operatingPoints` has a decision rule for each point. P(fake) =
 * sigmoid(calibrationScale x logit + calibrationBias). `seen` are the pairs (generator, source) that were in training.
 * `faceFinder` names the finder that the view was made with and the hashes of its files; null where the view has no
 * face(k), and in files of format 1.
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
    val operatingPoints: Map<OperatingPoint, Decision>,
    val calibrationScale: Double,
    val calibrationBias: Double,
    val seen: List<Pair<String, String>>,
    val trainingSha256: String,
    val createdBy: Map<String, String>,
    val figures: Map<String, Double>,
    val licences: List<String>,
    val faceFinder: Map<String, String>?,
) {
    /** The generators that were in training; real pictures have `camera`. */
    val generatorsSeen: List<String> get() = seen.map { it.first }.distinct().sorted()

    /** The sources that were in training. */
    val sourcesSeen: List<String> get() = seen.map { it.second }.distinct().sorted()

    companion object {

        /** Reads a description as strictly as export/artifacts/description.py; `name` is what errors call the file. */
        fun parse(json: String, name: String): Description = parseDescription(json, name)
    }
}
