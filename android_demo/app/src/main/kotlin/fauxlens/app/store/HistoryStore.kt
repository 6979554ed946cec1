package fauxlens.app.store

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.common.writeAtomically
import fauxlens.app.model.HistoryEntry
import fauxlens.app.model.Keep
import fauxlens.app.picture.thumbnailOf
import fauxlens.core.Label
import fauxlens.core.OperatingPoint
import fauxlens.core.Verdict
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.IOException
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** The verdicts that are remembered, newest first, and what was wrong with them, if anything. */
data class Remembered(val entries: List<HistoryEntry>, val note: Sentence? = null)

/**
 * The history: an index and thumbnails in a folder of the app's own storage; nothing leaves the device.
 *
 * For one thread at a time. `mostEntries` are kept, the oldest go first. `clock` gives milliseconds since 1970.
 */
class HistoryStore(
    private val folder: File,
    private val mostEntries: Int = 200,
    private val clock: () -> Long = System::currentTimeMillis,
) {
    private val index = File(folder, "index.json")
    private var entries: List<HistoryEntry> = emptyList()

    /** Reads the index. A damaged one is taken for empty, with a note: the app goes on without its history. */
    fun load(): Remembered {
        var note: Sentence? = null
        entries = try {
            // An entry without its thumbnail is of no use; it goes at the next change.
            if (index.exists()) fromJson(index.readText()).filter { it.thumbnail.isFile } else emptyList()
        } catch (_: JSONException) {
            note = Sentence.of(R.string.note_history_damaged)
            emptyList()
        } catch (_: IOException) {
            note = Sentence.of(R.string.note_history_damaged)
            emptyList()
        }
        return Remembered(entries, note)
    }

    /** Remembers a verdict; `preview` is upright. */
    fun add(preview: Bitmap, verdict: Verdict, detector: String): Remembered = changed {
        val id = maxOf(clock(), 1 + (entries.maxOfOrNull { it.id } ?: 0))
        val thumbnail = thumbnailFile(id)
        writeAtomically(thumbnail, codedThumbnailOf(preview))
        val entry = HistoryEntry(
            id,
            clock(),
            verdict.label,
            verdict.probability,
            verdict.point,
            verdict.threshold,
            detector,
            thumbnail,
        )
        (listOf(entry) + entries).take(mostEntries)
    }

    fun erase(id: Long): Remembered = erased { it.id == id }

    fun eraseAll(): Remembered = erased { true }

    /** Erases what is not to be kept any longer. */
    fun prune(keep: Keep): Remembered = when (keep) {
        Keep.FOREVER -> Remembered(entries)
        Keep.MONTH -> erased { it.time < clock() - MONTH_MILLISECONDS }
        Keep.NOTHING -> eraseAll()
    }

    /** Pictures go first: on a full disk the index cannot be written, but an entry without its picture is none. */
    private fun erased(which: (HistoryEntry) -> Boolean): Remembered {
        val gone = entries.filter { which(it) && (it.thumbnail.delete() || !it.thumbnail.exists()) }.toSet()
        entries = entries.filter { it !in gone }
        return changed { entries }
    }

    /** An entry by its number, null where there is none any more. */
    fun find(id: Long): HistoryEntry? = entries.firstOrNull { it.id == id }

    /** The kept picture of an entry; throws Trouble if it is gone. */
    fun thumbnail(entry: HistoryEntry): Bitmap =
        BitmapFactory.decodeFile(entry.thumbnail.path) ?: throw Trouble(R.string.trouble_thumbnail)

    private fun changed(change: () -> List<HistoryEntry>): Remembered = try {
        val after = change()
        writeAtomically(index, toJson(after).toByteArray())
        entries = after
        removeOthers()
        Remembered(entries)
    } catch (_: IOException) {
        // Most likely no space is left; the verdict on the screen is none the worse.
        Remembered(entries, Sentence.of(R.string.note_history_not_kept))
    }

    /** Whatever no entry names goes, so that "erase" leaves nothing behind, not even after a crash. */
    private fun removeOthers() {
        val kept = entries.mapTo(HashSet()) { it.thumbnail.name } + index.name
        folder.listFiles().orEmpty().filter { it.name !in kept }.forEach { it.delete() }
    }

    private fun thumbnailFile(id: Long): File = File(folder, "$id.jpg")

    private fun toJson(entries: List<HistoryEntry>): String {
        val plain = entries.map {
            JSONObject()
                .put("id", it.id)
                .put("time", it.time)
                .put("label", it.label.key)
                .put("probability", it.probability.toDouble())
                .put("point", it.point.key)
                .put("threshold", it.threshold)
                .put("detector", it.detector)
        }
        return JSONObject().put("format", FORMAT).put("entries", JSONArray(plain)).toString(1)
    }

    private fun fromJson(text: String): List<HistoryEntry> {
        val plain = JSONObject(text)
        if (plain.getInt("format") != FORMAT) throw JSONException("another format")
        val list = plain.getJSONArray("entries")
        return List(list.length()) { fromJson(list.getJSONObject(it)) }
    }

    private fun fromJson(plain: JSONObject): HistoryEntry = HistoryEntry(
        id = plain.getLong("id"),
        time = plain.getLong("time"),
        label = Label.values().firstOrNull { it.key == plain.getString("label") }
            ?: throw JSONException("no such label"),
        probability = plain.getDouble("probability").toFloat(),
        point = OperatingPoint.values().firstOrNull { it.key == plain.getString("point") }
            ?: throw JSONException("no such operating point"),
        threshold = plain.getDouble("threshold"),
        detector = plain.getString("detector"),
        thumbnail = thumbnailFile(plain.getLong("id")),
    )
}

private const val FORMAT = 1
private const val MONTH_MILLISECONDS = 30L * 24 * 60 * 60 * 1000
private const val THUMBNAIL_QUALITY = 85

private fun codedThumbnailOf(preview: Bitmap): ByteArray {
    val bitmap = thumbnailOf(preview)
    val coded = ByteArrayOutputStream()
    bitmap.compress(Bitmap.CompressFormat.JPEG, THUMBNAIL_QUALITY, coded)
    bitmap.recycle()
    return coded.toByteArray()
}
