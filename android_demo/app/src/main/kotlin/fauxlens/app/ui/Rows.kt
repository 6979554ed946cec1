package fauxlens.app.ui

import android.text.Spannable
import android.text.SpannableStringBuilder
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find

/** Replaces what is in a column by pairs of a name and what it stands for. */
fun ViewGroup.fill(lines: List<Pair<String, String>>) {
    removeAllViews()
    for ((name, value) in lines) {
        val row = LayoutInflater.from(context).inflate(R.layout.row_detail, this, false)
        row.find<TextView>(R.id.detail_name).text = name
        row.find<TextView>(R.id.detail_value).text = value
        addView(row)
    }
}

/** A title, and below it in smaller and quieter type what it means. */
fun View.titled(title: String, meaning: String): CharSequence {
    val text = SpannableStringBuilder(title)
    if (meaning.isEmpty()) return text
    val start = text.append('\n').length
    text.append(meaning)
    text.setSpan(RelativeSizeSpan(0.875f), start, text.length, Spannable.SPAN_EXCLUSIVE_EXCLUSIVE)
    text.setSpan(
        ForegroundColorSpan(context.getColor(R.color.text_quiet)),
        start,
        text.length,
        Spannable.SPAN_EXCLUSIVE_EXCLUSIVE,
    )
    return text
}
