package fauxlens.app.widget

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import fauxlens.app.R
import fauxlens.app.common.number
import fauxlens.app.model.Bins
import kotlin.math.ceil

/** A small histogram of times in milliseconds, from the shortest to the longest. */
class HistogramView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    View(context, attributes) {

    private val density = resources.displayMetrics.density
    private val bars = Paint().apply { color = context.getColor(R.color.accent) }
    private val line = Paint().apply { color = context.getColor(R.color.line) }
    private val words = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.text_quiet)
        textSize = resources.getDimension(R.dimen.scale_text)
    }
    private var bins = Bins(0.0, 0.0, emptyList())

    /** Shows so many times. */
    fun show(bins: Bins) {
        this.bins = bins
        invalidate()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) = setMeasuredDimension(
        getDefaultSize(suggestedMinimumWidth, widthMeasureSpec),
        resolveSize(ceil(72 * density + words.fontSpacing).toInt(), heightMeasureSpec),
    )

    override fun onDraw(canvas: Canvas) {
        val most = bins.counts.maxOrNull() ?: return
        if (most == 0) return
        val floor = height - words.fontSpacing
        val wide = width.toFloat() / bins.counts.size
        bins.counts.forEachIndexed { index, count ->
            val place = if (layoutDirection == LAYOUT_DIRECTION_RTL) bins.counts.size - 1 - index else index
            val top = floor * (1 - count.toFloat() / most)
            canvas.drawRect(place * wide + density, top, (place + 1) * wide - density, floor, bars)
        }
        canvas.drawRect(0f, floor, width.toFloat(), floor + density, line)
        val (start, end) = listOf(bins.low, bins.high)
            .map { resources.getString(R.string.milliseconds, resources.number(it, 1)) }
            .let { if (layoutDirection == LAYOUT_DIRECTION_RTL) it.reversed() else it }
        val base = height - words.fontMetrics.descent
        canvas.drawText(start, 0f, base, words)
        canvas.drawText(end, width - words.measureText(end), base, words)
    }
}
