package fauxlens.core.guard

import fauxlens.core.Golden
import fauxlens.core.Refused
import fauxlens.core.get
import fauxlens.core.int
import fauxlens.core.items
import fauxlens.core.text
import fauxlens.core.textOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Test

/** Which graphs are let in: the complaints of Python, word for word (tests/golden/graphs). */
class GraphGuardTest {

    @Test
    fun alteredGraphsAreRefusedWithTheComplaintsOfPython() {
        val good = Golden.bytes("graphs/good.tflite")
        val cases = Golden.cases("graphs/cases.json")
        for (case in cases) {
            val data = good.copyOf()
            for (change in case["changes"].items) {
                val (place, value) = change.items
                value.text.chunked(2).forEachIndexed { i, byte -> data[place.int + i] = byte.toInt(16).toByte() }
            }
            assertEquals("$case", case["complaint"].textOrNull, complaintOf(data))
        }
    }

    @Test
    fun whatIsNoFlatBufferIsRefused() {
        for (data in listOf(ByteArray(0), ByteArray(64), ByteArray(64) { -1 })) assertNotNull(complaintOf(data))
    }

    private fun complaintOf(data: ByteArray): String? = try {
        checkGraph(data, "it")
        null
    } catch (refused: Refused) {
        refused.message.orEmpty().removePrefix("it does not hold a graph that Fauxlens exports (")
            .removeSuffix("): take a detector made by `fauxlens export`.")
    }
}
