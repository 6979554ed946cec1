package fauxlens.app.picture

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.os.Build
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.core.Raster

/**
 * A decoded picture: pixels as stored, not turned upright yet.
 *
 * `fileWidth` and `fileHeight` are those in the file; `sample` of them became one pixel here along each side.
 */
class DecodedPicture(
    val stored: Raster,
    val orientation: Int,
    val format: PictureFormat,
    val fileWidth: Int,
    val fileHeight: Int,
    val sample: Int,
    val notes: List<Sentence>,
    private val bitmap: Bitmap? = null,
) {
    /** Whether turning it upright swaps its sides. */
    val lies: Boolean get() = orientation >= 5
    val uprightWidth: Int get() = if (lies) stored.height else stored.width
    val uprightHeight: Int get() = if (lies) stored.width else stored.height

    /** Gives the memory back at once, which the next picture may need. */
    fun release() {
        bitmap?.recycle()
    }
}

/** Decodes a picture file; throws Trouble. May change the bytes: what they say about colour profiles. */
fun interface PictureDecoder {
    fun decode(bytes: ByteArray): DecodedPicture
}

/** Decodes with Android's own decoders, to at most `mostPixels`. */
class PlatformDecoder(private val mostPixels: Long = pixelBudget()) : PictureDecoder {
    override fun decode(bytes: ByteArray): DecodedPicture {
        if (bytes.isEmpty()) throw Trouble(R.string.trouble_empty)
        val format = formatOf(bytes) ?: throw Trouble(R.string.trouble_not_a_picture)
        val facts = factsOf(format, bytes)
        if (facts.excessive) throw Trouble(R.string.trouble_parts, format.title)
        if (facts.frames > 1) throw Trouble(R.string.trouble_animated, format.title)
        if (!facts.complete) throw Trouble(R.string.trouble_cut_short, format.title)
        // Before the sides are asked for: they are told to the same decoder.
        hideProfiles(format, bytes, facts)
        val (width, height) = sidesOf(bytes, format)
        if (width.toLong() * height > mostPixelsOf(format, facts) || maxOf(width, height) > LONGEST_SIDE) {
            throw Trouble(R.string.trouble_pixels, width, height)
        }
        // Android decodes 16 bits a channel to twice as many bytes a pixel, whatever it is asked for.
        val budget = if (facts.sixteenBits) mostPixels / 2 else mostPixels
        if (facts.interlaced && width.toLong() * height > budget) {
            throw Trouble(R.string.trouble_interlaced, width, height)
        }
        val sample = sampleFor(width, height, budget)
        val bitmap = try {
            if (format.isHeif) decodeHeif(bytes, sample) else decodePlain(bytes, sample)
        } catch (error: OutOfMemoryError) {
            throw Trouble(Sentence.of(R.string.trouble_memory), error)
        } ?: throw Trouble(R.string.trouble_damaged, format.title)
        return picture(bytes, bitmap, format, facts, width, height, sample)
    }
}

private fun picture(
    bytes: ByteArray,
    bitmap: Bitmap,
    format: PictureFormat,
    facts: FileFacts,
    width: Int,
    height: Int,
    sample: Int,
): DecodedPicture {
    val straight = BitmapRaster(bitmap)
    val opacity = straight.opacity()
    // Screenshots and clipboards leave the fourth byte of a BMP empty, and viewers show the picture.
    val forgotten = opacity == Opacity.NOTHING_SHOWS && format == PictureFormat.BMP
    if (opacity == Opacity.NOTHING_SHOWS && !forgotten) throw Trouble(R.string.trouble_invisible)
    val raster = if (forgotten) BitmapRaster(bitmap, ignoresAlpha = true) else straight
    val notes = ArrayList<Sentence>()
    if (facts.unusualColours) notes += Sentence.of(R.string.note_profile)
    if (facts.sixteenBits) notes += Sentence.of(R.string.note_sixteen_bits)
    if (facts.cmyk) notes += Sentence.of(R.string.note_cmyk)
    if (opacity == Opacity.PARTLY) notes += Sentence.of(R.string.note_transparency)
    if (sample > 1) notes += Sentence.of(R.string.note_sampled, sample)
    // HEIF's decoder turns the picture itself.
    val orientation = if (format.isHeif) 1 else orientationOf(bytes, facts)
    return DecodedPicture(raster, orientation, format, width, height, sample, notes, bitmap)
}

private fun sidesOf(bytes: ByteArray, format: PictureFormat): Pair<Int, Int> {
    if (format == PictureFormat.HEIF && Build.VERSION.SDK_INT < Build.VERSION_CODES.P) {
        throw Trouble(R.string.trouble_heif)
    }
    if (format == PictureFormat.AVIF && Build.VERSION.SDK_INT < Build.VERSION_CODES.S) {
        throw Trouble(R.string.trouble_avif)
    }
    val (width, height) = boundsOf(bytes)
    if (width <= 0 || height <= 0) {
        // Its boxes are whole: what is missing is a decoder, which not every device has for these.
        throw Trouble(if (format.isHeif) R.string.trouble_no_decoder else R.string.trouble_damaged, format.title)
    }
    return width to height
}

/** Width and height by Android's decoder; not positive where it knows no such picture. */
internal fun boundsOf(bytes: ByteArray): Pair<Int, Int> {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options)
    return options.outWidth to options.outHeight
}

internal fun decodePlain(bytes: ByteArray, sample: Int): Bitmap? = BitmapFactory.decodeByteArray(
    bytes,
    0,
    bytes.size,
    BitmapFactory.Options().apply {
        inPreferredConfig = Bitmap.Config.ARGB_8888
        // Straight alpha, for the colours under it are rounded away in the other kind.
        inPremultiplied = false
        inScaled = false
        inSampleSize = sample
    },
)

// Pictures of more are not made by anything that takes photos (the largest have 200 megapixels).
private const val MOST_IN_FILE = 400_000_000L

// The limits of train/image/limits.py. WebP is decoded on canvases that its header asks for, however short the file is; of a
// progressive JPEG all coefficients are held, whatever size is asked for.
private const val MOST_IN_WEBP = 50_000_000L
private const val MOST_IN_PROGRESSIVE = 80_000_000L
private const val LONGEST_SIDE = 1_000_000

private fun mostPixelsOf(format: PictureFormat, facts: FileFacts): Long = when {
    format == PictureFormat.WEBP -> MOST_IN_WEBP
    facts.progressive -> MOST_IN_PROGRESSIVE
    else -> MOST_IN_FILE
}

// 24 binary megapixels: a 100-megapixel picture halved along each side still fits.
private const val MOST_DECODED = 24L shl 20
private const val BYTES_PER_PIXEL = 4

/** How many pixels may be decoded with the memory that Android grants. */
internal fun pixelBudget(
    maxMemory: Long = Runtime.getRuntime().maxMemory(),
    version: Int = Build.VERSION.SDK_INT,
): Long {
    // Since Android 8 pixels lie beside the app's own memory; before, all else shares it with them.
    val share = if (version >= Build.VERSION_CODES.O) 2 else 4
    return (maxMemory / share / BYTES_PER_PIXEL).coerceIn(1L shl 20, MOST_DECODED)
}

/** The power of two by which both sides must be divided for the picture to have at most `most` pixels. */
internal fun sampleFor(width: Int, height: Int, most: Long): Int {
    var sample = 1
    // Decoders round sides up or down; up is the safe guess.
    while (((width + sample - 1L) / sample) * ((height + sample - 1L) / sample) > most) sample *= 2
    return sample
}
