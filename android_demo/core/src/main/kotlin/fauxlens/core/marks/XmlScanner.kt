package fauxlens.core.marks

/** The text is not well-formed XML. */
internal class XmlDamaged : Exception()

/** The text has what no packet needs: a document type, entities, or more elements than any packet. */
internal class XmlRefused : Exception()

/** A tag `<name ...>`, `</name>` or `<name ... />`; attributes in their order, resolved. */
internal class Tag(val name: String, val attributes: List<Pair<String, String>>, val closes: Boolean, val empty: Boolean)

private val ENTITIES = mapOf("lt" to "<", "gt" to ">", "amp" to "&", "quot" to "\"", "apos" to "'")
private const val LONGEST_ENTITY = 12
private const val LAST_POINT = 0x10ffff

/** Goes through XML text from its beginning to its end; each character is looked at once. */
internal class XmlScanner(private val text: String) {
    private var at = 0
    val atEnd: Boolean get() = at >= text.length

    /** The characters before the next `<`. */
    fun characters(): String {
        val next = text.indexOf('<', at)
        val end = if (next < 0) text.length else next
        return text.substring(at, end).also { at = end }
    }

    /** Skips a comment, processing instruction or CDATA section and gives its characters; null where a tag begins. */
    fun markup(): String? {
        for ((start, stop) in listOf("<!--" to "-->", "<?" to "?>", "<![CDATA[" to "]]>")) {
            if (!text.startsWith(start, at)) continue
            val end = text.indexOf(stop, at + start.length)
            if (end < 0) throw XmlDamaged()
            val inside = if (start == "<![CDATA[") text.substring(at + start.length, end) else ""
            at = end + stop.length
            return inside
        }
        // A document type, in which alone entities are declared.
        if (text.startsWith("<!", at)) throw XmlRefused()
        return null
    }

    /** The tag that begins here. */
    fun tag(): Tag {
        take('<')
        val closes = peek() == '/'
        if (closes) at += 1
        val name = name()
        val attributes = ArrayList<Pair<String, String>>()
        while (true) {
            val spaced = skipBlanks()
            if (peek() == '>' || peek() == '/') break
            if (!spaced || closes) throw XmlDamaged()
            attributes += attribute()
        }
        if (attributes.distinctBy { it.first }.size < attributes.size) throw XmlDamaged()
        val empty = peek() == '/'
        if (empty) at += 1
        if (empty && closes) throw XmlDamaged()
        take('>')
        return Tag(name, attributes, closes, empty)
    }

    private fun attribute(): Pair<String, String> {
        val name = name()
        skipBlanks()
        take('=')
        skipBlanks()
        val quote = peek()
        if (quote != '"' && quote != '\'') throw XmlDamaged()
        val end = text.indexOf(quote, at + 1)
        if (end < 0) throw XmlDamaged()
        val value = text.substring(at + 1, end)
        if ('<' in value) throw XmlDamaged()
        at = end + 1
        return name to resolved(value).replace('\t', ' ').replace('\n', ' ').replace('\r', ' ')
    }

    /** A name of XML 1.0 with at most one colon (Namespaces in XML 1.0); beyond ASCII every character is taken. */
    private fun name(): String {
        val start = at
        namePart()
        if (peek() == ':') {
            at += 1
            namePart()
        }
        return text.substring(start, at)
    }

    private fun namePart() {
        if (!isLetter(peek())) throw XmlDamaged()
        while (isLetter(peek()) || peek() in "-.0123456789") at += 1
    }

    private fun isLetter(char: Char): Boolean = char in 'a'..'z' || char in 'A'..'Z' || char == '_' || char >= '\u0080'

    private fun skipBlanks(): Boolean {
        val start = at
        while (at < text.length && text[at] in " \t\n\r") at += 1
        return at > start
    }

    private fun peek(): Char = if (at < text.length) text[at] else '\u0000'

    private fun take(char: Char) {
        if (peek() != char) throw XmlDamaged()
        at += 1
    }
}

/** Text with the five entities of XML and its numeric characters put in; others are not known without a declaration. */
internal fun resolved(text: String): String {
    if ('&' !in text) return text
    val result = StringBuilder()
    var at = 0
    while (true) {
        val start = text.indexOf('&', at)
        if (start < 0) return result.append(text, at, text.length).toString()
        val end = text.indexOf(';', start)
        if (end < 0 || end - start > LONGEST_ENTITY) throw XmlDamaged()
        result.append(text, at, start)
        val name = text.substring(start + 1, end)
        val point = when {
            name.startsWith("#x") -> name.drop(2).toIntOrNull(16)
            name.startsWith("#") -> name.drop(1).toIntOrNull()
            else -> null
        }
        if (point != null && point in 1..LAST_POINT) {
            result.appendCodePoint(point)
        } else {
            result.append(ENTITIES[name] ?: throw XmlDamaged())
        }
        at = end + 1
    }
}
