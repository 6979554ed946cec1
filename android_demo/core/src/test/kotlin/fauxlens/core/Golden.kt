package fauxlens.core

import java.io.File
import java.util.zip.GZIPInputStream
import java.util.zip.ZipInputStream

/** The golden files of tests/golden, which pytest holds against the Python code. */
internal object Golden {

    val folder: File = System.getProperty("fauxlens.golden")?.let(::File) ?: above(File("").absoluteFile)

    /** The cases of a golden JSON file. */
    fun cases(name: String): List<Json.Object> =
        (parseJson(text(name)) as Json.Array).items.map { it as Json.Object }.also { check(it.isNotEmpty()) }

    fun text(name: String): String = File(folder, name).readText()

    fun bytes(name: String): ByteArray = File(folder, name).readBytes()

    /** The files of sealed.zip.gz by name, such as "accepted/bundle/good". */
    fun sealed(): Map<String, ByteArray> {
        val files = LinkedHashMap<String, ByteArray>()
        ZipInputStream(GZIPInputStream(File(folder, "sealed.zip.gz").inputStream())).use { zip ->
            generateSequence { zip.nextEntry }.forEach { files[it.name] = zip.readBytes() }
        }
        return files
    }

    private fun above(from: File): File = generateSequence(from) { it.parentFile }
        .map { File(it, "tests/golden") }
        .firstOrNull { it.isDirectory }
        ?: error("tests/golden is not above $from: set the system property fauxlens.golden to it.")
}

internal operator fun Json.Object.get(key: String): Json = members.getValue(key)

internal val Json.text: String get() = (this as Json.Text).value
internal val Json.textOrNull: String? get() = (this as? Json.Text)?.value
internal val Json.int: Int get() = (this as Json.Number).text.toInt()
internal val Json.double: Double get() = (this as Json.Number).text.toDouble()
internal val Json.truth: Boolean get() = (this as Json.Truth).value
internal val Json.items: List<Json> get() = (this as Json.Array).items
internal val Json.members: Map<String, Json> get() = (this as Json.Object).members

internal val Json.eyes: Eyes?
    get() = (this as? Json.Array)?.items?.map { it.double }?.let { Eyes(it[0], it[1], it[2]) }

/** A float of its 8 hexadecimal digits. */
internal fun floatOf(digits: String): Float = Float.fromBits(digits.toLong(16).toInt())

internal fun floatsOf(json: Json): List<Float> = json.items.map { floatOf(it.text) }
