package fauxlens.app.widget

import fauxlens.core.Square
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt

/** A corner of a square; `right` and `bottom` say which. */
enum class Corner(val right: Boolean, val bottom: Boolean) {
    TOP_LEFT(false, false),
    TOP_RIGHT(true, false),
    BOTTOM_LEFT(false, true),
    BOTTOM_RIGHT(true, true),
}

/** A picture's size in pixels and the smallest side that a square on it may have. */
data class Field(val width: Int, val height: Int, val smallest: Int)

/** The square moved by so many pixels, as far as it stays within the picture. */
fun Square.moved(right: Int, down: Int, field: Field): Square = copy(
    left = (left + right).coerceIn(0, max(0, field.width - side)),
    top = (top + down).coerceIn(0, max(0, field.height - side)),
)

/** The square with one corner pulled by so many pixels; the opposite corner stays. */
fun Square.pulled(corner: Corner, right: Int, down: Int, field: Field): Square {
    val across = if (corner.right) right else -right
    val along = if (corner.bottom) down else -down
    val roomAcross = if (corner.right) field.width - left else left + side
    val roomAlong = if (corner.bottom) field.height - top else top + side
    val most = max(1, min(roomAcross, roomAlong))
    val grown = (side + max(across, along)).coerceIn(min(field.smallest, most), most)
    return Square(
        if (corner.right) left else left + side - grown,
        if (corner.bottom) top else top + side - grown,
        grown,
    )
}

/** The square made larger or smaller around its middle, then moved into the picture. */
fun Square.scaled(factor: Double, field: Field): Square {
    val most = min(field.width, field.height)
    val grown = (side * factor).roundToInt().coerceIn(min(field.smallest, most), most)
    return Square(left + (side - grown) / 2, top + (side - grown) / 2, grown).moved(0, 0, field)
}
