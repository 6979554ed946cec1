package fauxlens.app.picture

private const val EXIF = "Exif\u0000\u0000"
private const val XMP = "http://ns.adobe.com/xap/1.0/\u0000"
private const val ICC = "ICC_PROFILE\u0000"

private const val END_OF_IMAGE = 0xD9
private const val START_OF_SCAN = 0xDA
private const val PROGRESSIVE_FRAME = 0xC2
private const val APP1 = 0xE1
private const val APP2 = 0xE2

/** The structure of a JPEG (ITU-T T.81, annex B). Of a phone's multi-picture JPEG only the first picture counts. */
internal fun jpegFacts(bytes: ByteArray): FileFacts {
    val facts = JpegFacts(bytes)
    var scans = 0
    var parts = 0
    var at = 2
    while (true) {
        // libjpeg skips stray bytes before a marker, too.
        at = nextMarker(bytes, at)
        if (at < 0) return facts.made(complete = false)
        val marker = bytes.byte(at + 1)
        at += 2
        if (marker == END_OF_IMAGE) return facts.made(complete = scans > 0)
        if (++parts > MOST_PARTS || scans > MOST_SCANS || facts.profiles.size > MOST_PROFILES) {
            return facts.made(complete = false).copy(excessive = true)
        }
        if (marker == 0x01 || marker in 0xD0..0xD8) continue
        if (at + 2 > bytes.size) return facts.made(complete = false)
        val end = at + bytes.big16(at)
        if (bytes.big16(at) < 2 || end > bytes.size) return facts.made(complete = false)
        facts.add(marker, at + 2, end)
        if (marker == START_OF_SCAN) scans++
        at = end
    }
}

/** The offset of the next 0xFF that starts a marker, -1 at the end; a scan's data with its stuffed zeros is passed. */
private fun nextMarker(bytes: ByteArray, from: Int): Int {
    var at = from
    while (at + 1 < bytes.size) {
        if (bytes[at] == 0xFF.toByte()) {
            val next = bytes.byte(at + 1)
            if (next != 0x00 && next != 0xFF && next !in 0xD0..0xD7) return at
        }
        at++
    }
    return -1
}

/** What the segments say, gathered one by one. */
private class JpegFacts(private val bytes: ByteArray) {
    val profiles = ArrayList<Int>()
    private var plain = FileFacts(complete = false)

    fun made(complete: Boolean): FileFacts = plain.copy(complete = complete, profiles = profiles)

    fun add(marker: Int, start: Int, end: Int) {
        if (marker == APP1 && plain.exif == null && bytes.startsIn(start, end, EXIF)) {
            plain = plain.copy(exif = start + EXIF.length until end)
        } else if (marker == APP1 && plain.xmp == null && bytes.startsIn(start, end, XMP)) {
            plain = plain.copy(xmp = start + XMP.length until end)
        } else if (marker == APP2 && bytes.startsIn(start, end, ICC)) {
            // The description stands in the first part of a profile; later parts say nothing new.
            if (profiles.isEmpty()) plain = plain.copy(unusualColours = !saysSrgb(bytes, start until end))
            profiles += start
        } else if (isFrame(marker) && start + 6 <= end) {
            // A frame header: precision, height, width, number of components.
            plain = plain.copy(cmyk = bytes.byte(start + 5) == 4, progressive = marker == PROGRESSIVE_FRAME)
        }
    }
}

private fun ByteArray.startsIn(start: Int, end: Int, text: String): Boolean =
    start + text.length <= end && hasText(start, text)

/** SOF0 to SOF15 without DHT, JPG and DAC, which stand among them. */
private fun isFrame(marker: Int): Boolean = marker in 0xC0..0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC

/** Whether a profile calls itself sRGB, in ASCII (ICC version 2) or UTF-16 (version 4). */
internal fun saysSrgb(bytes: ByteArray, profile: IntRange): Boolean =
    bytes.containsText("sRGB", profile) || bytes.containsText("sRGB", profile, stride = 2)
