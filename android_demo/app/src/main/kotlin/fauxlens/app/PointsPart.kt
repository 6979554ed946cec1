package fauxlens.app

import android.text.Spannable
import android.text.SpannableStringBuilder
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.view.View
import android.widget.RadioButton
import fauxlens.core.OperatingPoint

/** The choice of an operating point, each with what it was set for. */
class PointsPart(private val root: View, holder: Holder) {
    private val buttons: Map<OperatingPoint, RadioButton> = mapOf(
        OperatingPoint.BALANCED to root.find(R.id.point_balanced),
        OperatingPoint.FPR_1 to root.find(R.id.point_fpr_1),
        OperatingPoint.FPR_05 to root.find(R.id.point_fpr_05),
    )

    init {
        for ((point, button) in buttons) button.setOnClickListener { holder.choose(point) }
    }

    /** Shows which is chosen. */
    fun render(chosen: OperatingPoint, facts: DetectorFacts?) {
        for ((point, button) in buttons) {
            button.isChecked = point == chosen
            val meaning = facts?.thresholds?.get(point)
                ?.let { root.resources.getString(point.meaning, root.resources.percent(it)) }
            button.say(button.titled(root.resources.getString(point.title), meaning.orEmpty()))
        }
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
