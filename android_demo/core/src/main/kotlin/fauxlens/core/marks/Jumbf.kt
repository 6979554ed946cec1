package fauxlens.core.marks

/** The manifest store cannot be read: its boxes or their content end too soon, nest or count beyond the limits. */
internal class ManifestException(message: String) : Exception(message)

private const val MAX_DEPTH = 8
private const val MAX_BOXES = 5_000

/** A JUMBF superbox (ISO 19566-5): label, superboxes, other boxes by type, and what C2PA hashes of it. */
internal class Box(val label: String, val boxes: List<Box>, val contents: List<Pair<String, Bytes>>, val hashed: Bytes) {
    /** The first superbox of a label. */
    fun child(label: String): Box? = boxes.firstOrNull { it.label == label }

    /** The content of the first CBOR box. */
    val cbor: Bytes? get() = contents.firstOrNull { it.first == "cbor" }?.second
}

/** The superbox that `data` begins with. Throws ManifestException. */
internal fun readJumbf(data: Bytes): Box = JumbfReader(data).read()

private class JumbfReader(private val data: Bytes) {
    private var count = 0

    private class Header(val kind: String, val first: Int, val last: Int)

    fun read(): Box {
        val header = header(0, data.size)
        if (header.kind != "jumb") throw ManifestException("no superbox")
        return superbox(header.first, header.last, 0)
    }

    private fun header(at: Int, end: Int): Header {
        if (at + 8 > end) throw ManifestException("ends too soon")
        var length = data.u32(at)
        var size = 8
        if (length == 1L && at + 16 <= end) {
            length = data.number(at + 8, 8)
            size = 16
        } else if (length == 0L) {
            length = (end - at).toLong()
        }
        if (length < size || length > end - at) throw ManifestException("a length that does not fit")
        return Header(data.slice(at + 4, at + 8).latin1(), at + size, at + length.toInt())
    }

    private fun superbox(begin: Int, end: Int, depth: Int): Box {
        var label = ""
        val boxes = ArrayList<Box>()
        val contents = ArrayList<Pair<String, Bytes>>()
        var at = begin
        while (at < end) {
            count += 1
            if (depth > MAX_DEPTH || count > MAX_BOXES) throw ManifestException("nested too deep, or too many boxes")
            val header = header(at, end)
            val content = data.slice(header.first, header.last)
            when (header.kind) {
                "jumd" -> label = labelOf(content)
                "jumb" -> boxes += superbox(header.first, header.last, depth + 1)
                else -> contents += header.kind to content
            }
            at = header.last
        }
        return Box(label, boxes, contents, data.slice(begin, end))
    }
}

/** 16 bytes of type, toggles (0x02: a label follows), the label with its NUL. */
private fun labelOf(description: Bytes): String =
    if (description.size < 17 || description[16] and 2 == 0) "" else description.slice(17).partition().first.text()
