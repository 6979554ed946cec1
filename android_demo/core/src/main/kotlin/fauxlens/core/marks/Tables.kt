package fauxlens.core.marks

import fauxlens.core.Json
import fauxlens.core.Message
import fauxlens.core.parseJson

/** The names that readers look for, from train/image/marks/tables.json, which the build puts beside the classes. */
internal class Tables private constructor(json: Json.Object) {
    private val types: Map<String, Pair<Says, MarkWording>> = texts(json, "digital_source_types") { (says, words) ->
        Says.valueOf(says.uppercase()) to (WORDS[words] ?: error("no wording for \"$words\""))
    }

    /** Actions of C2PA that change a picture. */
    val changingActions: Set<String> = (json.members.getValue("changing_actions") as Json.Array).items.map(::text).toSet()

    /** Keys of texts that one tool alone writes, and the tool. */
    val textKeys: Map<String, String> =
        (json.members.getValue("text_keys") as Json.Object).members.mapValues { text(it.value) }

    /** Keys, in small letters, of fields meant for a name. */
    val nameFields: Set<String> = (json.members.getValue("name_fields") as Json.Array).items.map(::text).toSet()

    /** Parts of names, in small letters, and the generator or editor. */
    val aiNames: List<Pair<String, String>> = pairs(json, "ai_names")
    val editNames: List<Pair<String, String>> = pairs(json, "edit_names")

    /** What a digital source type says, in which words, and its short name; an unknown one says nothing. */
    fun sourceType(address: String): SourceType {
        val name = address.trimEnd('/').replace('#', '/').substringAfterLast('/')
        val (says, wording) = types[name] ?: (Says.NOTHING to MarkWording.UNKNOWN_WAY)
        return SourceType(says, Message(wording), name)
    }

    companion object {
        private val WORDS = MarkWording.values().associateBy { it.english }

        /** Read once. */
        val shared: Tables by lazy {
            val stream = Tables::class.java.classLoader?.getResourceAsStream("fauxlens/marks/tables.json")
            val bytes = checkNotNull(stream) { "The tables of marks are not beside the classes." }.use { it.readBytes() }
            Tables(parseJson(String(bytes, Charsets.UTF_8)) as Json.Object)
        }

        private fun text(json: Json): String = (json as Json.Text).value

        private fun pairs(json: Json.Object, key: String): List<Pair<String, String>> =
            (json.members.getValue(key) as Json.Array).items.map { pair ->
                val (part, name) = (pair as Json.Array).items.map(::text)
                part to name
            }

        private fun <T> texts(json: Json.Object, key: String, read: (List<String>) -> T): Map<String, T> =
            (json.members.getValue(key) as Json.Object).members.mapValues { (_, value) ->
                read((value as Json.Array).items.map(::text))
            }
    }
}

/** A digital source type: what it says, in which words, and its short name. */
internal class SourceType(val says: Says, val words: Message, val name: String)
