package fauxlens.core

/**
 * The reference pictures of a bundle and what each stage made of them.
 *
 * `pictures` are original files; `views` size*size*3 RGB bytes each; `decodedSha256` is that of a picture's RGB bytes,
 * row by row as stored; `eyes` are those the view was taken with. `stages` maps "keras-float", "tflite/VARIANT" and
 * others to P(fake), one a picture; `heatmaps` maps a stage to its heatmaps, row by row. All lists are as long as
 * `names`.
 */
class References(
    val names: List<String>,
    val pictures: List<ByteArray>,
    val views: List<ByteArray>,
    val decodedSha256: List<String>,
    val eyes: List<Eyes?>,
    val stages: Map<String, FloatArray>,
    val heatmaps: Map<String, List<FloatArray>>,
)

/**
 * A bundle: detector variants, model card and references in one sealed zip (export/artifacts/bundle.py).
 *
 * `default` names the variant that ships; `sha256` is that of the zip, 64 hexadecimal digits. `faceFinder` holds the
 * networks that find faces, where the view has face(k) and the bundle is of format 2.
 */
class Bundle(
    val variants: Map<String, DetectorFile>,
    val default: String,
    val card: String,
    val references: References,
    val sha256: String,
    val faceFinder: Map<FaceNetwork, ByteArray>? = null,
) {

    /** The variant that ships. */
    val detector: DetectorFile
        get() = variants.getValue(default)

    companion object {

        /** Opens a bundle and checks all of it. Refused where it is damaged, newer or does not fit together. */
        fun read(bytes: ByteArray, name: String): Bundle = readBundle(bytes, name)
    }
}

/** The name of a variant's own stage. */
internal fun tfliteStage(variant: String): String = "tflite/$variant"
