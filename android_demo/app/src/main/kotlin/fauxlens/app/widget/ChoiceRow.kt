package fauxlens.app.widget

import android.content.Context
import android.util.AttributeSet
import android.view.View
import android.widget.RadioGroup

/** Radio buttons side by side; one below the other where they do not fit, as with large type. */
class ChoiceRow @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    RadioGroup(context, attributes) {

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        val needed = (0 until childCount).map { getChildAt(it) }.filter { it.visibility != View.GONE }.sumOf {
            it.measure(free, free)
            val margins = it.layoutParams as LayoutParams
            it.measuredWidth + margins.marginStart + margins.marginEnd
        }
        val available = MeasureSpec.getSize(widthMeasureSpec) - paddingStart - paddingEnd
        orientation = if (needed > available) VERTICAL else HORIZONTAL
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}
