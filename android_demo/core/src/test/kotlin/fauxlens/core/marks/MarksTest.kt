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
import java.nio.ByteBuffer
import java.util.Random

/** What picture files say about themselves: the rows of Python, text for text (tests/golden/marks, docs/marks.md). */
class MarksTest {

    private val files = (parseJson(Golden.text("marks/rows.json")) as Json.Object)["files"].members

    @Test
    fun rowsAreThoseOfPython() {
        assertTrue(files.size > 40)
        for ((name, expected) in files) {
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
