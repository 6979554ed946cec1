package fauxlens.app.widget

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.RectF
import android.util.AttributeSet
import android.view.View
import fauxlens.app.R
import fauxlens.app.common.probability
import kotlin.math.ceil

/**
 * The scale from real to AI-generated: three zones, a line at the operating point's threshold, a pointer at the
 * probability. The zones differ in pattern, too: empty, hatched, full. Mirrored in right-to-left scripts.
 */
class VerdictView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    View(context, attributes) {

    private val density = resources.displayMetrics.density
    private val track = 18 * density
    private val pointer = 9 * density
    private val words = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.text)
        textSize = resources.getDimension(R.dimen.scale_text)
    }
    private val real = fill(R.color.real)
    private val unsure = fill(R.color.unsure)
    private val fake = fill(R.color.fake)
    private val ink = fill(R.color.text)
    private val card = fill(R.color.card)
    private val edge = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 1.5f * density
    }

    private var zones = Zones(1.0, 1.0)
    private var probability = 0f

    /** Shows a probability on the scale of an operating point. */
    fun show(zones: Zones, probability: Float) {
        this.zones = zones
        this.probability = probability
        invalidate()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val tall = 2 * words.fontSpacing + pointer + track + 10 * density
        setMeasuredDimension(
            getDefaultSize(suggestedMinimumWidth, widthMeasureSpec),
            resolveSize(ceil(tall).toInt(), heightMeasureSpec),
        )
    }

    override fun onDraw(canvas: Canvas) {
        val top = words.fontSpacing + pointer + 2 * density
        val bottom = top + track
        zone(canvas, box(0.0, zones.unsureFrom, top), real, Pattern.EMPTY)
        zone(canvas, box(zones.unsureFrom, zones.fakeFrom, top), unsure, Pattern.HATCHED)
        zone(canvas, box(zones.fakeFrom, 1.0, top), fake, Pattern.FULL)

        val threshold = RectF(at(zones.fakeFrom), top - 3 * density, at(zones.fakeFrom), bottom + 5 * density)
        threshold.inset(-2.5f * density, 0f)
        canvas.drawRect(threshold, card)
        threshold.inset(density, 0f)
        canvas.drawRect(threshold, ink)

        val x = at(probability.toDouble())
        canvas.drawPath(
            Path().apply {
                moveTo(x, top)
                lineTo(x - pointer, top - pointer)
                lineTo(x + pointer, top - pointer)
                close()
            },
            ink,
        )
        words.isFakeBoldText = true
        write(canvas, resources.probability(probability), x, top - pointer - 4 * density)
        words.isFakeBoldText = false
        val base = bottom + 4 * density + words.fontSpacing - words.fontMetrics.descent
        write(canvas, resources.getString(R.string.scale_real), at(0.0), base)
        write(canvas, resources.getString(R.string.scale_fake), at(1.0), base)
    }

    private enum class Pattern { EMPTY, HATCHED, FULL }

    private fun box(from: Double, to: Double, top: Float): RectF =
        RectF(minOf(at(from), at(to)), top, maxOf(at(from), at(to)), top + track)

    private fun zone(canvas: Canvas, box: RectF, paint: Paint, pattern: Pattern) {
        if (box.isEmpty) return
        if (pattern == Pattern.FULL) canvas.drawRect(box, paint)
        edge.color = paint.color
        if (pattern == Pattern.HATCHED) {
            canvas.save()
            canvas.clipRect(box)
            var x = box.left - track
            while (x < box.right) {
                canvas.drawLine(x, box.bottom, x + track, box.top, edge)
                x += 6 * density
            }
            canvas.restore()
        }
        box.inset(edge.strokeWidth / 2, edge.strokeWidth / 2)
        canvas.drawRect(box, edge)
    }

    /** Where a share 0..1 lies, in pixels; the pointer at either end still fits. */
    private fun at(share: Double): Float {
        val span = width - 2 * pointer
        val along = if (layoutDirection == LAYOUT_DIRECTION_RTL) 1 - share else share
        return pointer + (span * along).toFloat()
    }

    /** Writes with its middle at `x`, as far as that stays within the view. */
    private fun write(canvas: Canvas, text: String, x: Float, base: Float) {
        val wide = words.measureText(text)
        canvas.drawText(text, (x - wide / 2).coerceIn(0f, maxOf(0f, width - wide)), base, words)
    }

    private fun fill(colour: Int) = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(colour) }
}
