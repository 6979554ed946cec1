package fauxlens.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class SealedFilesTest {

    private val files = Golden.sealed()

    @Test
    fun `files that Python accepts are accepted and no others`() {
        for ((name, bytes) in files) {
            val (verdict, kind) = name.split("/")
            val read = {
                when (kind) {
                    "sealed" -> readSealed(bytes, "it")
                    "detector" -> DetectorFile.read(bytes, "it")
                    "bundle" -> Bundle.read(bytes, "it")
                    else -> error(kind)
                }
            }
            if (verdict == "accepted") read() else {
                val refused = assertThrows(name, Refused::class.java) { read() }
                assertTrue("$name: ${refused.message}", refused.message.orEmpty().startsWith("it"))
            }
        }
        assertTrue(files.keys.count { it.startsWith("accepted") } > 10)
    }

    @Test
    fun `files of a newer Fauxlens say so`() {
        for (name in listOf("detector", "bundle")) {
            val bytes = files.getValue("refused/$name/newer")
            val read = { if (name == "bundle") Bundle.read(bytes, "it") else DetectorFile.read(bytes, "it") }
            val refused = assertThrows(Refused::class.java) { read() }
            val message = refused.message.orEmpty()
            assertTrue(message, message.endsWith("made by a newer Fauxlens: update this app."))
        }
    }

    @Test
    fun `members arrive as they are`() {
        for (name in listOf("good", "prefix", "prefix_not_counted")) {
            val sealed = readSealed(files.getValue("accepted/sealed/$name"), "it")
            assertEquals(listOf("a.txt", "folder/b.bin", "empty"), sealed.members.keys.toList())
            assertEquals("first", String(sealed.members.getValue("a.txt")))
            assertArrayEquals(ByteArray(200) { it.toByte() }, sealed.members.getValue("folder/b.bin"))
            assertEquals(0, sealed.members.getValue("empty").size)
            assertEquals(if (name == "good") 0 else 64, sealed.start)
        }
    }

    @Test
    fun `a detector file's description and view arrive`() {
        val bytes = files.getValue("accepted/detector/keep")
        val detector = DetectorFile.read(bytes, "it")
        assertEquals("upright|face(2.4)|resize(8)", detector.view.text)
        assertEquals(UnclearFaces.KEEP, detector.description.unclearFaces)
        assertEquals(sha256(bytes), detector.sha256)
    }

    @Test
    fun `a detector whose view is of another size or unknown is refused`() {
        val good = files.getValue("accepted/detector/good")
        val json = readSealed(good, "it").members.getValue("fauxlens.json").decodeToString()
        for (view in listOf("upright|square|resize(9)", "upright|warp(3)|resize(8)")) {
            val changed = json.replace("upright|square|resize(8)", view)
            val members = mapOf("labels.txt" to "real\nfake\n", "fauxlens.json" to changed)
            val bytes = writeSealed(members.mapValues { it.value.toByteArray() }, good.copyOf(64))
            assertThrows(view, Refused::class.java) { DetectorFile.read(bytes, "it") }
        }
    }

    @Test
    fun `every cut and every changed byte is noticed`() {
        val good = files.getValue("accepted/detector/good")
        for (at in good.indices step 7) {
            assertThrows("cut at $at", Refused::class.java) { DetectorFile.read(good.copyOf(at), "it") }
            val changed = good.copyOf().also { it[at] = (it[at].toInt() xor 4).toByte() }
            assertThrows("changed at $at", Refused::class.java) { DetectorFile.read(changed, "it") }
        }
    }

    @Test
    fun `zips forged at random and sealed anew are read or refused`() {
        val good = files.getValue("accepted/sealed/good")
        val body = good.copyOf(good.size - 71)
        val random = java.util.Random(3)
        repeat(20_000) {
            val forged = body.copyOf()
            repeat(1 + random.nextInt(3)) { forged[random.nextInt(forged.size)] = random.nextInt(256).toByte() }
            val seal = "sha256:" + sha256(forged)
            try {
                readSealed(forged + seal.toByteArray(), "it")
            } catch (refused: Refused) {
                assertTrue(refused.message.orEmpty().startsWith("it"))
            }
        }
    }
}
