package fauxlens.app

import android.content.Context
import android.content.res.Resources
import android.text.format.DateUtils
import android.widget.TextView
import fauxlens.core.Label
import fauxlens.core.OperatingPoint
import java.text.NumberFormat

/** A verdict's words, icon and colours: never the colour alone. */
data class Look(val words: Int, val icon: Int, val colour: Int, val ground: Int)

/** What a verdict looks like. */
val Label.look: Look
    get() = when (this) {
        Label.REAL -> Look(R.string.verdict_real, R.drawable.verdict_real, R.color.real, R.drawable.ground_real)
        Label.UNSURE ->
            Look(R.string.verdict_unsure, R.drawable.verdict_unsure, R.color.unsure, R.drawable.ground_unsure)
        Label.FAKE -> Look(R.string.verdict_fake, R.drawable.verdict_fake, R.color.fake, R.drawable.ground_fake)
    }

/** The name of an operating point. */
val OperatingPoint.title: Int
    get() = when (this) {
        OperatingPoint.BALANCED -> R.string.point_balanced
        OperatingPoint.FPR_1 -> R.string.point_fpr_1
        OperatingPoint.FPR_05 -> R.string.point_fpr_05
    }

/** What an operating point was set for; %1$s is its threshold. */
val OperatingPoint.meaning: Int
    get() = when (this) {
        OperatingPoint.BALANCED -> R.string.point_balanced_meaning
        OperatingPoint.FPR_1 -> R.string.point_fpr_1_meaning
        OperatingPoint.FPR_05 -> R.string.point_fpr_05_meaning
    }

/** What is being done, in words. */
val Stage.words: Int
    get() = when (this) {
        Stage.READING -> R.string.stage_reading
        Stage.FINDING_FACE -> R.string.stage_finding_face
        Stage.JUDGING -> R.string.stage_judging
    }

/** A share 0..1 as per cent with so many decimals. */
fun Resources.percent(share: Double, decimals: Int = 1): String =
    NumberFormat.getPercentInstance(configuration.locales[0]).apply {
        minimumFractionDigits = decimals
        maximumFractionDigits = decimals
    }.format(share)

/** A probability as per cent; one that would be rounded to 0 or 100 is said to be under or over, as it never is. */
fun Resources.probability(value: Float): String = when {
    value >= 0.9995f -> getString(R.string.percent_over, percent(0.999))
    value < 0.0005f -> getString(R.string.percent_under, percent(0.001))
    else -> percent(value.toDouble())
}

/** A number with so many decimals, in the person's language. */
fun Resources.number(value: Double, decimals: Int): String =
    NumberFormat.getNumberInstance(configuration.locales[0]).apply {
        minimumFractionDigits = decimals
        maximumFractionDigits = decimals
    }.format(value)

/** Day and time of a moment in milliseconds since 1970, short, as the person writes them. */
fun Context.moment(time: Long): String = DateUtils.formatDateTime(
    this,
    time,
    DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_TIME or DateUtils.FORMAT_ABBREV_MONTH,
)

/** Sets the text if it is another: a live region speaks at every setting. */
fun TextView.say(words: CharSequence) {
    if (text.toString() != words.toString()) text = words
}
