package fauxlens.app.picture

/** The kinds of picture files that the app reads; `title` is what people call them. */
enum class PictureFormat(val title: String) {
    JPEG("JPEG"),
    PNG("PNG"),
    WEBP("WebP"),
    GIF("GIF"),
    BMP("BMP"),
    HEIF("HEIF"),
}

/**
 * What the structure of a picture file says, without decoding it.
 *
 * `complete` is false where the file ends early or a checksum is wrong: Android's decoders then give a picture that is
 * grey from there on, and no error. `frames` is more than 1 for an animation. `exif` and `xmp` are where those lie.
 * `profiles` are the offsets of what says how colours are meant; `unusualColours` is true unless that is plain sRGB.
 */
data class FileFacts(
    val complete: Boolean,
    val frames: Int = 1,
    val exif: IntRange? = null,
    val xmp: IntRange? = null,
    val profiles: List<Int> = emptyList(),
    val unusualColours: Boolean = false,
    val sixteenBits: Boolean = false,
    val cmyk: Boolean = false,
)

/** The format that a file's first bytes announce, or null. Its name and MIME type are not asked: both may be wrong. */
fun formatOf(bytes: ByteArray): PictureFormat? = when {
    bytes.has(0, 0xFF, 0xD8, 0xFF) -> PictureFormat.JPEG
    bytes.has(0, 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A) -> PictureFormat.PNG
    bytes.hasText(0, "RIFF") && bytes.hasText(8, "WEBP") -> PictureFormat.WEBP
    bytes.hasText(0, "GIF87a") || bytes.hasText(0, "GIF89a") -> PictureFormat.GIF
    bytes.hasText(0, "BM") && bytes.size >= 26 -> PictureFormat.BMP
    isHeif(bytes) -> PictureFormat.HEIF
    else -> null
}

/** Reads the structure of a whole file; damage is told in the result, never thrown. */
fun factsOf(format: PictureFormat, bytes: ByteArray): FileFacts = when (format) {
    PictureFormat.JPEG -> jpegFacts(bytes)
    PictureFormat.PNG -> pngFacts(bytes)
    PictureFormat.WEBP -> webpFacts(bytes)
    PictureFormat.GIF -> gifFacts(bytes)
    PictureFormat.BMP -> bmpFacts(bytes)
    PictureFormat.HEIF -> heifFacts(bytes)
}

internal fun ByteArray.has(at: Int, vararg values: Int): Boolean =
    at >= 0 && at + values.size <= size && values.indices.all { byte(at + it) == values[it] }

internal fun ByteArray.hasText(at: Int, text: String): Boolean =
    at >= 0 && at + text.length <= size && text.indices.all { byte(at + it) == text[it].code }

/** Whether ASCII text stands somewhere between two offsets; `stride` 2 finds it in UTF-16. */
internal fun ByteArray.containsText(text: String, range: IntRange, stride: Int = 1): Boolean =
    (range.first..range.last - (text.length - 1) * stride).any { start ->
        text.indices.all { byte(start + it * stride) == text[it].code }
    }

internal fun ByteArray.byte(at: Int): Int = this[at].toInt() and 0xFF

internal fun ByteArray.big16(at: Int): Int = (byte(at) shl 8) or byte(at + 1)

internal fun ByteArray.little16(at: Int): Int = (byte(at + 1) shl 8) or byte(at)

/** Unsigned 32 bits as a Long, so that a damaged length cannot turn negative. */
internal fun ByteArray.big32(at: Int): Long = (big16(at).toLong() shl 16) or big16(at + 2).toLong()

internal fun ByteArray.little32(at: Int): Long = (little16(at + 2).toLong() shl 16) or little16(at).toLong()
