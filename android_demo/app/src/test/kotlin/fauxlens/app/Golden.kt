package fauxlens.app

import fauxlens.app.common.number
import fauxlens.core.Bundle
import fauxlens.core.Eyes
import fauxlens.core.Label
import fauxlens.core.OperatingPoint
import fauxlens.core.View
import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** What the shipped detector made of one view of a golden picture (tests/golden/make_detect.py). */
class GoldenTrip(
    val view: View,
    val eyes: Eyes?,
    val viewSha256: String,
    val scores: List<String>,
    val heatmap: List<String>,
    val labels: Map<OperatingPoint, Label>,
)

/** A golden picture; `refused` is Python's sentence where there is one, and then there are no trips. */
class GoldenPicture(
    val name: String,
    val bytes: ByteArray,
    val refused: String?,
    val decodedSha256: String,
    val orientation: Int,
    val trips: List<GoldenTrip>,
)

/** tests/golden/detect.json with its pictures, and the shipped bundle that it was made by. */
object Golden {
    private val folder = File(System.getProperty("fauxlens.golden").orEmpty())
    private val repository = File(System.getProperty("fauxlens.root").orEmpty())
    private val document = Json.parseToJsonElement(folder.resolve("detect.json").readText()).jsonObject

    val detectorSha256: String = document.text("detector_sha256")
    val pictures: List<GoldenPicture> = document.list("pictures").map { pictureOf(it.jsonObject) }
    val bundleBytes: ByteArray by lazy { repository.resolve("export/shipped/bundle.zip").readBytes() }
    val bundle: Bundle by lazy { Bundle.read(bundleBytes, "the shipped bundle") }

    /** A file of the repository. */
    fun file(path: String): File = repository.resolve(path)

    fun picture(name: String): GoldenPicture = pictures.first { it.name == name }

    private fun pictureOf(one: JsonObject): GoldenPicture {
        val name = one.text("file")
        val bytes = folder.resolve(name).readBytes()
        if ("refused" in one) return GoldenPicture(name, bytes, one.text("refused"), "", 1, emptyList())
        val trips = one.list("trips").map { tripOf(it.jsonObject) }
        val orientation = one.getValue("orientation").jsonPrimitive.int
        return GoldenPicture(name, bytes, null, one.text("decoded_sha256"), orientation, trips)
    }

    private fun tripOf(one: JsonObject) = GoldenTrip(
        View.parse(one.text("view")),
        eyesOf(one.getValue("eyes")),
        one.text("view_sha256"),
        one.list("scores").map { it.jsonPrimitive.content },
        one.list("heatmap").map { it.jsonPrimitive.content },
        one.getValue("labels").jsonObject.entries.associate { (key, label) ->
            OperatingPoint.entries.first { it.key == key } to Label.valueOf(label.jsonPrimitive.content.uppercase())
        },
    )

    private fun eyesOf(value: JsonElement): Eyes? {
        if (value is JsonNull) return null
        fun number(key: String) = value.jsonObject.getValue(key).jsonPrimitive.double
        return Eyes(number("x"), number("y"), number("distance"))
    }

    private fun JsonObject.text(key: String): String = getValue(key).jsonPrimitive.content

    private fun JsonObject.list(key: String): JsonArray = getValue(key).jsonArray
}

/** Bits of float32, each as 8 hex digits. */
fun hexBits(values: FloatArray): List<String> = values.map { "%08x".format(it.toRawBits()) }
