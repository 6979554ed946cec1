package fauxlens.app.state

import android.os.Bundle
import fauxlens.app.model.Layer
import fauxlens.core.OperatingPoint
import fauxlens.core.Square

/**
 * What is on a first screen, small enough to outlive the process: Android saves it with the screen.
 *
 * `face` is the index of the face that is shown, `square` the one that the person was moving, null where there was none.
 */
data class SavedState(
    val origin: Origin?,
    val layer: Layer,
    val opacity: Int,
    val share: Int,
    val point: OperatingPoint,
    val face: Int,
    val square: Square?,
) {
    companion object {
        private const val LAYER = "state_layer"
        private const val OPACITY = "state_opacity"
        private const val SHARE = "state_share"
        private const val POINT = "state_point"
        private const val FACE = "state_face"
        private const val SQUARE = "state_square"

        /** Puts a state among what a screen saves. */
        fun save(state: SavedState, into: Bundle) {
            Origin.save(state.origin, into)
            into.putString(LAYER, state.layer.name)
            into.putInt(OPACITY, state.opacity)
            into.putInt(SHARE, state.share)
            into.putString(POINT, state.point.key)
            into.putInt(FACE, state.face)
            state.square?.let { into.putIntArray(SQUARE, intArrayOf(it.left, it.top, it.side)) }
        }

        /** The state among what a screen has saved, or null. */
        fun of(saved: Bundle): SavedState? {
            val layer = Layer.values().find { it.name == saved.getString(LAYER) } ?: return null
            val point = OperatingPoint.values().find { it.key == saved.getString(POINT) } ?: return null
            val square = saved.getIntArray(SQUARE)?.takeIf { it.size == 3 }?.let { (left, top, side) -> Square(left, top, side) }
            return SavedState(
                Origin.of(saved),
                layer,
                saved.getInt(OPACITY).coerceIn(0, 100),
                saved.getInt(SHARE).coerceIn(0, 100),
                point,
                saved.getInt(FACE),
                square,
            )
        }
    }
}
