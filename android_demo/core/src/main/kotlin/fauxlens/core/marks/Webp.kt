package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.CUT_SHORT

/** The chunks of a WebP file (RFC 9649; "C2PA" by the C2PA specification, A.3.3). */
internal fun walkWebp(data: Bytes, parts: Parts) {
    var at = 12L
    repeat(MAX_PARTS) {
        if (at + 8 > data.size) {
            if (at < data.size) parts.fault(CUT_SHORT)
            return
        }
        val start = at.toInt()
        val length = data.u32(start + 4, little = true)
        if (at + 8 + length > data.size) return parts.fault(CUT_SHORT)
        val content = data.slice(start + 8, start + 8 + length.toInt())
        when (data.slice(start, start + 4).latin1()) {
            "EXIF" -> if (parts.exif == null) parts.exif = content.withoutPrefix(EXIF_HEADER)
            "XMP " -> parts.offerXmp(content)
            "C2PA" -> parts.offerManifest(content)
        }
        at += 8 + length + (length and 1)
    }
    parts.faultTooMany()
}
