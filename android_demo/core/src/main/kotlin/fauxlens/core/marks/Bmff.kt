package fauxlens.core.marks

import fauxlens.core.marks.MarkWording.CUT_SHORT

// C2PA specification, A.5.1: the uuid of the box that holds a manifest store.
private const val C2PA_UUID =
    "\u00d8\u00fe\u00c3\u00d6\u001b\u000e\u0048\u003c\u0092\u0097\u0058\u0028\u0087\u007e\u00c4\u0081"
private const val MAX_ITEMS = 4_000
private const val MAX_EXTENTS = 16
private val AVIF_BRANDS = setOf("avif", "avis")
private val HEIF_BRANDS = setOf("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1")
private val PURPOSES = setOf("manifest", "original", "update")

/** "AVIF", "HEIF" or "" by the brands of the ftyp box (ISO 14496-12). */
internal fun bmffContainerOf(data: Bytes): String {
    if (!data.startsWith("ftyp", 4)) return ""
    val end = minOf(data.u32(0), data.size.toLong(), 256L).toInt()
    val brands = (listOf(8) + (16 until end step 4)).map { data.slice(it, it + 4).latin1() }
    return when {
        brands.any { it in AVIF_BRANDS } -> "AVIF"
        brands.any { it in HEIF_BRANDS } -> "HEIF"
        else -> ""
    }
}

/** The boxes at the top and those of the meta box; nothing is followed deeper. */
internal fun walkBmff(data: Bytes, parts: Parts) = boxes(data, 0, data.size, parts) { kind, begin, end ->
    if (kind == "uuid" && begin + 16 <= end && data.startsWith(C2PA_UUID, begin)) {
        manifestIn(data.slice(begin + 16, end), parts)
    } else if (kind == "meta") {
        MetaBox(data, parts).read(begin + 4, end)
    }
}

/** Version and flags, the purpose with its NUL, an offset of 8 bytes, then the manifest store. */
private fun manifestIn(box: Bytes, parts: Parts) {
    val named = box.slice(4)
    if (named.nul() < 0) return
    val (purpose, rest) = named.partition()
    if (purpose.latin1() in PURPOSES) parts.offerManifest(rest.slice(8))
}

/** Gives type, begin and end of the content of each box to `box`. */
private inline fun boxes(data: Bytes, from: Int, end: Int, parts: Parts, box: (String, Int, Int) -> Unit) {
    var at = from
    for (count in 0 until MAX_PARTS) {
        if (at + 8 > end) return
        var length = data.u32(at)
        val kind = data.slice(at + 4, at + 8).latin1()
        var header = 8
        if (length == 1L && at + 16 <= end) {
            length = data.number(at + 8, 8)
            header = 16
        } else if (length == 0L) {
            length = (end - at).toLong()
        }
        if (length < header || length > end - at) return parts.fault(CUT_SHORT)
        box(kind, at + header, at + length.toInt())
        at += length.toInt()
    }
    parts.faultTooMany()
}

/** Where an item is: in the file, or in the idat box; offsets and lengths. */
private class Place(val inIdat: Boolean, val extents: List<Pair<Long, Long>>)

private class MetaBox(private val data: Bytes, private val parts: Parts) {
    private var items: Map<Long, String> = emptyMap()
    private var places: Map<Long, Place> = emptyMap()
    private var idat = Bytes(ByteArray(0))

    fun read(from: Int, to: Int) {
        boxes(data, from, to, parts) { kind, begin, end ->
            try {
                when (kind) {
                    "iinf" -> items = itemsIn(begin, end)
                    "iloc" -> places = placesIn(data.slice(begin, end))
                    "idat" -> idat = data.slice(begin, end)
                }
            } catch (_: IndexOutOfBoundsException) {
                parts.fault(CUT_SHORT)
            }
        }
        for ((number, name) in items) {
            val place = places[number] ?: continue
            if (name == "Exif" && parts.exif == null) {
                val content = contentOf(place)
                // Four bytes say how far the TIFF header is away (ISO 23008-12, A.2.1).
                val skip = if (content.size >= 4) content.u32(0) else 0
                parts.exif = content.slice(4 + skip, content.size.toLong())
            } else if (name == "XMP" && parts.xmp == null) {
                parts.xmp = contentOf(place)
            }
        }
    }

    /** The extents of an item one after the other, at most MAX_XMP bytes. */
    private fun contentOf(place: Place): Bytes {
        val holder = if (place.inIdat) idat else data
        var left = MAX_XMP.toLong()
        val found = place.extents.map { (offset, length) ->
            val size = minOf(length, left)
            // Numbers of a file may be larger than any sum.
            val part = if (offset > holder.size) holder.slice(holder.size) else holder.slice(offset, offset + size)
            part.also { left -= it.size }
        }
        return joined(found)
    }

    /** The items "Exif" and "XMP" by their numbers (ISO 14496-12, 8.11.6). */
    private fun itemsIn(from: Int, to: Int): Map<Long, String> {
        val found = LinkedHashMap<Long, String>()
        boxes(data, from + (if (data[from] == 0) 6 else 8), to, parts) { kind, begin, end ->
            if (kind == "infe" && data[begin] >= 2) {
                val wide = data[begin] >= 3
                val number = if (wide) data.u32(begin + 4) else data.u16(begin + 4).toLong()
                val rest = data.slice(begin + (if (wide) 10 else 8), end)
                if (rest.startsWith("Exif")) {
                    found[number] = "Exif"
                } else if (rest.startsWith("mime") && "application/rdf+xml" in rest.slice(4, 200).latin1()) {
                    found[number] = "XMP"
                }
            }
        }
        return found
    }

    /** Where the items are (ISO 14496-12, 8.11.3). */
    private fun placesIn(box: Bytes): Map<Long, Place> {
        val version = box[0]
        val (offsetSize, lengthSize) = (box[4] shr 4) to (box[4] and 15)
        val (baseSize, indexSize) = (box[5] shr 4) to (box[5] and 15)
        var at = 6

        fun number(size: Int): Long = box.number(at, size).also { at += size }

        val found = LinkedHashMap<Long, Place>()
        val numberSize = if (version == 2) 4 else 2
        val count = number(numberSize)
        for (i in 0 until minOf(count, MAX_ITEMS.toLong())) {
            val item = number(numberSize)
            val indexed = version == 1 || version == 2
            val method = if (indexed) number(2).toInt() and 15 else 0
            number(2)
            val base = number(baseSize)
            val extents = List(minOf(number(2).toInt(), MAX_EXTENTS)) {
                if (indexed) number(indexSize)
                val offset = number(offsetSize)
                (if (base > Int.MAX_VALUE || offset > Int.MAX_VALUE) Long.MAX_VALUE else base + offset) to number(lengthSize)
            }
            found[item] = Place(inIdat = method == 1, extents)
        }
        return found
    }
}
