package fauxlens.core.face

import fauxlens.core.FaceNetwork
import fauxlens.core.ComputedRaster
import fauxlens.core.Eyes
import fauxlens.core.Golden
import fauxlens.core.Json
import fauxlens.core.Refused
import fauxlens.core.decodeByImageIo
import fauxlens.core.double
import fauxlens.core.eyes
import fauxlens.core.get
import fauxlens.core.int
import fauxlens.core.items
import fauxlens.core.sha256
import fauxlens.core.text
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

/** Held to tests/golden/face_finder, which Python made with LiteRT; here the engine in `core` runs the networks. */
class FaceFinderTest {

    private val models = Golden.folder.resolve("../../train/image/face_finder/models")
    private val files = FaceNetwork.values().associateWith {
        File(models, it.member.substringAfter('/')).readBytes()
    }

    @Test
    fun `squares and tensors are those of Python`() {
        for (case in Golden.cases("face_finder/letterbox.json")) {
            val (width, height) = case["width"].int to case["height"].int
            val placement = Placement(case["side"].int, width, height)
            val name = "$width x $height in ${placement.side}"
            assertEquals(name, case["w"].int to case["h"].int, placement.width to placement.height)
            assertEquals(name, case["left"].int to case["top"].int, placement.left to placement.top)
            val square = letterbox(ComputedRaster(case["kind"].text, case["seed"].int, width, height), 1, placement)
            assertEquals(name, case["square_sha256"].text, sha256(square))
            assertEquals(name, case["tensor_sha256"].text, tensorSha256(square))
        }
    }

    @Test
    fun `outputs of networks become the faces that Python makes of them`() {
        for (case in Golden.cases("face_finder/outputs.json")) {
            val outputs = FaceNetwork.values().associateWith { outputOf(it, case["outputs"] as Json.Object) }
            for ((network, output) in outputs) {
                val expected = (case["decoded"] as Json.Object)[key(network)].items.map { it as Json.Object }
                val decoded = decodeFaces(network, output)
                assertEquals(expected.map { face -> face["numbers"].items.map { it.int.toLong() } }, decoded.map { it.numbers })
                assertEquals(expected.map { it["logit"].int.toLong() }, decoded.map { it.logit })
            }
            val picture = ComputedRaster("white", 1, case["width"].int, case["height"].int)
            assertFaces("outputs", case, findWith(picture, 1) { network -> NetworkRunner { outputs.getValue(network) } })
        }
    }

    @Test
    fun `the faces of pictures are those of Python, by networks that run here`() {
        val finder = FaceFinder(files, threads = 2)
        for (case in Golden.cases("face_finder/pictures.json")) {
            val name = case["file"].text
            val stored = checkNotNull(decodeByImageIo(Golden.bytes(name)))
            val orientation = Regex("_([1-8])\\.").find(name)?.groupValues?.get(1)?.toInt() ?: 1
            for (network in FaceNetwork.values()) {
                val placement = Placement(network.side, case["width"].int, case["height"].int)
                val square = letterbox(stored, orientation, placement)
                assertEquals(name, case["${key(network)}_tensor_sha256"].text, tensorSha256(square))
            }
            assertFaces(name, case, finder.find(stored, orientation))
        }
    }

    @Test
    fun `another file is refused`() {
        val other = files + (FaceNetwork.SHORT_RANGE to files.getValue(FaceNetwork.FULL_RANGE))
        assertThrows(Refused::class.java) { FaceFinder(other).find(ComputedRaster("white", 1, 20, 20), 1) }
    }

    private fun assertFaces(name: String, case: Json.Object, faces: List<Face>) {
        val expected = case["faces"].items.map { it as Json.Object }
        assertEquals(name, expected.map { face -> face["box"].items.map { it.double } }, faces.map {
            listOf(it.left, it.top, it.right, it.bottom)
        })
        assertEquals(name, expected.map { it["eyes"].eyes }, faces.map { it.eyes as Eyes? })
        assertEquals(name, expected.map { pair(it["left_eye"]) to pair(it["right_eye"]) }, faces.map {
            it.leftEye to it.rightEye
        })
        assertEquals(name, expected.map { it["logit"].double }, faces.map { it.logit })
    }

    private fun pair(json: Json) = json.items.map { it.double }.let { it[0] to it[1] }

    private fun key(network: FaceNetwork) = network.name.lowercase()

    /** Rows that are not listed have the logit -100 and regressors 0. */
    private fun outputOf(network: FaceNetwork, listed: Json.Object): NetworkOutput {
        val logits = FloatArray(network.anchors) { -100f }
        val regressors = FloatArray(REGRESSORS * network.anchors)
        for (row in listed[key(network)].items.map { it.items }) {
            val index = row[0].int
            logits[index] = number(row[1])
            row[2].items.forEachIndexed { at, value -> regressors[REGRESSORS * index + at] = number(value) }
        }
        return NetworkOutput(regressors, logits)
    }

    private fun number(json: Json): Float = if (json == Json.Null) Float.NaN else json.double.toFloat()

    private fun tensorSha256(square: ByteArray): String {
        val tensor = tensorOf(square)
        val bytes = ByteBuffer.allocate(4 * tensor.size).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asFloatBuffer().put(tensor)
        return sha256(bytes.array())
    }
}
