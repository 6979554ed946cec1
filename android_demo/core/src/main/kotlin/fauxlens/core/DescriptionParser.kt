package fauxlens.core

private const val NEWEST = 2
private const val LONGEST = 10_000
internal val VARIANTS = listOf("qat-int8", "ptq-int8", "dynamic", "float16", "float32")
private val SHA256 = Regex("[0-9a-f]{64}")
private val KEYS = setOf(
    "calibration", "created_by", "figures", "format", "front_end", "heatmap", "labels", "licences", "name",
    "operating_points", "size", "training_sha256", "unclear_faces", "variant", "view",
)

/** The keys that only one format has. */
private val KEYS_OF = mapOf(
    1 to setOf("generators_seen", "sources_seen", "unsure"),
    2 to setOf("face_finder", "seen"),
)

internal fun parseDescription(json: String, name: String): Description {
    val file = "$name: fauxlens.json"
    val plain = try {
        parseJson(json)
    } catch (error: NotJson) {
        throw Refused(Message(Refusal.NOT_JSON, file, error.message.orEmpty()), error)
    }
    if (plain !is Json.Object) throw Refused(Refusal.NO_OBJECT, file)
    val format = checkFormat(plain.members["format"], file)
    val keys = plain.members.keys
    val known = (KEYS + KEYS_OF.getValue(format)).toSortedSet()
    (known - keys).firstOrNull()?.let { throw Refused(Refusal.KEY_MISSING, file, it) }
    (keys - known).minOrNull()?.let { throw Refused(Refusal.KEY_UNKNOWN, file, it) }
    return read(Keys(plain.members, file), format)
}

/** The format; the newest where there is none that could be read, for then its keys are asked for. */
private fun checkFormat(number: Json?, file: String): Int {
    val format = number?.wholeIn(1, 1 shl 30) ?: return NEWEST
    if (format > NEWEST) {
        throw Refused(Refusal.NEWER_FILE, file, format)
    }
    return format
}

private class Keys(private val members: Map<String, Json>, private val file: String) {

    /** The value of a key, read by `read`; Refused with what it must be where it gives null. */
    fun <T : Any> take(key: String, wanted: Message, read: (Json) -> T?): T =
        read(members.getValue(key)) ?: throw Refused(Refusal.KEY_VALUE, file, key, wanted)
}

private fun read(keys: Keys, format: Int): Description {
    keys.take("format", Message(Refusal.VALUE_WHOLE, 1, NEWEST)) { it.wholeIn(1, NEWEST) }
    keys.take("labels", Message(Refusal.VALUE_LABELS)) { labels -> labels.texts()?.takeIf { it == LABELS } }
    val line = Message(Refusal.VALUE_LINE)
    val lines = Message(Refusal.VALUE_LINES)
    val heatmap = keys.take("heatmap", Message(Refusal.VALUE_HEATMAP)) { it.pair { n -> n.wholeIn(1, 4096) } }
    val calibration = keys.take("calibration", Message(Refusal.VALUE_CALIBRATION)) { note ->
        note.map { it.finite() }?.takeIf { it.keys == setOf("scale", "bias") }
    }
    return Description(
        name = keys.take("name", line) { it.line() },
        variant = keys.take("variant", oneOf(VARIANTS)) { value ->
            value.line()?.takeIf { it in VARIANTS }
        },
        view = keys.take("view", line) { it.line() },
        unclearFaces = keys.take("unclear_faces", oneOf(UnclearFaces.values().map { it.key })) { value ->
            UnclearFaces.values().find { it.key == value.line() }
        },
        frontEnd = keys.take("front_end", line) { it.line() },
        size = keys.take("size", Message(Refusal.VALUE_PIXELS, 8, 4096)) { it.wholeIn(8, 4096) },
        heatmapRows = heatmap.first,
        heatmapColumns = heatmap.second,
        operatingPoints = if (format == 1) decisionsOfFormat1(keys) else {
            keys.take("operating_points", Message(Refusal.VALUE_POINTS, POINTS)) { all ->
                all.points { it.decision() }
            }
        },
        calibrationScale = calibration.getValue("scale"),
        calibrationBias = calibration.getValue("bias"),
        seen = if (format == 1) seenOfFormat1(keys, lines) else {
            keys.take("seen", Message(Refusal.VALUE_SEEN)) { all ->
                all.all { one -> one.pair { it.line() } }
            }
        },
        trainingSha256 = keys.take("training_sha256", Message(Refusal.VALUE_HASH)) { hash ->
            hash.line()?.takeIf { SHA256.matches(it) }
        },
        createdBy = keys.take("created_by", Message(Refusal.VALUE_VERSIONS)) { all -> all.map { it.line() } },
        figures = keys.take("figures", Message(Refusal.VALUE_NUMBERS)) { all -> all.map { it.finite() } },
        licences = keys.take("licences", lines) { it.texts() },
        faceFinder = if (format == 1) null else {
            // An empty one stands for null, which take takes for a wrong value.
            keys.take("face_finder", Message(Refusal.VALUE_FINDER)) { finder ->
                if (finder == Json.Null) emptyMap() else finder.map { it.line() }?.takeIf { "name" in it }
            }.takeIf { it.isNotEmpty() }
        },
    )
}

private fun oneOf(keys: List<String>) = Message(Refusal.VALUE_ONE_OF, keys.joinToString())

private val POINTS = OperatingPoint.values().joinToString { it.key }

private fun decisionsOfFormat1(keys: Keys): Map<OperatingPoint, Decision> {
    val (low, high) = keys.take("unsure", Message(Refusal.VALUE_BAND)) { band ->
        band.pair { it.probability() }?.takeIf { it.first <= it.second }
    }
    val thresholds = keys.take("operating_points", Message(Refusal.VALUE_THRESHOLDS, POINTS)) { all ->
        all.points { it.probability() }
    }
    return thresholds.mapValues { (point, threshold) -> decisionOfFormat1(point, threshold, low, high) }
}

/** Format 1 had two lists, which say less: any of the one may have come with any of the other. */
private fun seenOfFormat1(keys: Keys, lines: Message): List<Pair<String, String>> {
    val generators = keys.take("generators_seen", lines) { it.texts() }
    val sources = keys.take("sources_seen", lines) { it.texts() }
    return generators.flatMap { generator -> sources.map { generator to it } }
}

private fun Json.decision(): Decision? {
    val numbers = map { it.probability() }?.takeIf { it.keys == setOf("fake_from", "unsure_from") } ?: return null
    return Decision(numbers.getValue("fake_from"), numbers.getValue("unsure_from")).takeIf { it.unsureFrom <= it.fakeFrom }
}

private fun <T : Any> Json.points(read: (Json) -> T?): Map<OperatingPoint, T>? {
    val byKey = map(read) ?: return null
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
