package fauxlens.app.picture

private const val EXTENSION = 0x21
private const val IMAGE = 0x2C
private const val TRAILER = 0x3B

/** The structure of a GIF (GIF89a specification). */
internal fun gifFacts(bytes: ByteArray): FileFacts {
    var frames = 0
    if (bytes.size < 13) return FileFacts(complete = false)
    var at = 13 + tableBytes(bytes.byte(10))
    var parts = 0
    while (at < bytes.size) {
        if (++parts > MOST_PARTS) return FileFacts(complete = false, frames = maxOf(1, frames), excessive = true)
        at = when (bytes.byte(at)) {
            TRAILER -> return FileFacts(complete = frames > 0, frames = maxOf(1, frames))
            EXTENSION -> afterBlocks(bytes, at + 2)
            IMAGE -> {
                if (at + 10 > bytes.size) return FileFacts(complete = false, frames = maxOf(1, frames))
                frames++
                // One more byte: the LZW code size.
                afterBlocks(bytes, at + 10 + tableBytes(bytes.byte(at + 9)) + 1)
            }
            else -> return FileFacts(complete = false, frames = maxOf(1, frames))
        }
        if (at < 0) return FileFacts(complete = false, frames = maxOf(1, frames))
    }
    // Some writers leave the trailer out; every block was there.
    return FileFacts(complete = frames > 0 && at == bytes.size, frames = maxOf(1, frames))
}

private fun tableBytes(flags: Int): Int = if (flags and 0x80 != 0) 3 shl ((flags and 7) + 1) else 0

/** The offset behind a row of data blocks, -1 if the file ends before. */
private fun afterBlocks(bytes: ByteArray, from: Int): Int {
    var at = from
    while (at < bytes.size) {
        val length = bytes.byte(at)
        at += 1 + length
        if (length == 0) return at
    }
    return -1
}
