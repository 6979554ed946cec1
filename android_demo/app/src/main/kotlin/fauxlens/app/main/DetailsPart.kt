package fauxlens.app.main

import android.content.res.Resources
import android.text.format.Formatter
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.number
import fauxlens.app.model.Details
import fauxlens.app.ui.fill
import fauxlens.app.ui.title

/** How a verdict came about, folded until it is asked for. */
class DetailsPart(root: View, open: Boolean) {
    private val rows: ViewGroup = root.find(R.id.details_rows)
    private val toggle: Button = root.find(R.id.details_toggle)
    private var shown: Details? = null

    /** Whether it is unfolded. */
    var open: Boolean = open
        private set

    init {
        toggle.setOnClickListener {
            this.open = !this.open
            fold()
        }
        fold()
    }

    private fun fold() {
        rows.visibility = if (open) View.VISIBLE else View.GONE
        toggle.setText(if (open) R.string.details_hide else R.string.details_show)
    }

    /** Shows the details of a verdict. */
    fun render(details: Details) {
        if (details == shown) return
        shown = details
        rows.fill(lines(rows.resources, Formatter.formatShortFileSize(rows.context, details.bytes.toLong()), details))
    }
}

private fun lines(resources: Resources, bytes: String, details: Details): List<Pair<String, String>> = with(resources) {
    listOfNotNull(
        getString(R.string.detail_detector) to
            getString(R.string.detail_detector_value, details.detector, details.variant),
        getString(R.string.detail_view) to details.view,
        getString(R.string.detail_front_end) to details.frontEnd,
        getString(R.string.detail_picture) to
            getString(R.string.detail_picture_value, details.format, details.width, details.height, bytes),
        if (details.orientation == 1) {
            null
        } else {
            getString(R.string.detail_turned) to getString(R.string.detail_turned_value, details.orientation)
        },
        if (details.sample == 1) {
            null
        } else {
            getString(R.string.detail_sample) to getString(R.string.detail_sample_value, details.sample)
        },
        details.square?.let {
            getString(R.string.detail_square) to getString(R.string.detail_square_value, it.side, it.left, it.top)
        },
        details.faces?.let { getString(R.string.detail_faces) to number(it.toDouble(), 0) },
        getString(R.string.detail_runtime) to getQuantityString(
            R.plurals.detail_runtime_value,
            details.threads,
            details.threads,
            details.runtime,
            getString(details.accelerator.title),
        ),
        getString(R.string.detail_times) to getString(
            R.string.detail_times_value,
            number(details.latencyMs, 1),
            number(details.decodeMs, 0),
            number(details.viewMs, 0),
        ),
    )
}
