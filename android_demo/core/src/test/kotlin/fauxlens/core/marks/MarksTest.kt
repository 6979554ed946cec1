package fauxlens.core.marks

import fauxlens.core.Golden
import fauxlens.core.Json
import fauxlens.core.Label
import fauxlens.core.Message
import fauxlens.core.OperatingPoint
import fauxlens.core.get
import fauxlens.core.items
import fauxlens.core.marks.MarkWording.NO_MARK
import fauxlens.core.members
import fauxlens.core.parseJson
import fauxlens.core.text
import fauxlens.core.textOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.util.Random
import java.util.zip.Deflater

/** What picture files say about themselves: the rows of Python, text for text (tests/golden/marks, docs/marks.md). */
class MarksTest {

    private val files = (parseJson(Golden.text("marks/rows.json")) as Json.Object)["files"].members

    @Test
    fun rowsAreThoseOfPython() {
        assertTrue(files.size > 40)
        for ((name, expected) in files) {
            // Only a platform decodes WebP: the app's own test has Android read what hides in its alpha.
            if (name == "hidden-novelai.webp") continue
            val marks = readMarks(Golden.bytes("marks/$name"))
            val rows = (expected as Json.Object)["rows"].items.map { row ->
                listOf("kind", "strength", "says", "text", "source").map { row.members.getValue(it).text }
            }
            assertEquals(name, expected["container"].text, marks.container)
            assertEquals(name, rows, marks.rows.map(::listed))
        }
    }

    @Test
    fun noFileCutShortOrChangedIsMoreThanRows() {
        val random = Random(7)
        for (name in files.keys.filter { !it.startsWith("bomb") }) {
            val bytes = Golden.bytes("marks/$name")
            repeat(40) {
                val at = random.nextInt(bytes.size)
                val changed = bytes.copyOf()
                // Most lengths and counts stand near the beginning.
                repeat(1 + random.nextInt(8)) { changed[random.nextInt(minOf(bytes.size, 4096))] = random.nextInt().toByte() }
                for (bad in listOf(bytes.copyOf(at), changed)) assertTrue(name, readMarks(bad).rows.isNotEmpty())
            }
        }
    }

    @Test
    fun filesOfNoKnownKindSayNothing() {
        for (bytes in listOf(ByteArray(0), ByteArray(3), "plain text".toByteArray(), byteArrayOf(-1, -40))) {
            assertEquals(Says.NOTHING, readMarks(bytes).rows.single { it.kind == Kind.METADATA }.says)
        }
    }

    @Test
    fun manyTextsAndLongOnesEndSoon() {
        // 20,000 chunks of text, as many as a file may have parts: read to the limit, and said.
        val chunk = byteArrayOf(0, 0, 0, 3) + "tEXta\u0000b".toByteArray() + ByteArray(4)
        val file = PNG_SIGNATURE.toByteArray(Charsets.ISO_8859_1) + ByteArray(30_000 * chunk.size) { chunk[it % chunk.size] }
        val faults = readMarks(file).rows.filter { it.kind == Kind.FILE }.map { it.text }
        assertEquals(2, faults.size)
        assertTrue(faults[0], faults[0].startsWith("The file has more than 64 texts"))
        assertTrue(faults[1], faults[1].startsWith("The file has more than 20,000 parts"))
    }

    @Test
    fun aPacketOfVeryManyNamespacesAndElementsIsReadAtOnce() {
        // Copied for each element, as many namespaces would take minutes.
        val spaces = (0 until 90_000).joinToString(" ") { "xmlns:n$it='u'" }
        val named = "<p:CreatorTool xmlns:p='http://ns.adobe.com/xap/1.0/'>Midjourney</p:CreatorTool>"
        val packet = "<a $spaces>" + "<b xmlns:c='d'/>".repeat(45_000) + named + "</a>"
        val text = "XML:com.adobe.xmp\u0000\u0000\u0000\u0000\u0000$packet".toByteArray()
        val size = ByteBuffer.allocate(4).putInt(text.size).array()
        val chunk = size + "iTXt".toByteArray() + text + ByteArray(4)
        val end = ByteArray(4) + "IEND".toByteArray() + ByteArray(4)
        val rows = readMarks(PNG_SIGNATURE.toByteArray(Charsets.ISO_8859_1) + chunk + end).rows
        assertEquals(listOf("XMP CreatorTool"), rows.map { it.source })
    }

