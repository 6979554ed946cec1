package fauxlens.app.picture

import java.nio.ByteBuffer

/**
 * Hides from Android's decoder what a file says about the meaning of its colours, in place.
 *
 * Training reads pixels as they are stored and applies no profile (train/image/decode.py). Android converts, and how
 * depends on its version; a file without a profile it leaves as it is on all of them.
 */
fun hideProfiles(format: PictureFormat, bytes: ByteArray, facts: FileFacts) {
    for (at in facts.profiles) {
        when (format) {
            // A segment of another name, which every decoder passes over.
            PictureFormat.JPEG -> bytes[at] = 'X'.code.toByte()
            PictureFormat.PNG -> renamePngChunk(bytes, at)
            PictureFormat.WEBP -> "xicp".toByteArray(Charsets.US_ASCII).copyInto(bytes, at)
            PictureFormat.GIF, PictureFormat.BMP, PictureFormat.HEIF, PictureFormat.AVIF -> Unit
        }
    }
    // WebP announces the profile in the flags of its extended header, too.
    if (format == PictureFormat.WEBP && facts.profiles.isNotEmpty() && bytes.hasText(12, "VP8X")) {
        bytes[20] = (bytes.byte(20) and 0x20.inv()).toByte()
    }
}

/** Gives a chunk a private, ancillary name (lower case first and second) and the checksum that goes with it. */
private fun renamePngChunk(bytes: ByteArray, at: Int) {
    val end = at + 8 + bytes.big32(at).toInt()
    "fxCs".toByteArray(Charsets.US_ASCII).copyInto(bytes, at + 4)
    ByteBuffer.wrap(bytes).putInt(end, checksum(bytes, at + 4, end).toInt())
}
