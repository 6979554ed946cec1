package fauxlens.app.selftest

import android.content.res.Resources
import android.view.View
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.number
import fauxlens.app.common.sentenceOf
import fauxlens.core.Item

/** Whether the type is too large, or the screen too narrow, for four columns. */
fun fewColumns(resources: Resources): Boolean = with(resources.configuration) { screenWidthDp < LEAST_DP * fontScale }

// Four columns of type at its usual size need as much.
private const val LEAST_DP = 300

/** Shows one reference of the self-test in a row of the table; `named`: the row has no head that says what is what. */
fun View.showItem(item: Item, named: Boolean) {
    // Four decimals are for reading; what passes is decided on bits.
    val expected = resources.number(item.expected.toDouble(), 4)
    val got = item.got?.let { resources.number(it.toDouble(), 4) } ?: resources.getString(R.string.item_nothing)
    val troubles = troubles(item).joinToString(" ")
    find<TextView>(R.id.item_name).apply {
        text = item.name
        setTextColor(context.getColor(R.color.text))
    }
    find<TextView>(R.id.item_expected).text =
        if (named) resources.getString(R.string.item_expected_is, expected) else expected
    find<TextView>(R.id.item_got).text = if (named) resources.getString(R.string.item_got_is, got) else got
    find<TextView>(R.id.item_pass).apply {
        setText(if (item.passed) R.string.item_passed else R.string.item_failed)
        setTextColor(context.getColor(if (item.passed) R.color.real else R.color.fake))
    }
    find<TextView>(R.id.item_trouble).apply {
        text = troubles
        setTextColor(context.getColor(if (item.passed) R.color.text_quiet else R.color.fake))
        visibility = if (troubles.isEmpty()) View.GONE else View.VISIBLE
    }
    contentDescription = if (item.passed) {
        resources.getString(R.string.item_spoken_passed, item.name, expected, got)
    } else {
        resources.getString(R.string.item_spoken_failed, item.name, expected, got, troubles)
    }
}

/** What is not as it should be; differences that the guarantee allows (a GPU's last bits) are told, too. */
private fun View.troubles(item: Item): List<String> {
    if (item.errors.isNotEmpty()) return item.errors.map { sentenceOf(it).text(resources) }
    return listOfNotNull(
        if (item.decodedEqual) null else R.string.item_decoded_differs,
        if (item.viewEqual) null else R.string.item_view_differs,
        if (item.scoresEqual) null else R.string.item_scores_differ,
        if (item.heatmapEqual) null else R.string.item_heatmap_differs,
        if (item.verdictGot == item.verdictExpected) null else R.string.item_verdict_differs,
    ).map(resources::getString)
}
