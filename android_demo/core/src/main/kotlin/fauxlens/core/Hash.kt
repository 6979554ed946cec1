package fauxlens.core

import java.security.MessageDigest

private const val DIGITS = "0123456789abcdef"

/** SHA-256 as 64 lower-case hexadecimal digits. */
internal fun sha256(bytes: ByteArray, from: Int = 0, length: Int = bytes.size): String {
    val digest = MessageDigest.getInstance("SHA-256")
    digest.update(bytes, from, length)
    return hexadecimal(digest.digest())
}

internal fun hexadecimal(bytes: ByteArray): String = buildString(2 * bytes.size) {
    for (byte in bytes) append(DIGITS[byte.toInt() shr 4 and 15]).append(DIGITS[byte.toInt() and 15])
}

/** The bits of a float as 8 hexadecimal digits, the sign first. */
internal fun hexadecimal(bits: Int): String = buildString(8) {
    for (shift in 28 downTo 0 step 4) append(DIGITS[bits shr shift and 15])
}