    @Test
    fun whatOverflowedAPacketIsReadToALimit() {
        val digest = "D".repeat(32)
        val piece = "http://ns.adobe.com/xmp/extension/\u0000$digest".toByteArray() + ByteArray(8) + ByteArray(65_000)
        val packet = "http://ns.adobe.com/xap/1.0/\u0000<a n='$digest'/>".toByteArray()
        val segments = (listOf(packet) + List(70) { piece }).map { content ->
            byteArrayOf(-1, -31) + ByteBuffer.allocate(2).putShort((content.size + 2).toShort()).array() + content
        }
        val rows = readMarks(segments.fold(byteArrayOf(-1, -40)) { whole, segment -> whole + segment } + byteArrayOf(-1, -39, 0, 0)).rows
        val fault = rows.single { it.kind == Kind.FILE }.text
        assertEquals("The extended XMP packet has 4,550,000 bytes, more than 4,194,304: it was not read.", fault)
    }

    @Test
    fun aGifOfVeryManyBlocksEndsSoon() {
        val blocks = ByteArray(2_100_000) { 1 }
        val rows = readMarks("GIF89a".toByteArray() + ByteArray(7) + "!\u00f9".toByteArray(Charsets.ISO_8859_1) + blocks).rows
        assertTrue(rows[0].text, rows[0].text.startsWith("The file has more than 1,000,000 parts"))
    }

    @Test
    fun aPictureWhoseRowsNeverEndIsNotUnpacked() {
        // A quarter of a gigabyte of rows that begin with no mark.
        val deflater = Deflater(9)
        val packed = ByteArrayOutputStream()
        val piece = ByteArray(1 shl 16)
        deflater.setInput(ByteArray(1 shl 28))
        deflater.finish()
        while (!deflater.finished()) packed.write(piece, 0, deflater.deflate(piece))
        val header = ByteBuffer.allocate(13).putInt(4_000).putInt(4_000).put(8).put(6).put(0).put(0).put(0).array()
        val chunks = listOf("IHDR" to header, "IDAT" to packed.toByteArray(), "IEND" to ByteArray(0))
        val file = chunks.fold(PNG_SIGNATURE.toByteArray(Charsets.ISO_8859_1)) { whole, (kind, content) ->
            whole + ByteBuffer.allocate(4).putInt(content.size).array() + kind.toByteArray() + content + ByteArray(4)
        }
        assertEquals(NO_MARK.english, readMarks(file).rows.single().text)
    }

    @Test
    fun theLineThatSumsUpIsThatOfPython() {
        val cases = Golden.cases("marks/summaries.json")
        for (case in cases) {
            val rows = case["marks"].items.map { mark ->
                val (kind, strength, says) = mark.items.map { it.text.uppercase() }
                Row(Kind.valueOf(kind), Strength.valueOf(strength), Says.valueOf(says), Message(NO_MARK), "source")
            }
            val label = Label.values().find { it.key == case["label"].textOrNull }
            val point = OperatingPoint.values().single { it.key == case["operating_point"].text }
            val words = summaryOf(rows, label, point).joinToString(" ") { it.english }
            assertEquals("$case", case["summary"].text, words)
        }
    }

    private fun listed(row: Row): List<String> =
        listOf(row.kind.name.lowercase(), row.strength.name.lowercase(), row.says.name.lowercase(), row.text, row.source)
}
