package fauxlens.app

import fauxlens.app.common.Trouble
import fauxlens.app.picture.PlatformDecoder
import fauxlens.app.picture.factsOf
import fauxlens.app.picture.formatOf
import fauxlens.core.marks.readMarks
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/**
 * A file that is made to cost time costs no more than its size.
 *
 * The work is counted by the bytes that the thread allocates, which are the same in each run: a list that was copied for
 * each chunk took 16 seconds over such a file, and wrote 15 GB.
 */
@RunWith(RobolectricTestRunner::class)
class ChunkBombTest {
    @Test
    fun `a megabyte of tiny chunks is walked through once`() {
        val ways = mapOf<String, (ByteArray) -> Unit>(
            "structure" to { factsOf(requireNotNull(formatOf(it)), it) },
            "marks" to { readMarks(it) },
            "decoder" to ::decode,
        )
        for (type in listOf("gAMA", "cHRM", "zzZz", "tEXt", "zTXt", "iTXt", "eXIf", "caBX", "IDAT")) {
            val bomb = bomb(type)
            assertTrue(bomb.size > 1_000_000)
            for ((way, walk) in ways) {
                val before = allocated()
                walk(bomb)
                val share = (allocated() - before) / bomb.size
                assertTrue("$way of $type: $share bytes allocated for each of the file", share < MOST_SHARE)
            }
        }
    }

    private fun decode(bytes: ByteArray) {
        try {
            PlatformDecoder().decode(bytes).release()
        } catch (_: Trouble) {
            // A sentence is as good an end as a picture.
        }
    }

    private fun bomb(type: String): ByteArray {
        val head = byteArrayOf(0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0)
        return pngOf(listOf("IHDR" to head) + List(CHUNKS) { type to ByteArray(0) })
    }

    /** How many bytes this thread has allocated. By reflection: no Android has it, and the tests compile against Android. */
    private fun allocated(): Long {
        val threads = Class.forName("java.lang.management.ManagementFactory").getMethod("getThreadMXBean").invoke(null)
        val count = Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getThreadAllocatedBytes", Long::class.javaPrimitiveType)
        return count.invoke(threads, Thread.currentThread().id) as Long
    }

    private companion object {
        // An empty chunk has 12 bytes.
        const val CHUNKS = 87_000
        const val MOST_SHARE = 24
    }
}
