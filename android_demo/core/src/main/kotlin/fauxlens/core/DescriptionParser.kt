package fauxlens.core

private const val FORMAT = 1
private const val LONGEST = 10_000
internal val VARIANTS = listOf("qat-int8", "ptq-int8", "dynamic", "float16", "float32")
private val SHA256 = Regex("[0-9a-f]{64}")
private val KEYS = sortedSetOf(
    "calibration", "created_by", "figures", "format", "front_end", "generators_seen", "heatmap", "labels", "licences",
    "name", "operating_points", "size", "sources_seen", "training_sha256", "unclear_faces", "unsure", "variant", "view",
)

internal fun parseDescription(json: String, name: String): Description {
    val file = "$name: fauxlens.json"
    val plain = try {
        parseJson(json)
    } catch (error: NotJson) {
        throw Refused("$file is not JSON (${error.message}); export the detector again.", error)
    }
    if (plain !is Json.Object) throw Refused("$file does not hold a JSON object; export the detector again.")
    checkFormat(plain.members["format"], file)
    val keys = plain.members.keys
    (KEYS - keys).firstOrNull()?.let { throw Refused("$file lacks the key '$it'; export the detector again.") }
    (keys - KEYS).minOrNull()?.let { throw Refused("$file has an unknown key '$it'; export the detector again.") }
    return read(Keys(plain.members, file))
}

private fun checkFormat(number: Json?, file: String) {
    val format = number?.wholeIn(1, 1 shl 30) ?: return
    if (format > FORMAT) {
        throw Refused("$file has format $format, which was made by a newer Fauxlens: update this app.")
    }
}

private class Keys(private val members: Map<String, Json>, private val file: String) {

    /** The value of a key, read by `read`; Refused with what was promised where it gives null. */
    fun <T : Any> take(key: String, promise: String, read: (Json) -> T?): T = read(members.getValue(key))
        ?: throw Refused("$file: '$key' must be $promise; export the detector again.")
}

private fun read(keys: Keys): Description {
    keys.take("format", "the whole number $FORMAT") { it.wholeIn(FORMAT, FORMAT) }
    keys.take("labels", "[real, fake] in this order") { labels -> labels.texts()?.takeIf { it == LABELS } }
    val line = "one line of text"
    val lines = "a list of lines of text"
    val heatmap = keys.take("heatmap", "two whole numbers, rows and columns") { it.pair { n -> n.wholeIn(1, 4096) } }
    val unsure = keys.take("unsure", "two probabilities, low then high") { band ->
        band.pair { it.probability() }?.takeIf { it.first <= it.second }
    }
    val calibration = keys.take("calibration", "an object of two finite numbers, scale and bias") { note ->
        note.map { it.finite() }?.takeIf { it.keys == setOf("scale", "bias") }
    }
    return Description(
        name = keys.take("name", line) { it.line() },
        variant = keys.take("variant", "one of " + VARIANTS.joinToString()) { value ->
            value.line()?.takeIf { it in VARIANTS }
        },
        view = keys.take("view", line) { it.line() },
        unclearFaces = keys.take("unclear_faces", "one of " + UnclearFaces.values().joinToString { it.key }) { value ->
            UnclearFaces.values().find { it.key == value.line() }
        },
        frontEnd = keys.take("front_end", line) { it.line() },
        size = keys.take("size", "a whole number of pixels, 8 to 4096") { it.wholeIn(8, 4096) },
        heatmapRows = heatmap.first,
        heatmapColumns = heatmap.second,
        operatingPoints = keys.take("operating_points", thresholds()) { it.operatingPoints() },
        unsureLow = unsure.first,
        unsureHigh = unsure.second,
        calibrationScale = calibration.getValue("scale"),
        calibrationBias = calibration.getValue("bias"),
        generatorsSeen = keys.take("generators_seen", lines) { it.texts() },
        sourcesSeen = keys.take("sources_seen", lines) { it.texts() },
        trainingSha256 = keys.take("training_sha256", "64 hexadecimal digits") { hash ->
            hash.line()?.takeIf { SHA256.matches(it) }
        },
        createdBy = keys.take("created_by", "an object of package names and versions") { all -> all.map { it.line() } },
        figures = keys.take("figures", "an object of finite numbers") { all -> all.map { it.finite() } },
        licences = keys.take("licences", lines) { it.texts() },
    )
}

private fun thresholds(): String =
    "one threshold in 0..1 for each of " + OperatingPoint.values().joinToString { it.key }

private fun Json.operatingPoints(): Map<OperatingPoint, Double>? {
    val byKey = map { it.probability() } ?: return null
    val points = OperatingPoint.values()
    return if (byKey.keys == points.map { it.key }.toSet()) points.associateWith { byKey.getValue(it.key) } else null
}

private fun Json.texts(): List<String>? = all { it.line() }

private fun <T : Any> Json.all(read: (Json) -> T?): List<T>? {
    val values = (this as? Json.Array)?.items?.map(read) ?: return null
    return values.filterNotNull().takeIf { it.size == values.size }
}

private fun <T : Any> Json.pair(read: (Json) -> T?): Pair<T, T>? =
    all(read)?.takeIf { it.size == 2 }?.let { it[0] to it[1] }

private fun <T : Any> Json.map(read: (Json) -> T?): Map<String, T>? {
    val members = (this as? Json.Object)?.members ?: return null
    val values = LinkedHashMap<String, T>()
    for ((key, value) in members) {
        if (!isLine(key)) return null
        values[key] = read(value) ?: return null
    }
    return values
}

private fun Json.line(): String? = (this as? Json.Text)?.value?.takeIf(::isLine)

/**
 * Whether a text is one line of characters that show, as Python's `str.isprintable`.
 *
 * One exception: characters that the running Unicode tables do not know are let through, because those of an older
 * Android are older than those of the Python that wrote the file.
 */
private fun isLine(text: String): Boolean {
    if (text.isEmpty() || text.codePointCount(0, text.length) > LONGEST) return false
    var index = 0
    while (index < text.length) {
        val point = text.codePointAt(index)
        if (point != ' '.code && Character.getType(point).toByte() in HIDDEN) return false
        index += Character.charCount(point)
    }
    return true
}

private val HIDDEN = setOf(
    Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE,
    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR,
)
