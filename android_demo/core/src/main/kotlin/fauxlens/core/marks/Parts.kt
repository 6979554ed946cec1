package fauxlens.core.marks

import fauxlens.core.Message
import fauxlens.core.marks.MarkWording.LARGE_EXTENDED_XMP
import fauxlens.core.marks.MarkWording.LARGE_MANIFEST
import fauxlens.core.marks.MarkWording.LARGE_XMP
import fauxlens.core.marks.MarkWording.LONG_TEXT
import fauxlens.core.marks.MarkWording.MANY_TEXTS
import fauxlens.core.marks.MarkWording.TOO_MANY

/** What one file may cost; the numbers of train/image/marks/parts.py. */
internal const val MAX_PARTS = 20_000
internal const val MAX_TEXT = 1 shl 20
private const val MAX_TEXTS = 64
private const val MAX_ALL_TEXT = 8 shl 20
private const val MAX_MANIFEST = 16 shl 20
internal const val MAX_XMP = 4 shl 20

/** What a walk through a container found, in the order of the file. `container` is "JPEG", "PNG", ..., "" for others. */
internal class Parts(val container: String) {
    /** A TIFF structure, with its byte order mark first. */
    var exif: Bytes? = null
    var xmp: Bytes? = null

    /** What did not fit into the XMP packet. */
    var extendedXmp: Bytes? = null
    var iptc: Bytes? = null

    /** A C2PA manifest store (JUMBF). */
    var manifest: Bytes? = null

    /** Keys and texts. */
    val texts = ArrayList<Pair<String, String>>()

    /** What does not hold together, each once. */
    val faults = LinkedHashSet<Message>()
    private var allText = 0

    fun fault(wording: MarkWording, vararg arguments: Any) {
        faults += Message(wording, arguments.toList())
    }

    fun faultTooMany() = fault(TOO_MANY, MAX_PARTS)

    /** Keeps a text; the longest are cut, and of very many the first are kept. */
    fun text(key: String, text: String) {
        val characters = text.codePointCount(0, text.length)
        if (characters > MAX_TEXT) fault(LONG_TEXT, MAX_TEXT)
        if (hasRoom()) {
            texts += key to text.take(text.offsetOf(MAX_TEXT))
            allText += characters
        }
    }

    /** Whether another text is read. */
    fun hasRoom(): Boolean {
        if (texts.size < MAX_TEXTS && allText < MAX_ALL_TEXT) return true
        fault(MANY_TEXTS, MAX_TEXTS)
        return false
    }

    /** Takes the first manifest of a file, unless it is too large. */
    fun offerManifest(store: Bytes) {
        if (manifest == null && !isTooLarge(store, MAX_MANIFEST, LARGE_MANIFEST)) manifest = store
    }

    /** Takes the first XMP packet of a file, unless it is too large. */
    fun offerXmp(packet: Bytes) {
        if (xmp == null && !isTooLarge(packet, MAX_XMP, LARGE_XMP)) xmp = packet
    }

    /** Takes what overflowed the XMP packet, unless it is too large; returns whether it is taken. */
    fun offerExtendedXmp(packet: Bytes): Boolean {
        val taken = !isTooLarge(packet, MAX_XMP, LARGE_EXTENDED_XMP)
        if (taken) extendedXmp = packet
        return taken
    }

    private fun isTooLarge(part: Bytes, limit: Int, wording: MarkWording): Boolean {
        if (part.size > limit) fault(wording, part.size, limit)
        return part.size > limit
    }
}
