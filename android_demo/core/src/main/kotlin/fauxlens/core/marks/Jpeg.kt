package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.CUT_SHORT

internal const val EXIF_HEADER = "Exif\u0000\u0000"
private const val XMP_HEADER = "http://ns.adobe.com/xap/1.0/\u0000"
private const val EXTENDED_XMP = "http://ns.adobe.com/xmp/extension/\u0000"

// The digest that the packet names, the length of the whole, and where a piece belongs (XMP, part 3).
private const val DIGEST = 32
private const val PIECE_HEADER = DIGEST + 8

// A packet names one extension; what overflowed of older packets may still be there.
private const val MAX_EXTENSIONS = 16
private const val PHOTOSHOP = "Photoshop 3.0\u0000"
private const val IPTC_RESOURCE = 0x0404

/** The segments before the first scan (ITU T.81, B.1; none of the marks stands behind it). */
internal fun walkJpeg(data: Bytes, parts: Parts) {
    val found = Segments()
    walkSegments(data, parts, found)
    found.boxes.values.forEach { packets -> storeOf(packets)?.let(parts::offerManifest) }
    found.extended.entries.firstOrNull { (digest, pieces) ->
        val isNamed = parts.xmp?.let { digest in it.latin1() } ?: false
        isNamed && parts.offerExtendedXmp(joined(pieces.sortedBy { it.first }.map { it.second }))
    }
    parts.iptc = iptcOf(joined(found.photoshop))
}

/** What stands in several segments. */
private class Segments {
    val boxes = LinkedHashMap<Int, MutableList<Pair<Long, Bytes>>>()
    val extended = LinkedHashMap<String, MutableList<Pair<Long, Bytes>>>()
    val photoshop = ArrayList<Bytes>()

    fun addExtended(piece: Bytes) {
        val digest = piece.slice(0, DIGEST).latin1()
        if (digest !in extended && extended.size >= MAX_EXTENSIONS) return
        extended.getOrPut(digest) { ArrayList() } += piece.u32(DIGEST + 4) to piece.slice(PIECE_HEADER)
    }
}

private fun walkSegments(data: Bytes, parts: Parts, found: Segments) {
    var at = 2
    var count = 0
    while (true) {
        while (at + 1 < data.size && data[at] == 0xff && data[at + 1] == 0xff) at += 1
        if (at + 4 > data.size || data[at] != 0xff) return parts.fault(CUT_SHORT)
        val marker = data[at + 1]
        if (marker == 0xda || marker == 0xd9) return
        if (marker == 0x01 || marker in 0xd0..0xd8) {
            at += 2
            continue
        }
        val length = data.u16(at + 2)
        if (length < 2 || at + 2 + length > data.size) return parts.fault(CUT_SHORT)
        count += 1
        if (count > MAX_PARTS) return parts.faultTooMany()
        val content = data.slice(at + 4, at + 2 + length)
        when {
            marker == 0xe1 && content.startsWith(EXIF_HEADER) && parts.exif == null ->
                parts.exif = content.slice(EXIF_HEADER.length)
            marker == 0xe1 && content.startsWith(XMP_HEADER) && parts.xmp == null ->
                parts.xmp = content.slice(XMP_HEADER.length)
            marker == 0xe1 && content.startsWith(EXTENDED_XMP) && content.size > EXTENDED_XMP.length + PIECE_HEADER ->
                found.addExtended(content.slice(EXTENDED_XMP.length))
            marker == 0xeb && content.startsWith("JP") && content.size >= 16 ->
                found.boxes.getOrPut(content.u16(2)) { ArrayList() } += content.u32(4) to content.slice(8)
            marker == 0xed && content.startsWith(PHOTOSHOP) -> found.photoshop += content.slice(PHOTOSHOP.length)
            marker == 0xfe -> parts.text("comment", content.text())
        }
        at += 2 + length
    }
}

/** A JUMBF superbox out of its packets (ISO 19566-5, annex D); null where it is no C2PA manifest store. */
private fun storeOf(packets: List<Pair<Long, Bytes>>): Bytes? {
    val sorted = packets.sortedBy { it.first }.map { it.second }
    // Every packet repeats the box's header: its length and type, and the long length where there is one.
    val header = if (sorted[0].startsWith("\u0000\u0000\u0000\u0001")) 16 else 8
    val box = joined(sorted.mapIndexed { index, packet -> if (index == 0) packet else packet.slice(header) })
    return box.takeIf { "c2pa" in it.slice(0, 128).latin1() }
}

/** The IPTC record among Photoshop's image resources. */
private fun iptcOf(resources: Bytes): Bytes? {
    var at = 0L
    repeat(MAX_PARTS) {
        if (at + 12 > resources.size || !resources.startsWith("8BIM", at.toInt())) return null
        val number = resources.u16(at.toInt() + 4)
        at += 6 + (resources[at.toInt() + 6] + 2) / 2 * 2
        if (at + 4 > resources.size) return null
        val length = resources.u32(at.toInt())
        if (number == IPTC_RESOURCE) return resources.slice(at + 4, at + 4 + minOf(length, MAX_XMP.toLong()))
        at += 4 + (length + 1) / 2 * 2
    }
    return null
}
