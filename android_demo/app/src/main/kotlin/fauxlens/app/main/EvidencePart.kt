package fauxlens.app.main

import android.content.res.Resources
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.common.sentenceOf
import fauxlens.app.model.Judged
import fauxlens.app.ui.fill
import fauxlens.core.marks.Kind
import fauxlens.core.marks.Row
import fauxlens.core.marks.Strength
import fauxlens.core.marks.summaryOf

/** What the file says about itself, row by row, and one line over all evidence; before the score. */
class EvidencePart(root: View) {
    private val rows: ViewGroup = root.find(R.id.evidence_rows)
    private val summary: TextView = root.find(R.id.evidence_summary)
    private var shown: List<Row>? = null

    /** Shows the evidence of a picture. */
    fun render(judged: Judged) {
        summary.say(evidenceSummary(summary.resources, judged))
        if (judged.marks == shown) return
        shown = judged.marks
        rows.fill(judged.marks.map { headingOf(rows.resources, it) to sentenceOf(it.message).text(rows.resources) })
    }
}

/** One or two sentences that claim no more than the strongest row does. */
fun evidenceSummary(resources: Resources, judged: Judged): String {
    val verdict = judged.worst.verdict
    return summaryOf(judged.marks, verdict.label, verdict.point).joinToString(" ") { sentenceOf(it).text(resources) }
}

private fun headingOf(resources: Resources, row: Row): String {
    val kind = resources.getString(
        when (row.kind) {
            Kind.FILE -> R.string.evidence_file
            Kind.PROVENANCE -> R.string.evidence_provenance
            Kind.METADATA -> R.string.evidence_metadata
        },
    )
    val strength = when (row.strength) {
        Strength.NONE -> return kind
        Strength.WEAK -> R.string.evidence_weak
        Strength.MEDIUM -> R.string.evidence_medium
    }
    return resources.getString(R.string.evidence_heading, kind, resources.getString(strength))
}
