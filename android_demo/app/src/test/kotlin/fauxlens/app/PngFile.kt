package fauxlens.app

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32

/** A PNG of these chunks, each with its length and checksum, and the one that ends it. */
fun pngOf(chunks: List<Pair<String, ByteArray>>): ByteArray {
    val bytes = ByteArrayOutputStream()
    val out = DataOutputStream(bytes)
    out.write(byteArrayOf(0x89.toByte(), 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A))
    for ((name, data) in chunks + ("IEND" to ByteArray(0))) {
        val content = name.toByteArray() + data
        out.writeInt(data.size)
        out.write(content)
        out.writeInt(CRC32().apply { update(content) }.value.toInt())
    }
    return bytes.toByteArray()
}
