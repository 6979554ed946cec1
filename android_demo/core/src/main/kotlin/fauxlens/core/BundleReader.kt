package fauxlens.core

private const val CARD = "model_card.md"
private const val STAGES = "reference/stages.json"
// Which Keras state a variant was converted from (export/artifacts/bundle.py LINEAGE).
private val LINEAGE = mapOf(
    "qat-int8" to "keras-qat",
    "ptq-int8" to "keras-ptq",
    "dynamic" to "keras-float",
    "float16" to "keras-float",
    "float32" to "keras-float",
)
private val KERAS_STAGES = setOf("keras-float", "keras-ptq", "keras-qat")

internal fun readBundle(bytes: ByteArray, name: String): Bundle {
    val sealed = readSealed(bytes, name)
    val json = sealed.members[INDEX]
    if (sealed.start > 0 || json == null) {
        throw Refused("$name is not a Fauxlens bundle (it has no $INDEX); make one with `fauxlens export`.")
    }
    val others = sealed.members - INDEX
    val index = readIndex(json, others, name)
    val members = Members(LinkedHashMap(others), name)
    val variants = index.variants.associateWith { variant ->
        val member = "detectors/$variant.tflite"
        DetectorFile.read(members.take(member), "$name: $member")
    }
    val card = utf8(members.take(CARD)) ?: throw Refused("$name: $CARD is not UTF-8; export it again.")
    val arrays = ReferenceArrays(members, index)
    val view = variants.getValue(index.default).view
    val finder = if (index.format > 1 && view.needsEyes) faceFinder(members) else null
    members.refuseRest()
    for ((variant, detector) in variants) {
        arrays.check(variant, detector.description, variants.getValue(index.default).description.view, name)
    }
    arrays.checkStages(variants.keys, name)
    return Bundle(variants, index.default, card, arrays.references(index), sha256(bytes), finder)
}

/** The networks that find faces, each the very file that this app knows; and their licence. */
private fun faceFinder(members: Members): Map<FaceNetwork, ByteArray> {
    members.take("face_finder/LICENSE")
    return FaceNetwork.values().associateWith { network ->
        members.take(network.member).also { network.check(it, "${members.name}: ${network.member}") }
    }
}

/** Members that have not been taken yet. */
private class Members(private val left: MutableMap<String, ByteArray>, val name: String) {

    fun take(member: String): ByteArray =
        left.remove(member) ?: throw Refused("$name lacks the member $member; export it again.")

    fun refuseRest() {
        left.keys.minOrNull()?.let {
            throw Refused("$name has an extra member $it; make it again with `fauxlens export`.")
        }
    }
}

private class ReferenceArrays(members: Members, index: BundleIndex) {

    private val count = index.pictures.size
    private val pictures = index.pictures.map { members.take(it.member) }
    private val views = array(members, "reference/views.npy", false, 4)
    private val planes = array(members, "reference/planes.npy", false, 4)
    private val stages = readStages(members.take(STAGES), members.name)
    private val heatmaps = index.heatmaps.associateWith { array(members, "reference/heatmaps/$it.npy", true, 3) }
    private val gradcam = index.gradcam.associateWith { array(members, "reference/gradcam/$it.npy", true, 3) }

    fun references(index: BundleIndex): References = References(
        names = index.pictures.map { it.name },
        pictures = pictures,
        views = List(count, views::bytesOf),
        decodedSha256 = index.pictures.map { it.pixelsSha256 },
        eyes = index.pictures.map { it.eyes },
        stages = stages,
        heatmaps = heatmaps.mapValues { (_, maps) -> List(count, maps::floatsOf) },
    )

    /** Refuses the first promise that a variant does not keep, in the order of export/artifacts/bundle.py check_consistent. */
    fun check(variant: String, description: Description, defaultView: String, name: String) {
        val size = description.size
        val map = listOf(count, description.heatmapRows, description.heatmapColumns)
        val state = LINEAGE.getValue(variant)
        val complaint = when {
            description.variant != variant -> "is called otherwise inside"
            description.view != defaultView -> "has another view than the default variant"
            state !in stages -> "lacks the stage of its Keras state"
            tfliteStage(variant) !in stages -> "lacks its own stage"
            state !in gradcam -> "lacks the Grad-CAM of its Keras state"
            views.shape != listOf(count, size, size, 3) -> "does not fit the reference views"
            planes.shape.take(3) != listOf(count, size, size) -> "does not fit the front-end planes"
            (heatmaps.values + gradcam.values).any { it.shape != map } -> "does not fit the heatmaps"
            else -> return
        }
        throw Refused("$name: variant $variant $complaint; export the bundle again.")
    }

    fun checkStages(variants: Set<String>, name: String) {
        if ("keras-float" !in stages) throw Refused("$name lacks the stage keras-float; export the bundle again.")
        val known = KERAS_STAGES + variants.map(::tfliteStage)
        val unknown = (stages.keys + heatmaps.keys + gradcam.keys).firstOrNull { it !in known } ?: return
        throw Refused("$name has an unknown stage $unknown; export the bundle again.")
    }

    private fun array(members: Members, member: String, isFloat: Boolean, rank: Int): Npy {
        val array = readNpy(members.take(member), "${members.name}: $member")
        if (array.isFloat != isFloat || array.shape.size != rank || array.shape[0] != count) {
            val kind = if (isFloat) "float32" else "uint8"
            throw Refused("${members.name}: $member does not hold $count $kind entries; export it again.")
        }
        return array
    }

    private fun readStages(json: ByteArray, name: String): Map<String, FloatArray> {
        val plain = (readJson(json, STAGES, name) as? Json.Object)?.members ?: emptyMap()
        return plain.mapValues { (stage, value) ->
            val items = (value as? Json.Array)?.items.orEmpty()
            val values = items.mapNotNull { it.probability()?.toFloat() }
            if (value !is Json.Array || items.size != count || values.size != count) {
                throw Refused("$name: $STAGES: $stage is not $count probabilities; export it again.")
            }
            values.toFloatArray()
        }
    }
}
