package fauxlens.app.main

import android.view.View
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.model.PictureState
import fauxlens.app.state.PictureViewModel
import fauxlens.app.widget.Nudge
import fauxlens.app.widget.SquareView

/** Asks where the face is: a square to drag, buttons to move it. */
class SquarePart(private val root: View, private val viewModel: PictureViewModel) {
    private val picture: SquareView = root.find(R.id.square_picture)

    init {
        picture.onSquare = viewModel::moveSquare
        val buttons = mapOf(
            R.id.square_left to Nudge.LEFT,
            R.id.square_right to Nudge.RIGHT,
            R.id.square_up to Nudge.UP,
            R.id.square_down to Nudge.DOWN,
            R.id.square_larger to Nudge.LARGER,
            R.id.square_smaller to Nudge.SMALLER,
        )
        for ((id, nudge) in buttons) root.find<View>(id).setOnClickListener { picture.nudge(nudge) }
        root.find<View>(R.id.square_confirm).setOnClickListener { viewModel.judgeSquare() }
    }

    /** Shows it; null hides it. */
    fun render(state: PictureState.NeedsSquare?) {
        root.visibility = if (state == null) View.GONE else View.VISIBLE
        if (state == null) return
        val why = when (state.faces) {
            0 -> root.resources.getString(R.string.square_why_none)
            1, null -> root.resources.getString(R.string.square_why_adjust)
            else -> root.resources.getQuantityString(R.plurals.square_why_several, state.faces, state.faces)
        }
        val notes = state.notes.map { it.text(root.resources) }
        root.find<TextView>(R.id.square_why).say((listOf(why) + notes).joinToString("\n"))
        picture.show(state.preview, state.square, state.smallest)
    }
}
