package fauxlens.app

import fauxlens.app.picture.FileFacts
import fauxlens.app.picture.MOST_PROFILES
import fauxlens.app.picture.PictureFormat
import fauxlens.app.picture.factsOf
import fauxlens.app.picture.formatOf
import java.io.ByteArrayOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** Files made of very many parts: each part is looked at once, and only so many. */
class FilePartsTest {
    @Test
    fun `very many statements about colours are too many, and few of them are kept`() {
        for (bytes in listOf(png(80_000, "gAMA"), webp(80_000, "ICCP"), jpeg(80_000, 0xE2, "ICC_PROFILE\u0000"))) {
            val facts = facts(bytes)
            assertTrue("${formatOf(bytes)}", facts.excessive && !facts.complete)
            assertTrue("${facts.profiles.size} kept", facts.profiles.size <= MOST_PROFILES + 1)
        }
    }

    @Test
    fun `very many parts of any other kind are too many, too`() {
        for (bytes in listOf(png(80_000, "zzZz"), webp(80_000, "zzzz"), jpeg(80_000, 0xEB, ""), gif(80_000))) {
            assertTrue("${formatOf(bytes)}", facts(bytes).excessive)
        }
    }

    @Test
    fun `a JPEG of hundreds of scans is refused before it is decoded hundreds of times`() {
        assertTrue(facts(jpeg(300, 0xDA, "")).excessive)
        assertFalse(facts(jpeg(20, 0xDA, "")).excessive)
    }

    @Test
    fun `files of many parts as writers make them are read to their end`() {
        // A 64-MB PNG in pieces of 8 KB; a profile of 4 MB in a JPEG.
        assertEquals(FileFacts(complete = true), facts(png(8_000, "zzZz")))
        val profile = facts(jpeg(255, 0xE2, "ICC_PROFILE\u0000"))
        assertEquals(255, profile.profiles.size)
        assertFalse(profile.excessive)
    }

    @Test
    fun `AVIF and HEIF are told apart by any of their brands`() {
        assertEquals(PictureFormat.AVIF, formatOf(ftyp("avif", "mif1")))
        assertEquals(PictureFormat.AVIF, formatOf(ftyp("mif1", "avif")))
        assertEquals(PictureFormat.HEIF, formatOf(ftyp("heic", "mif1")))
        assertEquals(PictureFormat.HEIF, formatOf(ftyp("mif1", "heic")))
    }

    private fun facts(bytes: ByteArray): FileFacts = factsOf(requireNotNull(formatOf(bytes)), bytes)

    private fun png(count: Int, type: String): ByteArray {
        val head = byteArrayOf(0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0)
        return pngOf(listOf("IHDR" to head) + List(count) { type to ByteArray(0) })
    }

    private fun webp(count: Int, type: String): ByteArray {
        val out = ByteArrayOutputStream()
        fun size(value: Int) = repeat(4) { out.write(value shr 8 * it) }
        out.write("RIFF".toByteArray())
        size(4 + 8 * count + 8)
        out.write("WEBP".toByteArray())
        repeat(count) {
            out.write(type.toByteArray())
            size(0)
        }
        out.write("VP8 ".toByteArray())
        size(0)
        return out.toByteArray()
    }

    private fun jpeg(count: Int, marker: Int, text: String): ByteArray {
        val out = ByteArrayOutputStream()
        out.write(byteArrayOf(0xFF.toByte(), 0xD8.toByte()))
        repeat(count) {
            out.write(byteArrayOf(0xFF.toByte(), marker.toByte(), 0, (2 + text.length).toByte()))
            out.write(text.toByteArray())
        }
        out.write(byteArrayOf(0xFF.toByte(), 0xDA.toByte(), 0, 2, 0xFF.toByte(), 0xD9.toByte()))
        return out.toByteArray()
    }

    private fun gif(count: Int): ByteArray {
        val out = ByteArrayOutputStream()
        out.write("GIF89a".toByteArray())
        out.write(ByteArray(7))
        repeat(count) { out.write(byteArrayOf(0x21, 0xFE.toByte(), 0)) }
        out.write(0x3B)
        return out.toByteArray()
    }

    private fun ftyp(brand: String, compatible: String): ByteArray =
        byteArrayOf(0, 0, 0, 20) + "ftyp$brand".toByteArray() + ByteArray(4) + compatible.toByteArray()
}
