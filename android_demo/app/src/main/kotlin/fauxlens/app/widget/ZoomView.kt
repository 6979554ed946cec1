package fauxlens.app.widget

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Matrix
import android.graphics.RectF
import android.os.Bundle
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.accessibility.AccessibilityNodeInfo
import fauxlens.app.R
import fauxlens.core.Square

/** A picture that two fingers, a double tap, or an action of TalkBack enlarge; enlarged, a finger moves it. */
class ZoomView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    PictureView(context, attributes) {

    private val zoomed = Matrix()
    private var zoom = 1f

    private val pinch = ScaleGestureDetector(
        context,
        object : ScaleGestureDetector.SimpleOnScaleGestureListener() {
            override fun onScale(detector: ScaleGestureDetector): Boolean {
                enlarge(detector.scaleFactor, detector.focusX, detector.focusY)
                return true
            }
        },
    )
    private val finger = GestureDetector(
        context,
        object : GestureDetector.SimpleOnGestureListener() {
            override fun onDown(event: MotionEvent): Boolean = true

            override fun onDoubleTap(event: MotionEvent): Boolean {
                enlarge(if (zoom > 1) 1 / zoom else STEP, event.x, event.y)
                return true
            }

            override fun onScroll(first: MotionEvent?, now: MotionEvent, distanceX: Float, distanceY: Float): Boolean {
                if (zoom > 1) move(-distanceX, -distanceY)
                return true
            }
        },
    )

    override fun show(picture: Bitmap, square: Square?, laid: Laid?) {
        if (picture !== this.picture) {
            zoom = 1f
            zoomed.reset()
        }
        super.show(picture, square, laid)
    }

    override fun fit(width: Int, height: Int) {
        super.fit(width, height)
        toView.postConcat(zoomed)
    }

    // TalkBack has the two actions below instead of a click.
    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        // With two fingers, or enlarged, the picture moves and not the page.
        if (event.pointerCount > 1 || zoom > 1) parent.requestDisallowInterceptTouchEvent(true)
        pinch.onTouchEvent(event)
        if (!pinch.isInProgress) finger.onTouchEvent(event)
        return true
    }

    private fun enlarge(factor: Float, x: Float, y: Float) {
        val wanted = (zoom * factor).coerceIn(1f, MOST)
        zoomed.postScale(wanted / zoom, wanted / zoom, x, y)
        zoom = wanted
        move(0f, 0f)
    }

    /** Moves the picture by so many pixels of this view, as far as no edge comes into it. */
    private fun move(right: Float, down: Float) {
        zoomed.postTranslate(right, down)
        val box = RectF(0f, 0f, width.toFloat(), height.toFloat()).also { zoomed.mapRect(it) }
        zoomed.postTranslate(back(box.left, box.right, width), back(box.top, box.bottom, height))
        if (zoom == 1f) zoomed.reset()
        fit(width, height)
        invalidate()
    }

    private fun back(start: Float, end: Float, size: Int): Float = when {
        start > 0 -> -start
        end < size -> size - end
        else -> 0f
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        for (id in listOf(R.string.zoom_in, R.string.zoom_out)) {
            info.addAction(AccessibilityNodeInfo.AccessibilityAction(id, resources.getString(id)))
        }
    }

    override fun performAccessibilityAction(action: Int, arguments: Bundle?): Boolean {
        val factor = when (action) {
            R.string.zoom_in -> STEP
            R.string.zoom_out -> 1 / STEP
            else -> return super.performAccessibilityAction(action, arguments)
        }
        enlarge(factor, width / 2f, height / 2f)
        return true
    }

    private companion object {
        const val STEP = 2f
        const val MOST = 6f
    }
}
