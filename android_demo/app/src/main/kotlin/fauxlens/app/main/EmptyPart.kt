package fauxlens.app.main

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.history.HistoryRow
import fauxlens.app.model.DetectorState
import fauxlens.app.model.HistoryEntry
import fauxlens.app.model.PictureState
import fauxlens.app.model.UiState
import fauxlens.app.model.generators
import fauxlens.app.state.PictureViewModel

/** What stands there before a picture: what the app is for, what a verdict is worth, and the newest verdicts. */
class EmptyPart(
    private val root: View,
    private val recent: View,
    private val viewModel: PictureViewModel,
    private val onErase: (Long) -> Unit,
    onAll: () -> Unit,
) {
    private val rows: ViewGroup = recent.find(R.id.recent_rows)
    private var shown: List<HistoryEntry>? = null

    init {
        recent.find<View>(R.id.recent_all).setOnClickListener { onAll() }
    }

    /** Shows it if there is no picture. */
    fun render(state: UiState) {
        val none = state.picture is PictureState.None
        root.visibility = if (none) View.VISIBLE else View.GONE
        recent.visibility = if (none && state.history.isNotEmpty()) View.VISIBLE else View.GONE
        if (!none) return
        root.find<TextView>(R.id.empty_knows).apply {
            val words = knows(state.detector)
            visibility = if (words == null) View.GONE else View.VISIBLE
            say(words.orEmpty())
        }
        val newest = state.history.take(MOST)
        if (newest == shown) return
        shown = newest
        rows.removeAllViews()
        for (entry in newest) {
            val row = LayoutInflater.from(root.context).inflate(R.layout.row_history, rows, false)
            HistoryRow(row, viewModel::openEntry, onErase).show(entry)
            rows.addView(row)
        }
    }

    private fun knows(detector: DetectorState): String? = when (detector) {
        DetectorState.Loading -> root.resources.getString(R.string.detector_loading)
        is DetectorState.Broken -> null
        is DetectorState.Ready -> detector.facts.generators.takeIf { it.isNotEmpty() }?.let {
            root.resources.getQuantityString(R.plurals.empty_knows, it.size, it.size, it.joinToString(", "))
        }
    }

    private companion object {
        const val MOST = 3
    }
}
