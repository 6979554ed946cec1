package fauxlens.app.widget

import android.annotation.SuppressLint
import android.annotation.TargetApi
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.Path
import android.graphics.PointF
import android.graphics.Rect
import android.graphics.RectF
import android.os.Build
import android.os.Bundle
import android.util.AttributeSet
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import fauxlens.app.R
import fauxlens.app.common.percent
import fauxlens.core.Square
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.roundToInt

/** A way to change the square without dragging: by a button, a key, or an action of TalkBack. */
enum class Nudge(val title: Int, val right: Int, val down: Int, val factor: Double) {
    LEFT(R.string.square_left, -1, 0, 1.0),
    RIGHT(R.string.square_right, 1, 0, 1.0),
    UP(R.string.square_up, 0, -1, 1.0),
    DOWN(R.string.square_down, 0, 1, 1.0),
    LARGER(R.string.square_larger, 0, 0, 1.1),
    SMALLER(R.string.square_smaller, 0, 0, 1 / 1.1),
}

/** The picture with a square that can be dragged, pulled by its corners, or nudged. `onSquare` hears of each change. */
class SquareView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    PictureView(context, attributes) {

    /** Called with the square that the person wants, in pixels of the picture. */
    var onSquare: (Square) -> Unit = {}

    private val reach = resources.getDimension(R.dimen.touch) / 2
    private val dim = Paint().apply { color = context.getColor(R.color.dim) }
    private val knob = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.outline) }
    private val knobEdge = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.outline_shadow) }
    private val density = resources.displayMetrics.density

    private var field = Field(1, 1, 1)
    private var drag: Drag? = null

    private class Drag(val start: PointF, val square: Square, val corner: Corner?)

    /** Shows the picture and the square on it; both in pixels of the picture. */
    fun show(picture: Bitmap, square: Square, smallest: Int) {
        field = Field(picture.width, picture.height, smallest)
        show(picture, square, null)
        contentDescription = resources.getString(
            R.string.square_spoken,
            resources.percent((square.left + square.side / 2.0) / picture.width, 0),
            resources.percent((square.top + square.side / 2.0) / picture.height, 0),
            resources.percent(square.side.toDouble() / picture.width, 0),
        )
    }

    /** Moves the square by a twentieth of its side, or makes it a tenth larger or smaller; false where it cannot be. */
    fun nudge(nudge: Nudge): Boolean {
        val present = square ?: return false
        val step = max(1, present.side / 20)
        val wanted = present.scaled(nudge.factor, field).moved(nudge.right * step, nudge.down * step, field)
        if (wanted == present) return false
        onSquare(wanted)
        return true
    }

    // A drag has no click; whoever cannot drag has keys, TalkBack's actions and the buttons below.
    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> drag = begin(event.x, event.y)
            MotionEvent.ACTION_MOVE -> drag?.let { follow(it, event.x, event.y) }
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> {
                drag = null
                parent.requestDisallowInterceptTouchEvent(false)
            }
        }
        return drag != null || event.actionMasked == MotionEvent.ACTION_UP
    }

    private fun begin(x: Float, y: Float): Drag? {
        val present = square ?: return null
        val box = inView(present)
        val nearest = Corner.values().minByOrNull { distance(it, box, x, y) }
        val corner = nearest?.takeIf { distance(it, box, x, y) <= reach }
        if (corner == null && !box.contains(x, y)) return null
        // Not the page scrolls now, but the square.
        parent.requestDisallowInterceptTouchEvent(true)
        requestFocus()
        return Drag(PointF(x, y), present, corner)
    }

    private fun distance(corner: Corner, box: RectF, x: Float, y: Float): Float =
        max(abs((if (corner.right) box.right else box.left) - x), abs((if (corner.bottom) box.bottom else box.top) - y))

    private fun follow(drag: Drag, x: Float, y: Float) {
        val inverse = Matrix()
        if (!toView.invert(inverse)) return
        val way = floatArrayOf(x - drag.start.x, y - drag.start.y)
        inverse.mapVectors(way)
        val (right, down) = way.map { it.roundToInt() }
        val wanted = when (drag.corner) {
            null -> drag.square.moved(right, down, field)
            else -> drag.square.pulled(drag.corner, right, down, field)
        }
        if (wanted != square) onSquare(wanted)
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean {
        val nudge = when (keyCode) {
            KeyEvent.KEYCODE_DPAD_LEFT -> Nudge.LEFT
            KeyEvent.KEYCODE_DPAD_RIGHT -> Nudge.RIGHT
            KeyEvent.KEYCODE_DPAD_UP -> Nudge.UP
            KeyEvent.KEYCODE_DPAD_DOWN -> Nudge.DOWN
            KeyEvent.KEYCODE_PLUS, KeyEvent.KEYCODE_NUMPAD_ADD -> Nudge.LARGER
            KeyEvent.KEYCODE_MINUS, KeyEvent.KEYCODE_NUMPAD_SUBTRACT -> Nudge.SMALLER
            else -> return super.onKeyDown(keyCode, event)
        }
        // A square at the edge lets the key go on, so that it moves the focus to what lies there.
        return nudge(nudge) || super.onKeyDown(keyCode, event)
    }

    override fun fit(width: Int, height: Int) {
        super.fit(width, height)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) Exclusion.set(this, square?.let { corners(inView(it)) })
    }

    /** Where the corners may be touched. Pulled inwards from the screen's edge they are no gesture to go back. */
    private fun corners(box: RectF): List<Rect> = Corner.values().map { corner ->
        val x = if (corner.right) box.right else box.left
        val y = if (corner.bottom) box.bottom else box.top
        Rect((x - reach).toInt(), (y - reach).toInt(), (x + reach).toInt(), (y + reach).toInt())
    }

    @TargetApi(Build.VERSION_CODES.Q)
    private object Exclusion {
        fun set(view: View, rectangles: List<Rect>?) {
            view.systemGestureExclusionRects = rectangles.orEmpty()
        }
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        for (nudge in Nudge.values()) {
            info.addAction(AccessibilityNodeInfo.AccessibilityAction(idOf(nudge), resources.getString(nudge.title)))
        }
    }

    override fun performAccessibilityAction(action: Int, arguments: Bundle?): Boolean {
        val nudge = Nudge.values().firstOrNull { idOf(it) == action }
            ?: return super.performAccessibilityAction(action, arguments)
        nudge(nudge)
        return true
    }

    override fun outline(canvas: Canvas, where: RectF) {
        val outside = Path().apply {
            fillType = Path.FillType.EVEN_ODD
            addRect(extentInView(), Path.Direction.CW)
            addRect(where, Path.Direction.CW)
        }
        canvas.drawPath(outside, dim)
        super.outline(canvas, where)
        for (corner in Corner.values()) {
            val x = if (corner.right) where.right else where.left
            val y = if (corner.bottom) where.bottom else where.top
            canvas.drawCircle(x, y, 10 * density, knobEdge)
            canvas.drawCircle(x, y, 8 * density, knob)
        }
    }

    // Actions of one's own need ids that Android does not use: the strings' are.
    private fun idOf(nudge: Nudge): Int = nudge.title
}
