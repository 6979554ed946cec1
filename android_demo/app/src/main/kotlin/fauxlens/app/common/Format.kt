package fauxlens.app.common

import android.content.Context
import android.content.res.Resources
import android.text.format.DateUtils
import android.widget.TextView
import fauxlens.app.R
import java.text.NumberFormat

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
