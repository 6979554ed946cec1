package fauxlens.app.history

import android.graphics.BitmapFactory
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.moment
import fauxlens.app.common.probability
import fauxlens.app.model.HistoryEntry
import fauxlens.app.ui.look
import fauxlens.app.ui.words

/** A remembered verdict as a row: touched it opens, and a button erases it. */
class HistoryRow(private val root: View, private val onOpen: (Long) -> Unit, private val onErase: (Long) -> Unit) {
    private val thumbnail: ImageView = root.find(R.id.entry_thumbnail)
    private val words: TextView = root.find(R.id.entry_words)
    private val moment: TextView = root.find(R.id.entry_when)
    private val open: View = root.find(R.id.entry_open)
    private val erase: View = root.find(R.id.entry_erase)
    private var shown: HistoryEntry? = null

    /** Shows an entry. */
    fun show(entry: HistoryEntry) {
        if (entry == shown) return
        shown = entry
        val resources = root.resources
        val look = entry.label.look
        val time = root.context.moment(entry.time)
        val verdict = resources.getString(look.words)
        val probability = resources.probability(entry.probability)
        words.text = resources.getString(R.string.entry_words, verdict, probability)
        words.setTextColor(root.context.getColor(look.colour))
        moment.text = time
        // At most 256 pixels: decoded in a millisecond or two.
        thumbnail.setImageBitmap(BitmapFactory.decodeFile(entry.thumbnail.path))
        open.contentDescription = resources.getString(R.string.entry_spoken, verdict, probability, time)
        open.setOnClickListener { onOpen(entry.id) }
        erase.contentDescription = resources.getString(R.string.erase_one, time)
        erase.setOnClickListener { onErase(entry.id) }
        val icon = root.context.getDrawable(look.icon)?.mutate()?.apply {
            setTint(root.context.getColor(look.colour))
            val side = words.textSize.toInt()
            setBounds(0, 0, side, side)
        }
        words.setCompoundDrawablesRelative(icon, null, null, null)
    }
}
