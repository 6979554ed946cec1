package fauxlens.app.main

import android.view.LayoutInflater
import android.view.View
import android.widget.RadioButton
import android.widget.RadioGroup
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.probability
import fauxlens.app.common.say
import fauxlens.app.model.Judged
import fauxlens.app.state.PictureViewModel
import fauxlens.app.ui.look
import fauxlens.app.ui.titled

/** The faces of a picture in which there are several: what is said of each, and which is shown. */
class FacesPart(root: View, private val viewModel: PictureViewModel) {
    private val card: View = root.find(R.id.faces_card)
    private val rows: RadioGroup = root.find(R.id.faces)

    /** Shows them if there are several. */
    fun render(judged: Judged) {
        card.visibility = if (judged.faces.size > 1) View.VISIBLE else View.GONE
        if (judged.faces.size < 2) return rows.removeAllViews()
        while (rows.childCount > judged.faces.size) rows.removeViewAt(rows.childCount - 1)
        while (rows.childCount < judged.faces.size) rows.addView(row(rows.childCount))
        val resources = rows.resources
        judged.faces.forEachIndexed { index, face ->
            val look = face.verdict.label.look
            val said = resources.getString(
                R.string.entry_words,
                resources.getString(look.words),
                resources.probability(face.verdict.probability),
            )
            (rows.getChildAt(index) as RadioButton).apply {
                say(titled(resources.getString(R.string.face_line, face.number), said))
                isChecked = index == judged.shown
            }
        }
    }

    private fun row(index: Int): View = LayoutInflater.from(rows.context).inflate(R.layout.row_face, rows, false).apply {
        id = View.generateViewId()
        setOnClickListener { viewModel.showFace(index) }
    }
}
