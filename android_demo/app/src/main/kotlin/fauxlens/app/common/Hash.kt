package fauxlens.app.common

import java.security.MessageDigest

/** SHA-256 as 64 hexadecimal digits. */
fun sha256(bytes: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
