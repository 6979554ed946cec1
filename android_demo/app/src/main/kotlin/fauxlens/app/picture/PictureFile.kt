package fauxlens.app.picture

/** The kinds of picture files that the app reads; `title` is what people call them. */
enum class PictureFormat(val title: String) {
    JPEG("JPEG"),
    PNG("PNG"),
    WEBP("WebP"),
    GIF("GIF"),
    BMP("BMP"),
    HEIF("HEIF"),
    AVIF("AVIF"),
    ;

    /** Whether ImageDecoder reads it, which turns it upright itself. */
    val isHeif: Boolean get() = this == HEIF || this == AVIF
}

/**
 * The most parts (chunks, segments, frames) of a file that are looked at. 64 MB in chunks of 4 KB, the smallest that
 * writers use, are a quarter of it; a file of more is made to cost time.
 */
internal const val MOST_PARTS = 1 shl 16

/** The most scans of a JPEG: progressive ones have about ten, and each costs as much time as the whole picture. */
internal const val MOST_SCANS = 100

/** The most statements about colours in one file: a JPEG's profile comes in up to 255 pieces. */
internal const val MOST_PROFILES = 512

/**
 * What the structure of a picture file says, without decoding it.
 *
 * `complete` is false where the file ends early or a checksum is wrong: Android's decoders then give a picture that is
 * grey from there on, and no error. `frames` is more than 1 for an animation. `exif` and `xmp` are where those lie.
 * `profiles` are the offsets of what says how colours are meant; `unusualColours` is true unless that is plain sRGB.
 * `interlaced` and, of a JPEG, `progressive`: decoders hold the whole picture at once, whatever size they are asked for. `excessive`: made of more
 * parts than any camera or editor writes; then the rest was not looked at.
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
    val interlaced: Boolean = false,
    val progressive: Boolean = false,
    val excessive: Boolean = false,
)

/** The format that a file's first bytes announce, or null. Its name and MIME type are not asked: both may be wrong. */
fun formatOf(bytes: ByteArray): PictureFormat? = when {
    bytes.has(0, 0xFF, 0xD8, 0xFF) -> PictureFormat.JPEG
    bytes.has(0, 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A) -> PictureFormat.PNG
    bytes.hasText(0, "RIFF") && bytes.hasText(8, "WEBP") -> PictureFormat.WEBP
    bytes.hasText(0, "GIF87a") || bytes.hasText(0, "GIF89a") -> PictureFormat.GIF
    bytes.hasText(0, "BM") && bytes.size >= 26 -> PictureFormat.BMP
    isHeif(bytes) -> if (isAvif(bytes)) PictureFormat.AVIF else PictureFormat.HEIF
    else -> null
}

/** Reads the structure of a whole file; damage is told in the result, never thrown. */
fun factsOf(format: PictureFormat, bytes: ByteArray): FileFacts = when (format) {
    PictureFormat.JPEG -> jpegFacts(bytes)
    PictureFormat.PNG -> pngFacts(bytes)
    PictureFormat.WEBP -> webpFacts(bytes)
    PictureFormat.GIF -> gifFacts(bytes)
    PictureFormat.BMP -> bmpFacts(bytes)
    PictureFormat.HEIF, PictureFormat.AVIF -> heifFacts(bytes)
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
