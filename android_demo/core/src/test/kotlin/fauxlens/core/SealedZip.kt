package fauxlens.core

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** A sealed zip of stored members behind a prefix, as export/artifacts/seal.py writes it but for what zips say of themselves. */
internal fun writeSealed(members: Map<String, ByteArray>, prefix: ByteArray = ByteArray(0)): ByteArray {
    val target = ByteArrayOutputStream()
    ZipOutputStream(target).use { zip ->
        for ((name, bytes) in members) {
            val entry = ZipEntry(name).apply {
                method = ZipEntry.STORED
                size = bytes.size.toLong()
                crc = CRC32().apply { update(bytes) }.value
            }
            zip.putNextEntry(entry)
            zip.write(bytes)
        }
    }
    val body = prefix + target.toByteArray()
    ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN).putShort(body.size - 2, 71)
    return body + ("sha256:" + sha256(body)).toByteArray()
}
