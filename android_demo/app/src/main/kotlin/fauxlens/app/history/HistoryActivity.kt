package fauxlens.app.history

import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.ListView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.model.AppState
import fauxlens.app.model.HistoryEntry
import fauxlens.app.state.AppModel
import fauxlens.app.ui.Screen

/** The verdicts that were kept on this device: opened, erased one by one, or all at once. */
class HistoryActivity : Screen<AppState>(R.layout.activity_history) {
    override val holder: AppModel get() = model
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
        entries = model.state.history
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

    override fun render(state: AppState) {
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
            .setPositiveButton(R.string.erase) { _, _ -> model.eraseHistory() }
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
                it.tag = HistoryRow(it, ::open, model::erase)
            }
            (view.tag as HistoryRow).show(entries[position])
            return view
        }

        private fun open(id: Long) {
            // The first screen that asked for the history shows it.
            setResult(RESULT_OK, Intent().putExtra(ENTRY, id))
            finish()
        }
    }

    companion object {
        /** The result's extra: the number of the entry that is to be shown, a Long. */
        const val ENTRY: String = "entry"

        private const val ASKING = "asking"
    }
}
