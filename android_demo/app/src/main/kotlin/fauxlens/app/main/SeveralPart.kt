package fauxlens.app.main

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.probability
import fauxlens.app.common.say
import fauxlens.app.model.PictureState
import fauxlens.app.model.SeveralItem
import fauxlens.app.state.PictureViewModel
import fauxlens.app.ui.look

/** Several pictures that were shared together, each with its verdict; touched, one is opened. */
class SeveralPart(private val root: View, private val viewModel: PictureViewModel) {
    private val rows: ViewGroup = root.find(R.id.several_rows)
    private var shown: List<SeveralItem> = emptyList()

    /** Shows them; null hides it. */
    fun render(several: PictureState.Several?) {
        root.visibility = if (several == null) View.GONE else View.VISIBLE
        if (several == null) return
        root.find<TextView>(R.id.several_progress)
            .say(root.resources.getString(R.string.several_progress, several.items.size, several.total))
        // Items only come to those that are there.
        if (several.items.take(shown.size) != shown) rows.removeAllViews()
        for (item in several.items.drop(rows.childCount)) rows.addView(row(item))
        shown = several.items
    }

    private fun row(item: SeveralItem): View {
        val row = LayoutInflater.from(rows.context).inflate(R.layout.row_history, rows, false)
        val resources = rows.resources
        val verdict = item.verdict
        val words = if (verdict == null) item.sentence?.text(resources).orEmpty() else {
            val probability = resources.probability(verdict.probability)
            resources.getString(R.string.entry_words, resources.getString(verdict.label.look.words), probability)
        }
        row.find<ImageView>(R.id.entry_thumbnail).setImageBitmap(item.thumbnail)
        row.find<TextView>(R.id.entry_words).apply {
            text = words
            setTextColor(context.getColor(verdict?.label?.look?.colour ?: R.color.text))
        }
        row.find<View>(R.id.entry_when).visibility = View.GONE
        row.find<View>(R.id.entry_erase).visibility = View.GONE
        row.find<View>(R.id.entry_open).apply {
            contentDescription = words
            setOnClickListener { viewModel.open(item.uri) }
        }
        return row
    }
}
