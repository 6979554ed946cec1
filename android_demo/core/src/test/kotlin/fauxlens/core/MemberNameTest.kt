package fauxlens.core

import java.io.ByteArrayOutputStream
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Names of members as long as a zip allows. */
class MemberNameTest {

    @Test
    fun `a name of thousands of parts is a name`() {
        val name = "a/".repeat(30_000) + "b"
        assertArrayEquals(byteArrayOf(1), read(name).getValue(name))
    }

    @Test
    fun `a long unsafe name is refused in a sentence that can be read`() {
        for (name in listOf("a/".repeat(30_000), "a/".repeat(30_000) + ".b", "/a", "..", "a//b", "a b")) {
            val error = assertThrows(Refused::class.java) { read(name) }
            assertTrue(error.message, error.message.orEmpty().length < 300)
        }
    }

    private fun read(name: String): Map<String, ByteArray> {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            zip.setMethod(ZipOutputStream.STORED)
            zip.putNextEntry(
                ZipEntry(name).apply {
                    size = 1
                    crc = java.util.zip.CRC32().apply { update(1) }.value
                },
            )
            zip.write(1)
            zip.closeEntry()
        }
        val whole = bytes.toByteArray()
        return readStored(whole, whole.size - END_BYTES, "it").members
    }
}
