package fauxlens.core

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class LookTest {

    @Test
    fun `views of drawn pictures are Python's, bit for bit`() {
        for (case in Golden.cases("views.json")) {
            val file = case["file"].text
            val picture = goldenPicture(case)
            for (view in case["views"].items.map { it as Json.Object }) {
                val rgb = look(View.parse(view["view"].text), picture, case["orientation"].int, view["eyes"].eyes)
                assertEquals("$file ${view["view"].text}", view["sha256"].text, sha256(rgb))
                view.members["rgb"]?.let { assertEquals(file, it.text, hexadecimal(rgb)) }
            }
        }
    }

    @Test
    fun `views of computed pixels of random sizes are Python's, bit for bit`() {
        for (case in Golden.cases("synthetic.json")) {
            val raster = ComputedRaster(case["kind"].text, case["seed"].int, case["width"].int, case["height"].int)
            val rgb = look(View.parse(case["view"].text), raster, case["orientation"].int, case["eyes"].eyes)
            assertEquals("$case", case["sha256"].text, sha256(rgb))
            assertTrue("$case: pixels are read once", raster.pixelsRead <= raster.width.toLong() * raster.height)
            assertTrue("$case: rows are read in one direction", inOneDirection(raster.rowsRead))
        }
    }

    @Test
    fun `a view of the turned raster without an orientation is the view of the stored one with it`() {
        val view = View.parse("upright|face(3)|resize(31)")
        for (orientation in 1..8) {
            val stored = ComputedRaster("noise", orientation, 57, 40)
            val turned = upright(stored, orientation)
            for (eyes in listOf(Eyes(20.0, 18.0, 7.0), Eyes(0.0, 0.0, 30.0), Eyes(40.0, 40.0, 12.3))) {
                assertTrue(look(view, turned, 1, eyes).contentEquals(look(view, stored, orientation, eyes)))
            }
        }
    }

    @Test
    fun `a view without upright ignores the orientation`() {
        val stored = ComputedRaster("noise", 1, 30, 20)
        val view = View.parse("square|resize(16)")
        assertTrue(look(view, stored, 6, null).contentEquals(look(view, stored, 1, null)))
    }

    @Test
    fun `orientations that do not exist turn nothing`() {
        val stored = ComputedRaster("noise", 1, 30, 20)
        val view = View.parse("upright|resize(16)")
        for (orientation in listOf(0, 9, -1, 65535)) {
            assertTrue(look(view, stored, orientation, null).contentEquals(look(view, stored, 1, null)))
        }
    }

    @Test
    fun `a face square without eyes or with eyes outside is refused`() {
        val stored = ComputedRaster("white", 1, 40, 20)
        val view = View.parse("upright|face(2)|resize(16)")
        assertThrows(Refused::class.java) { look(view, stored, 1, null) }
        assertThrows(Refused::class.java) { look(view, stored, 1, Eyes(39.0, 21.0, 5.0)) }
        // Upright it is 20 x 40.
        look(view, stored, 6, Eyes(19.0, 39.0, 5.0))
        assertThrows(Refused::class.java) { look(view, stored, 6, Eyes(39.0, 19.0, 5.0)) }
    }

    @Test
    fun `a picture of 100 megapixels takes a few megabytes`() {
        val bean = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val thread = Thread.currentThread().id
        for ((text, orientation) in listOf("upright|square|resize(224)" to 1, "upright|resize(224)" to 6)) {
            val stored = ComputedRaster("white", 1, 12_000, 8_400)
            val before = bean.getThreadAllocatedBytes(thread)
            val rgb = look(View.parse(text), stored, orientation, null)
            val taken = bean.getThreadAllocatedBytes(thread) - before
            assertTrue("$text took $taken bytes", taken < 8 shl 20)
            assertTrue(rgb.all { it == (-1).toByte() })
        }
    }

    private fun inOneDirection(rows: List<IntRange>): Boolean {
        val pairs = rows.zipWithNext()
        return pairs.all { (one, next) -> next.first > one.last } || pairs.all { (one, next) -> next.last < one.first }
    }
}

/** A golden picture decoded here; where ImageIO does not decode as Pillow does, from Pillow's pixels beside it. */
internal fun goldenPicture(case: Json.Object): ArgbRaster {
    val raster = checkNotNull(decodeByImageIo(Golden.bytes("pictures/${case["file"].text}"))) { case["file"].text }
    assertEquals(case["file"].text, case["decoded_sha256"].text, pixelsSha256(raster))
    return raster
}
