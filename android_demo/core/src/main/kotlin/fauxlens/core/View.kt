package fauxlens.core

import java.math.BigDecimal
import java.math.RoundingMode

internal const val UPRIGHT = "upright"
internal const val SQUARE = "square"
internal const val FACE = "face"
internal const val RESIZE = "resize"

/** One step of a view: `verb` is upright, square, face or resize; `number` is K, S or null. */
data class Step(val verb: String, val number: Double? = null) {

    /** The step as a view writes it, without needless zeros: `face(2.4)`. */
    val text: String
        get() = if (number == null) verb else "$verb(${fourDecimals(number)})"
}

/**
 * The view: one readable line that says exactly what happens to pixels before the graph, such as
 * `upright|face(2.4)|resize(224)`. The rules and their reasons stand in train/image/view.py; both accept the same texts
 * and give the same pixels. Make one with [parse], which checks it.
 */
data class View(val steps: List<Step>) {

    /** The one canonical way to write this view. */
    val text: String
        get() = steps.joinToString("|") { it.text }

    /** Side S of the result, in pixels. */
    val size: Int
        get() = steps.last().number?.toInt() ?: 0

    /** K of face(K), null if the view has no such step. */
    val faceFactor: Double?
        get() = steps.firstOrNull { it.verb == FACE }?.number

    /** Whether [look] needs eyes. */
    val needsEyes: Boolean
        get() = faceFactor != null

    internal val turnsUpright: Boolean
        get() = steps.first().verb == UPRIGHT

    /** The same part of the picture at another resolution; Refused outside 8 to 4096 pixels. */
    fun withSize(size: Int): View = parse(copy(steps = steps.dropLast(1) + Step(RESIZE, size.toDouble())).text)

    companion object {

        /** Parses a view; Refused names the step that is wrong and what is allowed. */
        fun parse(text: String): View = parseView(text)
    }
}

/** As Python's `f"{number:.4f}"` without trailing zeros: the double's exact value, half to even. */
private fun fourDecimals(number: Double): String {
    val rounded = BigDecimal(number).setScale(4, RoundingMode.HALF_EVEN)
    return if (rounded.signum() == 0) "0" else rounded.stripTrailingZeros().toPlainString()
}
