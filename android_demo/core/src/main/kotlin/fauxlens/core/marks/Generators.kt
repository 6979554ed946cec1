package fauxlens.core.marks

import fauxlens.core.Message

/** A text of a file: the key it is stored under, the text, and the place to name ('PNG text "parameters"'). */
internal class MarkText(val key: String, val text: String, val place: String)

private class Named(
    val tool: String,
    val model: String = "",
    val says: Says = Says.AI,
    val strength: Strength = Strength.MEDIUM,
)

// Every language has other ideas of \b, \d and \s; none of these.
private const val BEFORE = "(?<![A-Za-z0-9_])"
private const val SPACES = "[ \\t\\n\\r]*"

// "Steps: 20, Sampler: Euler a, CFG scale: 7, ..., Model: sd_xl_base_1.0, Version: v1.9.4".
private val INFOTEXT = Regex("${BEFORE}Steps: [0-9]+, (?:[^\\n]{0,200}, )?Sampler: ")
private val INFOTEXT_MODEL = Regex("${BEFORE}Model: ([^,\\n]{1,120})")
private val INFOTEXT_VERSION = Regex("${BEFORE}Version: ([^,\\n]{1,40})")

// "portrait of a fisherman --ar 3:2 --v 6.1 Job ID: 0c9bd0d6-...".
private val MIDJOURNEY = Regex("${BEFORE}Job ID: [0-9a-f]{8}-[0-9a-f]{4}-")
private val JSON_MODEL = Regex("\"(?:base_model|model_name|model)\"$SPACES:$SPACES\"([^\"\\\\]{1,120})\"")
private val JSON_MODEL_NAME = Regex("\"model\"$SPACES:$SPACES\\{[^{}]{0,400}?\"name\"$SPACES:$SPACES\"([^\"\\\\]{1,120})\"")

// GB 45438-2025, annex E: "Label" 1 made by AI, 2 possibly, 3 suspected.
private val AIGC_LABEL = Regex("\"?Label\"?$SPACES:$SPACES\"?([123])")
private val AIGC_PRODUCER = Regex("\"?ContentProducer\"?$SPACES:$SPACES\"([^\"\\\\]{1,80})\"")
private val FORGE = Regex("f[0-9].*")
private val WEIGHTS = listOf(".safetensors", ".ckpt", ".gguf", ".sft")

// A name stands near the beginning of the longest workflow; looking no further bounds the time.
private const val LOOKED_AT = 1 shl 17
private const val NAME_LOOKED_AT = 1_000
private const val AIGC_LOOKED_AT = 200
private const val LONGEST_NAME = 120
private const val AIGC = "AIGC"

/** One row for each tool that the texts name as their maker; the first place that names a tool is the source. */
internal fun generatorRows(texts: List<MarkText>): List<Row> {
    val tools = HashSet<String>()
    return texts.mapNotNull { text ->
        val found = settings(text) ?: named(text)
        if (found == null || !tools.add(found.tool)) return@mapNotNull null
        Row(Kind.METADATA, found.strength, found.says, sentence(text, found), text.place)
    }
}

private fun sentence(text: MarkText, found: Named): Message = when {
    found.tool == AIGC && found.model.isEmpty() -> Message(MarkWording.AIGC, text.place)
    found.tool == AIGC -> Message(MarkWording.AIGC_PRODUCER, text.place, found.model)
    found.says == Says.EDITED -> Message(MarkWording.EDITOR, text.place, found.tool)
    found.model.isEmpty() -> Message(MarkWording.GENERATOR, text.place, found.tool)
    else -> Message(MarkWording.GENERATOR_MODEL, text.place, found.tool, found.model)
}

/** The generator whose format the text has. */
private fun settings(text: MarkText): Named? {
    val key = text.key.lowercase()
    val value = text.text.take(LOOKED_AT)
    val tables = Tables.shared
    return when {
        key == "aigc" || "\"AIGC\"" in value.take(AIGC_LOOKED_AT) -> {
            val certain = AIGC_LABEL.find(value)?.groupValues?.get(1) == "1"
            Named(AIGC, first(AIGC_PRODUCER, value), strength = if (certain) Strength.MEDIUM else Strength.WEAK)
        }
        INFOTEXT.containsMatchIn(value) -> Named(webui(first(INFOTEXT_VERSION, value)), first(INFOTEXT_MODEL, value))
        key in tables.textKeys -> Named(tables.textKeys.getValue(key), jsonModel(value))
        "\"sui_image_params\"" in value -> Named("SwarmUI", jsonModel(value))
        isWorkflow(key, value) -> Named("ComfyUI", weights(value))
        key == "parameters" && "\"base_model\"" in value -> Named("Fooocus", jsonModel(value))
        MIDJOURNEY.containsMatchIn(value) -> Named("Midjourney")
        else -> null
    }
}

/** Of a very long workflow only the beginning is there. */
private fun isWorkflow(key: String, value: String): Boolean =
    "\"class_type\"" in value || "\"last_node_id\"" in value || key == "workflow" && "\"nodes\"" in value

/** The tool that a field for names holds. */
private fun named(text: MarkText): Named? {
    val tables = Tables.shared
    if (text.key.lowercase() !in tables.nameFields) return null
    val value = text.text.take(NAME_LOOKED_AT).lowercase()
    tables.aiNames.firstOrNull { it.first in value }?.let { return Named(it.second) }
    val editor = tables.editNames.firstOrNull { it.first in value } ?: return null
    return Named(editor.second, says = Says.EDITED, strength = Strength.WEAK)
}

private fun webui(version: String): String = when {
    version.startsWith("Fooocus") -> "Fooocus"
    version == "ComfyUI" -> version
    FORGE.matches(version) -> "Stable Diffusion WebUI Forge"
    else -> "Stable Diffusion WebUI"
}

private fun first(pattern: Regex, value: String): String = pattern.find(value)?.let { shown(it.groupValues[1]) }.orEmpty()

private fun jsonModel(value: String): String =
    weights(value).ifEmpty { first(JSON_MODEL, value).ifEmpty { first(JSON_MODEL_NAME, value) } }

/** The first file of weights that a JSON text names, without its folder and ending. */
private fun weights(value: String): String {
    val found = WEIGHTS.map { value.indexOf("$it\"") }.filter { it >= 0 }.minOrNull() ?: return ""
    val before = value.substring(maxOf(0, found - LONGEST_NAME), found)
    return shown(before.substring(before.lastIndexOfAny(charArrayOf('"', '\\', '/')) + 1))
}
