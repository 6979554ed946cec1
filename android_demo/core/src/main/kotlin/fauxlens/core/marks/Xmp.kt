package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.XMP_DAMAGED
import fauxlens.core.marks.MarkWording.XMP_REFUSED

private const val MAX_DEPTH = 64
private const val MAX_ELEMENTS = 50_000
private const val MAX_VALUE = 100_000
private const val IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
private const val RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"

// Namespace and local name -> name here.
private val WANTED = mapOf(
    "$IPTC DigitalSourceType" to "DigitalSourceType",
    "$IPTC AISystemUsed" to "AISystemUsed",
    "http://ns.adobe.com/xap/1.0/ CreatorTool" to "CreatorTool",
    "http://ns.adobe.com/photoshop/1.0/ Credit" to "Credit",
    "http://purl.org/dc/elements/1.1/ description" to "Description",
    "http://ns.adobe.com/exif/1.0/ UserComment" to "UserComment",
    "http://purl.org/dc/terms/ provenance" to "provenance",
    "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC" to "AIGC",
)
private val PADDING = setOf(0x00, 0x20, 0x0d, 0x0a, 0x09)
private val LATIN_1 = Regex("encoding=[\"']iso-8859-1[\"']", RegexOption.IGNORE_CASE)

/**
 * The first value of each wanted property of an XMP packet, as attribute, element or rdf:resource.
 *
 * Nothing is resolved: where a document type or an entity is declared, nothing is read. What is wrong goes to `parts`.
 */
internal fun readXmp(packet: Bytes, parts: Parts): Map<String, String> {
    val reader = XmpReader()
    try {
        val (text, whole) = decoded(packet)
        val end = text.indexOfFirst(::isForbidden)
        reader.read(if (end < 0) text else text.take(end))
        if (!whole || end >= 0) throw XmlDamaged()
    } catch (_: XmlRefused) {
        parts.fault(XMP_REFUSED)
        return emptyMap()
    } catch (_: XmlDamaged) {
        parts.fault(XMP_DAMAGED)
    }
    return reader.found
}

/** Characters that no XML has. */
private fun isForbidden(char: Char): Boolean = char < ' ' && char !in "\t\n\r" || char >= '\ufffe'

/**
 * The text as far as its bytes are one, and whether that is all. A packet may be padded by NUL bytes (JPEG writers) and stand
 * in UTF-16 (XMP, part 3).
 */
private fun decoded(packet: Bytes): Pair<String, Boolean> {
    val bytes = packet.trim { it in PADDING }
    val text = when {
        bytes.startsWith("\u00ff\u00fe") -> bytes.slice(2).text(Charsets.UTF_16LE)
        bytes.startsWith("\u00fe\u00ff") -> bytes.slice(2).text(Charsets.UTF_16BE)
        LATIN_1.containsMatchIn(bytes.slice(0, 100).latin1()) -> bytes.latin1()
        else -> bytes.utf8OrNull()?.removePrefix("\ufeff")
    }
    return if (text != null) text to true else bytes.text().removePrefix("\ufeff").substringBefore('\ufffd') to false
}

private class XmpReader {
    val found = LinkedHashMap<String, String>()
    private val open = ArrayList<Open>()
    private val value = StringBuilder()
    private var elements = 0

    /** An open element; `spaces` are the namespaces that it declares itself. */
    private class Open(val tag: String, val spaces: Map<String, String>) {
        var wanted: String? = null
    }

    fun read(text: String) {
        val scanner = XmlScanner(text)
        while (true) {
            val characters = scanner.characters()
            if (open.isEmpty()) {
                if (characters.isNotBlank()) throw XmlDamaged()
            } else {
                keep(resolved(characters))
            }
            if (scanner.atEnd) break
            val markup = scanner.markup()
            if (markup != null) {
                keep(markup)
                continue
            }
            val tag = scanner.tag()
            if (tag.closes) close(tag.name) else begin(tag)
            if (tag.empty) close(tag.name)
        }
        if (open.isNotEmpty() || elements == 0) throw XmlDamaged()
    }

    private fun keep(characters: String) {
        if (value.length < 2 * MAX_VALUE && open.any { it.wanted != null }) value.append(characters)
    }

    private fun begin(tag: Tag) {
        if (open.isEmpty() && elements > 0) throw XmlDamaged()
        elements += 1
        if (open.size >= MAX_DEPTH || elements > MAX_ELEMENTS) throw XmlRefused()
        val declared = tag.attributes.filter { (name, _) -> name == "xmlns" || name.startsWith("xmlns:") }
        open += Open(tag.name, declared.associate { (name, text) -> name.removePrefix("xmlns").removePrefix(":") to text })
        val wanted = WANTED[placeOf(tag.name, isElement = true)]
        for ((name, text) in tag.attributes) {
            if (name == "xmlns" || name.startsWith("xmlns:")) continue
            val place = placeOf(name, isElement = false)
            val property = WANTED[place] ?: wanted.takeIf { place == RESOURCE } ?: continue
            if (property !in found) found[property] = text.take(MAX_VALUE)
        }
        open.last().wanted = wanted
        if (wanted != null) value.setLength(0)
    }

    private fun close(tag: String) {
        val closed = open.removeLastOrNull()
        if (closed?.tag != tag) throw XmlDamaged()
        val wanted = closed.wanted ?: return
        val content = value.trim().take(MAX_VALUE).toString()
        if (content.isNotEmpty() && wanted !in found) found[wanted] = content
        value.setLength(0)
    }

    /** Namespace and local name, in the element that was opened last. */
    private fun placeOf(name: String, isElement: Boolean): String {
        val colon = name.indexOf(':')
        if (colon < 0) {
            val space = spaceOf("").orEmpty()
            return if (isElement && space.isNotEmpty()) "$space $name" else name
        }
        val space = spaceOf(name.take(colon))
        if (space == null && !name.startsWith("xml:")) throw XmlDamaged()
        return "$space ${name.drop(colon + 1)}"
    }

    // Looked up along the open elements, which are few: copies of all that is declared would take minutes.
    private fun spaceOf(prefix: String): String? {
        for (index in open.indices.reversed()) open[index].spaces[prefix]?.let { return it }
        return null
    }
}
