package fauxlens.core

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.CodingErrorAction

private const val DESCRIPTION_FILE = "fauxlens.json"
private const val LABELS_FILE = "labels.txt"
private const val IDENTIFIER = "TFL3"
private const val SHORTEST = 64
internal val LABELS = listOf("real", "fake")

/**
 * A detector file: a TFLite model followed by a sealed zip of `labels.txt` and `fauxlens.json`.
 *
 * `bytes` is the whole file, as an interpreter takes it; `view` is the description's, parsed; `sha256` is that of
 * `bytes`, 64 hexadecimal digits.
 */
class DetectorFile(val bytes: ByteArray, val description: Description, val view: View, val sha256: String) {

    companion object {

        /**
         * Reads a detector file; `name` is what errors call it. Refused where it is cut short, damaged, no TFLite
         * model, not made by Fauxlens, made by a newer one, or has a view that this app cannot follow.
         */
        fun read(bytes: ByteArray, name: String): DetectorFile {
            checkIdentifier(bytes, name)
            val members = readSealed(bytes, name).members
            val labels = members[LABELS_FILE]?.let { String(it, Charsets.ISO_8859_1) }
            val json = members[DESCRIPTION_FILE]
            if (members.size != 2 || json == null || labels != LABELS.joinToString("") { "$it\n" }) {
                throw Refused(Refusal.DETECTOR_MEMBERS, name, DESCRIPTION_FILE, LABELS_FILE)
            }
            val text = utf8(json) ?: throw Refused(Refusal.NOT_UTF8, "$name: $DESCRIPTION_FILE")
            val description = Description.parse(text, name)
            return DetectorFile(bytes, description, viewOf(description, name), sha256(bytes))
        }
    }
}

/** The text of strict UTF-8, null where it is something else. */
internal fun utf8(bytes: ByteArray): String? = try {
    Charsets.UTF_8.newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT)
        .decode(ByteBuffer.wrap(bytes))
        .toString()
} catch (_: CharacterCodingException) {
    null
}

private fun checkIdentifier(bytes: ByteArray, name: String) {
    if (bytes.size < SHORTEST || String(bytes, 4, 4, Charsets.ISO_8859_1) != IDENTIFIER) {
        throw Refused(Refusal.NOT_TFLITE, name)
    }
}

private fun viewOf(description: Description, name: String): View {
    val view = try {
        View.parse(description.view)
    } catch (error: Refused) {
        throw Refused(Message(Refusal.VIEW_UNKNOWN, name, error.said), error)
    }
    if (view.size != description.size) throw Refused(Refusal.VIEW_SIZE, name, description.size, view.text)
    return view
}
