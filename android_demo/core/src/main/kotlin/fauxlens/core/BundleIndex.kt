package fauxlens.core

private const val NEWEST = 2
internal const val INDEX = "bundle.json"
private val KEYS =
    setOf("format", "default", "variants", "pictures", "heatmaps", "gradcam", "tolerances", "sha256")
private val PICTURE_KEYS = setOf("name", "member", "pixels_sha256", "eyes")
private val LIMITS = setOf("flips", "mean", "p99")
private val LIMITED = setOf("quantising", "converting", "runtime")
private val TOLERANCES = LIMITED + setOf("float_rounding", "heatmap_mean", "heatmap_least")

internal class PictureEntry(val name: String, val member: String, val pixelsSha256: String, val eyes: Eyes?)

internal class BundleIndex(
    val format: Int,
    val default: String,
    val variants: List<String>,
    val pictures: List<PictureEntry>,
    val heatmaps: List<String>,
    val gradcam: List<String>,
    val sha256: Map<String, String>,
)

/** Reads `bundle.json` and holds the other members against it. */
internal fun readIndex(json: ByteArray, members: Map<String, ByteArray>, name: String): BundleIndex {
    val plain = readJson(json, INDEX, name)
    val format = (plain as? Json.Object)?.members?.get("format")?.wholeIn(0, Int.MAX_VALUE)
    if (format != null && format > NEWEST) {
        throw Refused(Refusal.NEWER_BUNDLE, name, format)
    }
    val index = (plain as? Json.Object)?.takeIf { format != null && format > 0 && it.members.keys == KEYS }?.let(::typed)
        ?: throw Refused(Refusal.INDEX_KEYS, name, INDEX)
    if (index.default !in index.variants || !VARIANTS.containsAll(index.variants)) {
        throw Refused(Refusal.INDEX_NAMES, name, INDEX)
    }
    (index.sha256.keys - members.keys).minOrNull()?.let { throw Refused(Refusal.MEMBER_MISSING, name, it) }
    (members.keys - index.sha256.keys).minOrNull()?.let { throw Refused(Refusal.MEMBER_EXTRA, name, it) }
    for ((member, bytes) in members) {
        if (sha256(bytes) != index.sha256[member]) throw Refused(Refusal.MEMBER_CHANGED, name, member)
    }
    return index
}

/** The JSON value of a member; Refused where it is no UTF-8 or no JSON. */
internal fun readJson(bytes: ByteArray, member: String, name: String): Json = try {
    parseJson(utf8(bytes) ?: throw Refused(Refusal.NOT_UTF8, "$name: $member"))
} catch (error: NotJson) {
    throw Refused(Message(Refusal.NOT_JSON, "$name: $member", error.message.orEmpty()), error)
}

private fun typed(index: Json.Object): BundleIndex? {
    val members = index.members
    if (!areTolerances(members.getValue("tolerances"))) return null
    return BundleIndex(
        format = members.getValue("format").wholeIn(1, NEWEST) ?: return null,
        default = members.getValue("default").text() ?: return null,
        variants = (members.getValue("variants") as? Json.Object)?.members?.keys?.sorted() ?: return null,
        pictures = members.getValue("pictures").list(::picture)?.takeIf { it.isNotEmpty() } ?: return null,
        heatmaps = members.getValue("heatmaps").list { it.text() } ?: return null,
        gradcam = members.getValue("gradcam").list { it.text() } ?: return null,
        sha256 = (members.getValue("sha256") as? Json.Object)?.members
            ?.mapValues { it.value.text() ?: return null } ?: return null,
    )
}

private fun picture(entry: Json): PictureEntry? {
    val members = (entry as? Json.Object)?.members?.takeIf { it.keys == PICTURE_KEYS } ?: return null
    val eyes = members.getValue("eyes")
    val numbers = eyes.list { (it as? Json.Number)?.text?.toDouble() }
    if (eyes != Json.Null && numbers?.size != 3) return null
    return PictureEntry(
        name = members.getValue("name").text() ?: return null,
        member = members.getValue("member").text() ?: return null,
        pixelsSha256 = members.getValue("pixels_sha256").text() ?: return null,
        eyes = numbers?.let { Eyes(it[0], it[1], it[2]) },
    )
}

private fun areTolerances(value: Json): Boolean {
    val members = (value as? Json.Object)?.members?.takeIf { it.keys == TOLERANCES } ?: return false
    return members.all { (key, tolerance) ->
        if (key !in LIMITED) tolerance.probability() != null else {
            val limits = (tolerance as? Json.Object)?.members ?: return false
            limits.keys == LIMITS && limits.values.all { it.probability() != null }
        }
    }
}

private fun Json.text(): String? = (this as? Json.Text)?.value

private fun <T : Any> Json.list(read: (Json) -> T?): List<T>? {
    val items = (this as? Json.Array)?.items ?: return null
    return items.mapNotNull(read).takeIf { it.size == items.size }
}
