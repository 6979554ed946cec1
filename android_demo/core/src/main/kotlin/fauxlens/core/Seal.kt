package fauxlens.core

private const val MAX_BYTES = 512L shl 20
private const val MARK = "sha256:"
private const val COMMENT_BYTES = MARK.length + 64

/** What a sealed file holds: how many bytes stand before the zip, and the members by name. */
internal class Sealed(val start: Int, val members: Map<String, ByteArray>)

/**
 * Checks the seal of a file made by Fauxlens and reads its members, as export/artifacts/seal.py does.
 *
 * The zip's comment, its very last bytes, is `sha256:` and the hash of everything before. Members are stored, never
 * compressed. Refused where the file is too large, has no seal (cut short, or not ours), has one byte changed, or holds
 * compressed, repeated or strangely named members, or what is no file.
 */
internal fun readSealed(bytes: ByteArray, name: String): Sealed {
    if (bytes.size > MAX_BYTES) {
        throw Refused(Refusal.TOO_LARGE, name, bytes.size shr 20, MAX_BYTES shr 20)
    }
    val end = bytes.size - COMMENT_BYTES - END_BYTES
    val comment = if (end < 0) "" else String(bytes, end + END_BYTES, COMMENT_BYTES, Charsets.ISO_8859_1)
    if (end < 0 || !bytes.hasSignature(end, END_SIGNATURE) || !comment.startsWith(MARK)) {
        throw Refused(Refusal.NO_SEAL, name)
    }
    if (comment.substring(MARK.length) != sha256(bytes, 0, bytes.size - COMMENT_BYTES)) {
        throw Refused(Refusal.CHANGED, name)
    }
    return readStored(bytes, end, name)
}
