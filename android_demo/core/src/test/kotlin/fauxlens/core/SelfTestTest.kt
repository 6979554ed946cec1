package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class SelfTestTest {

    private val bundle = Bundle.read(Golden.sealed().getValue("accepted/bundle/good"), "it")
    private val header = Header(
        "fauxlens.app 0.1.0", "Example phone", "Android 14 (API 34)", "arm64-v8a", "TensorFlow Lite 2.16.1", 1, "cpu",
    )

    /** Gives what the bundle has stored, changed by `change`. */
    private inner class Stored(private val change: (Int, Output) -> Output = { _, output -> output }) : Engine {

        override val name = "stored"
        var runs = 0

        override fun run(view: ByteArray): Output {
            runs += 1
            val references = bundle.references
            val index = references.views.indexOfFirst { it.contentEquals(view) }
            val score = references.stages.getValue("tflite/ptq-int8")[index]
            val heatmap = references.heatmaps.getValue("tflite/ptq-int8")[index]
            return change(index, Output(floatArrayOf(1 - score, score), heatmap.copyOf()))
        }

        override fun close() = Unit
    }

    private fun test(
        engine: Engine = Stored(),
        header: Header = this.header,
        decode: (ByteArray) -> Decoded = { Decoded(checkNotNull(decodeByImageIo(it)), 1) },
    ): SelfTest {
        var now = 0L
        return selfTest(bundle, engine, header, decode, { now += 1_500_000; now })
    }

    @Test
    fun `a device that gives the stored bits passes`() {
        val engine = Stored()
        val progress = ArrayList<Pair<Int, Int>>()
        var now = 0L
        val result = selfTest(
            bundle, engine, header, { Decoded(checkNotNull(decodeByImageIo(it)), 1) }, { now += 1_500_000; now },
        ) { done, count -> progress += done to count }
        assertTrue(result.passed && result.items.all { it.passed && it.decodedEqual && it.viewEqual })
        assertEquals(List(32) { 1.5 }, result.latencyMs)
        assertEquals(33, engine.runs)
        assertEquals(listOf(0 to 2, 1 to 2, 2 to 2), progress)
        assertEquals(listOf(Label.REAL, Label.FAKE), result.items.map { it.verdictExpected })
    }

    @Test
    fun `a last bit may differ`() {
        fun next(value: Float) = if (value > 0) Float.fromBits(value.toRawBits() - 1) else value
        val rounded = test(Stored { _, output ->
            Output(output.scores.map(::next).toFloatArray(), output.heatmap.map(::next).toFloatArray())
        })
        assertTrue(rounded.passed)
    }

    @Test
    fun `a score or a heatmap that differs by more than a last bit fails`() {
        fun next(value: Float) = value + 3e-7f
        val wrongScore = test(Stored { index, output ->
            if (index == 1) Output(floatArrayOf(output.scores[0], next(output.scores[1])), output.heatmap) else output
        })
        assertEquals(listOf(true, false), wrongScore.items.map { it.scoresEqual })
        assertEquals(listOf(true, false), wrongScore.items.map { it.passed })
        val wrongMap = test(Stored { _, output -> Output(output.scores, output.heatmap.also { it[5] = next(it[5]) }) })
        assertTrue(wrongMap.items.none { it.heatmapEqual || it.passed } && wrongMap.items.all { it.scoresEqual })
        assertFalse(wrongScore.passed || wrongMap.passed)
    }

    @Test
    fun `a GPU is held to decisions`() {
        val gpu = header.copy(accelerator = "gpu")
        fun moved(by: Float) = Stored { _, output ->
            Output(floatArrayOf(output.scores[0], output.scores[1] + by), output.heatmap.also { it[0] += by })
        }
        assertTrue(test(moved(0.01f), gpu).passed)
        assertFalse(test(moved(0.01f)).passed)
        val flipped = test(moved(0.2f), gpu)
        assertEquals(Label.REAL to Label.UNSURE, flipped.items[0].run { verdictExpected to verdictGot })
        assertFalse(flipped.passed)
    }

    @Test
    fun `another decoding shows in its own column and fails`() {
        val result = test(decode = { bytes ->
            val raster = checkNotNull(decodeByImageIo(bytes))
            Decoded(ArgbRaster(raster.width, raster.height, raster.argb.copyOf().also { it[0] = it[0] xor 1 }), 1)
        })
        assertTrue(result.items.all { !it.decodedEqual && it.scoresEqual && it.heatmapEqual && it.errors.isEmpty() })
        assertFalse(result.passed)
        val turned = test(decode = { Decoded(checkNotNull(decodeByImageIo(it)), 3) })
        assertTrue(turned.items.all { it.decodedEqual && !it.viewEqual && it.scoresEqual })
        assertFalse(turned.passed)
    }

    @Test
    fun `what cannot be decoded or run stands in its item and the others go on`() {
        var decoded = 0
        val result = test(
            Stored { index, output -> if (index == 1) throw Refused(Refusal.NOT_RUN, "no run") else output },
            decode = {
                decoded += 1
                if (decoded == 1) throw Refused(Refusal.SAID, "No decoding.") else Decoded(checkNotNull(decodeByImageIo(it)), 1)
            },
        )
        val (first, second) = result.items
        assertEquals(listOf("No decoding."), first.errors.map { it.english })
        assertTrue(first.decodedSha256.isEmpty() && first.viewSha256.isEmpty() && first.scoresEqual)
        assertEquals(listOf(Message(Refusal.NOT_RUN, "no run")), second.errors)
        assertTrue(second.scoreBits.isEmpty() && second.heatmapBits.isEmpty() && second.viewEqual)
        assertNull(second.got)
        assertNull(second.verdictGot)
        assertFalse(first.passed || second.passed || result.passed)
    }

    @Test
    fun `scores that are no numbers are an error`() {
        val result = test(Stored { _, output -> Output(floatArrayOf(0f, Float.NaN), output.heatmap) })
        assertTrue(result.items.all { it.errors.isNotEmpty() && it.scoreBits.isEmpty() && it.got == null })
        parseJson(result.toJson())
    }

    @Test
    fun `a bundle without heatmaps to compare with is refused`() {
        val references = bundle.references.run {
            References(names, pictures, views, decodedSha256, eyes, stages, emptyMap())
        }
        val without = bundle.run { Bundle(variants, default, card, references, sha256) }
        assertThrows(Refused::class.java) {
            selfTest(without, Stored(), header, { error("not asked for") }, { 0L })
        }
    }

    @Test
    fun `the report is the one that verify reads`() {
        val golden = values(parseJson(Golden.text("selftest.json")))
        assertEquals(inFloats(golden), inFloats(values(parseJson(goldenReport().toJson()))))
        val failed = parseJson(failedSelfTestJson("It could not start."))
        assertEquals(mapOf("format" to 2.0, "error" to "It could not start."), values(failed))
    }

    /** P(fake) is a float, which Python and Java write with other digits. */
    private fun inFloats(value: Any?): Any? = when (value) {
        is Double -> value.toFloat()
        is Map<*, *> -> value.mapValues { inFloats(it.value) }
        is List<*> -> value.map(::inFloats)
        else -> value
    }

    /** The self-test of tests/golden/selftest.json, put together from its values. */
    private fun goldenReport(): SelfTest {
        val json = parseJson(Golden.text("selftest.json")) as Json.Object
        val items = json["references"].items.map { it as Json.Object }.map { item ->
            val passed = item["passed"].truth
            Item(
                name = item["name"].text,
                decodedEqual = passed,
                viewEqual = passed,
                expected = item["expected"].double.toFloat(),
                got = (item["got"] as? Json.Number)?.double?.toFloat(),
                scoresEqual = passed,
                heatmapEqual = passed,
                decodedSha256 = item["decoded_sha256"].text,
                viewSha256 = item["view_sha256"].text,
                scoreBits = item["scores"].items.map { floatOf(it.text).toRawBits() },
                heatmapBits = item["heatmap"].items.map { floatOf(it.text).toRawBits() },
                verdictExpected = Label.values().first { it.key == item["verdict_expected"].text },
                verdictGot = Label.values().find { it.key == item["verdict_got"].text },
                errors = listOfNotNull(item["error"].textOrNull?.let { Message(Refusal.SAID, it) }),
                guarantee = Guarantee.values().first { it.key == json["promise"].text },
            )
        }
        return SelfTest(
            header.copy(threads = json["threads"].int),
            json["bundle_sha256"].text,
            json["detector_sha256"].text,
            json["variant"].text,
            json["view"].text,
            items,
            json["latency_ms"].items.map { it.double },
        )
    }
}
