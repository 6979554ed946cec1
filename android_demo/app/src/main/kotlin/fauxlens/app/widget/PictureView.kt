package fauxlens.app.widget

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.view.View
import fauxlens.app.R
import fauxlens.core.Square
import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min

/** A bitmap over a part of the picture; `where` in pixels of the picture, `alpha` 0..255; right of `until` it is not drawn. */
data class Laid(val bitmap: Bitmap, val where: RectF, val alpha: Int, val until: Float = Float.MAX_VALUE)

/**
 * A picture as large as fits, something laid over it, and the outline of the square that the detector looked at.
 *
 * The square may reach beyond the picture: then the ground beyond it shows, too.
 */
open class PictureView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    View(context, attributes) {

    private val highest = resources.getDimensionPixelSize(R.dimen.picture_most)
    private val ground = Paint().apply { color = context.getColor(R.color.picture_ground) }
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val shadow = stroke(R.color.outline_shadow, 4f)
    private val line = stroke(R.color.outline, 2f)
    private val thin = stroke(R.color.outline, 1f)
    private val extent = RectF()

    /** From pixels of the picture to those of this view. */
    protected val toView: Matrix = Matrix()

    protected var picture: Bitmap? = null
        private set
    protected var square: Square? = null
        private set
    private var laid: Laid? = null

    /** Squares of other faces, which are drawn thinner; in pixels of the picture. */
    var others: List<Square> = emptyList()
        set(value) {
            field = value
            invalidate()
        }

    /** Shows a picture; `square` in its pixels, null for no outline. */
    open fun show(picture: Bitmap, square: Square?, laid: Laid?) {
        val same = this.picture === picture && this.square == square
        this.picture = picture
        this.square = square
        this.laid = laid
        if (!same) {
            val before = RectF(extent)
            extent.set(0f, 0f, picture.width.toFloat(), picture.height.toFloat())
            square?.let { extent.union(rectangle(it)) }
            fit(width, height)
            if (extent != before) requestLayout()
        }
        invalidate()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = getDefaultSize(suggestedMinimumWidth, widthMeasureSpec)
        val tall = if (extent.isEmpty) 0 else ceil(width * extent.height() / extent.width()).toInt()
        setMeasuredDimension(width, resolveSize(min(tall, highest), heightMeasureSpec))
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) = fit(width, height)

    /** Finds out how the picture lies in a view of so many pixels. */
    protected open fun fit(width: Int, height: Int) {
        // A pixel of air, so that the outline of a square as large as the picture is not cut in half.
        val air = line.strokeWidth
        toView.setRectToRect(
            extent,
            RectF(air, air, max(air + 1, width - air), max(air + 1, height - air)),
            Matrix.ScaleToFit.CENTER,
        )
    }

    override fun onDraw(canvas: Canvas) {
        val bitmap = picture ?: return
        canvas.drawRect(extentInView(), ground)
        canvas.save()
        canvas.concat(toView)
        // By its edges, so that a density of the bitmap's own changes nothing.
        canvas.drawBitmap(bitmap, null, RectF(0f, 0f, bitmap.width.toFloat(), bitmap.height.toFloat()), smooth)
        laid?.let {
            smooth.alpha = it.alpha
            canvas.save()
            canvas.clipRect(it.where.left, it.where.top, min(it.where.right, it.until), it.where.bottom)
            canvas.drawBitmap(it.bitmap, null, it.where, smooth)
            canvas.restore()
            smooth.alpha = OPAQUE
        }
        canvas.restore()
        for (other in others) {
            canvas.drawRect(inView(other), shadow)
            canvas.drawRect(inView(other), thin)
        }
        square?.let { outline(canvas, inView(it)) }
    }

    /** Draws the outline of the square; `where` in pixels of this view. */
    protected open fun outline(canvas: Canvas, where: RectF) {
        // White on dark, so that it is seen on any picture.
        canvas.drawRect(where, shadow)
        canvas.drawRect(where, line)
    }

    /** All that is shown, in pixels of this view. */
    protected fun extentInView(): RectF = RectF().also { toView.mapRect(it, extent) }

    /** A square in pixels of this view. */
    protected fun inView(square: Square): RectF = RectF().also { toView.mapRect(it, rectangle(square)) }

    private fun stroke(colour: Int, width: Float) = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        color = context.getColor(colour)
        strokeWidth = width * resources.displayMetrics.density
    }

    companion object {
        const val OPAQUE: Int = 255

        /** The square's edges. */
        fun rectangle(square: Square): RectF = RectF(
            square.left.toFloat(),
            square.top.toFloat(),
            (square.left + square.side).toFloat(),
            (square.top + square.side).toFloat(),
        )
    }
}
