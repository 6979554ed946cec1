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
        throw Refused(Refusal.NOT_A_BUNDLE, name, INDEX)
    }
    val others = sealed.members - INDEX
    val index = readIndex(json, others, name)
    val members = Members(LinkedHashMap(others), name)
    val variants = index.variants.associateWith { variant ->
        val member = "detectors/$variant.tflite"
        DetectorFile.read(members.take(member), "$name: $member")
    }
    val card = utf8(members.take(CARD)) ?: throw Refused(Refusal.NOT_UTF8, "$name: $CARD")
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
        left.remove(member) ?: throw Refused(Refusal.MEMBER_MISSING, name, member)

    fun refuseRest() {
        left.keys.minOrNull()?.let { throw Refused(Refusal.MEMBER_EXTRA, name, it) }
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

    /** Refuses the first thing in which a variant does not fit, in the order of export/artifacts/bundle.py check_consistent. */
    fun check(variant: String, description: Description, defaultView: String, name: String) {
        val size = description.size
        val map = listOf(count, description.heatmapRows, description.heatmapColumns)
        val state = LINEAGE.getValue(variant)
        val complaint = when {
            description.variant != variant -> Refusal.VARIANT_NAME
            description.view != defaultView -> Refusal.VARIANT_VIEW
            state !in stages -> Refusal.VARIANT_KERAS_STAGE
            tfliteStage(variant) !in stages -> Refusal.VARIANT_STAGE
            state !in gradcam -> Refusal.VARIANT_GRAD_CAM
            views.shape != listOf(count, size, size, 3) -> Refusal.VARIANT_VIEWS
            planes.shape.take(3) != listOf(count, size, size) -> Refusal.VARIANT_PLANES
            (heatmaps.values + gradcam.values).any { it.shape != map } -> Refusal.VARIANT_HEATMAPS
            else -> return
        }
        throw Refused(Refusal.VARIANT, name, variant, Message(complaint))
    }

    fun checkStages(variants: Set<String>, name: String) {
        if ("keras-float" !in stages) throw Refused(Refusal.STAGE_MISSING, name, "keras-float")
        val known = KERAS_STAGES + variants.map(::tfliteStage)
        val unknown = (stages.keys + heatmaps.keys + gradcam.keys).firstOrNull { it !in known } ?: return
        throw Refused(Refusal.STAGE_UNKNOWN, name, unknown)
    }

    private fun array(members: Members, member: String, isFloat: Boolean, rank: Int): Npy {
        val array = readNpy(members.take(member), "${members.name}: $member")
        if (array.isFloat != isFloat || array.shape.size != rank || array.shape[0] != count) {
            val kind = if (isFloat) "float32" else "uint8"
            throw Refused(Refusal.ENTRIES, "${members.name}: $member", count, kind)
        }
        return array
    }

    private fun readStages(json: ByteArray, name: String): Map<String, FloatArray> {
        val plain = (readJson(json, STAGES, name) as? Json.Object)?.members ?: emptyMap()
        return plain.mapValues { (stage, value) ->
            val items = (value as? Json.Array)?.items.orEmpty()
            val values = items.mapNotNull { it.probability()?.toFloat() }
            if (value !is Json.Array || items.size != count || values.size != count) {
                throw Refused(Refusal.STAGE_VALUES, "$name: $STAGES", stage, count)
            }
            values.toFloatArray()
        }
    }
}
