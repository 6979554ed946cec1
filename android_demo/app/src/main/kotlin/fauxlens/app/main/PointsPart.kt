package fauxlens.app.main

import android.view.View
import android.widget.RadioButton
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.percent
import fauxlens.app.common.say
import fauxlens.app.model.DetectorFacts
import fauxlens.app.state.PictureViewModel
import fauxlens.app.ui.meaning
import fauxlens.app.ui.title
import fauxlens.app.ui.titled
import fauxlens.core.OperatingPoint

/** The choice of an operating point, each with what it was set for. */
class PointsPart(private val root: View, viewModel: PictureViewModel) {
    private val buttons: Map<OperatingPoint, RadioButton> = mapOf(
        OperatingPoint.BALANCED to root.find(R.id.point_balanced),
        OperatingPoint.FPR_1 to root.find(R.id.point_fpr_1),
        OperatingPoint.FPR_05 to root.find(R.id.point_fpr_05),
    )

    init {
        for ((point, button) in buttons) button.setOnClickListener { viewModel.choose(point) }
    }

    /** Shows which is chosen. */
    fun render(chosen: OperatingPoint, facts: DetectorFacts?) {
        for ((point, button) in buttons) {
            button.isChecked = point == chosen
            val meaning = facts?.decisions?.get(point)
                ?.let { root.resources.getString(point.meaning, root.resources.percent(it.fakeFrom)) }
            button.say(button.titled(root.resources.getString(point.title), meaning.orEmpty()))
        }
    }
}
