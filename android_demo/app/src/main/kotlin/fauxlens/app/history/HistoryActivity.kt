package fauxlens.app.history

import android.app.AlertDialog
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.ListView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.model.HistoryEntry
import fauxlens.app.model.UiState
import fauxlens.app.ui.Screen

/** The verdicts that were kept on this device: opened, erased one by one, or all at once. */
class HistoryActivity : Screen(R.layout.activity_history) {
    private var entries: List<HistoryEntry> = emptyList()
    private var question: AlertDialog? = null
    private val rows = Rows()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        find<ListView>(R.id.entries).apply {
            itemsCanFocus = true
            adapter = rows
        }
        find<View>(R.id.erase_all).setOnClickListener { ask() }
        entries = viewModel.state.history
        if (savedInstanceState?.getBoolean(ASKING) == true) ask()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(ASKING, question?.isShowing == true)
    }

    override fun onDestroy() {
        question?.dismiss()
        super.onDestroy()
    }

    override fun render(state: UiState) {
        entries = state.history
        rows.notifyDataSetChanged()
        val none = entries.isEmpty()
        find<View>(R.id.entries).visibility = if (none) View.GONE else View.VISIBLE
        find<View>(R.id.erase_part).visibility = if (none) View.GONE else View.VISIBLE
        find<View>(R.id.entries_none).visibility = if (none) View.VISIBLE else View.GONE
        find<TextView>(R.id.history_note).apply {
            say(state.historyNote?.text(resources).orEmpty())
            visibility = if (state.historyNote == null) View.GONE else View.VISIBLE
        }
    }

    private fun ask() {
        if (entries.isEmpty()) return
        question = AlertDialog.Builder(this)
            .setMessage(resources.getQuantityString(R.plurals.erase_all_question, entries.size, entries.size))
            .setPositiveButton(R.string.erase) { _, _ -> viewModel.eraseHistory() }
            .setNegativeButton(R.string.keep, null)
            .show()
    }

    private inner class Rows : BaseAdapter() {
        override fun getCount(): Int = entries.size

        override fun getItem(position: Int): Any = entries[position]

        override fun getItemId(position: Int): Long = entries[position].id

        override fun hasStableIds(): Boolean = true

        override fun getView(position: Int, convertView: View?, parent: ViewGroup): View {
            val view = convertView ?: layoutInflater.inflate(R.layout.row_history_list, parent, false).also {
                it.tag = HistoryRow(it, ::open, viewModel::erase)
            }
            (view.tag as HistoryRow).show(entries[position])
            return view
        }

        private fun open(id: Long) {
            viewModel.openHistory(id)
            // The first screen shows it.
            finish()
        }
    }

    private companion object {
        const val ASKING = "asking"
    }
}
