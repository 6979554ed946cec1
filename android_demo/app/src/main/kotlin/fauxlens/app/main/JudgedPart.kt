package fauxlens.app.main

import android.content.res.ColorStateList
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.percent
import fauxlens.app.common.probability
import fauxlens.app.common.say
import fauxlens.app.model.DetectorFacts
import fauxlens.app.model.DetectorState
import fauxlens.app.model.Judged
import fauxlens.app.model.PictureState
import fauxlens.app.model.UiState
import fauxlens.app.state.PictureViewModel
import fauxlens.app.ui.look
import fauxlens.app.ui.words
import fauxlens.app.widget.VerdictView
import fauxlens.app.widget.zonesOf
import fauxlens.core.Verdict

/** A judged picture: the verdict, and the parts that explain it. */
class JudgedPart(
    private val root: View,
    private val viewModel: PictureViewModel,
    detailsOpen: Boolean,
    private val onShare: (String) -> Unit,
    private val onSharePicture: (Judged, String) -> Unit,
) {
    private val evidence = EvidencePart(root)
    private val picture = PicturePart(root.find(R.id.picture_card), viewModel)
    private val faces = FacesPart(root, viewModel)
    private val points = PointsPart(root, viewModel)
    private val details = DetailsPart(root, detailsOpen)

    /** Whether the details are unfolded. */
    val detailsOpen: Boolean get() = details.open

    init {
        root.find<View>(R.id.adjust_square).setOnClickListener { viewModel.adjustSquare() }
        root.find<View>(R.id.share_verdict).setOnClickListener { share { _, text -> onShare(text) } }
        root.find<View>(R.id.share_picture).setOnClickListener { share(onSharePicture) }
    }

    private fun share(handOn: (Judged, String) -> Unit) {
        val judged = (viewModel.state.picture as? PictureState.Judged)?.judged ?: return
        handOn(judged, shareText(root.resources, judged, (viewModel.state.detector as? DetectorState.Ready)?.facts))
    }

    /** Shows it; null hides it. */
    fun render(judged: Judged?, state: UiState) {
        root.visibility = if (judged == null) View.GONE else View.VISIBLE
        if (judged == null) return
        val facts = (state.detector as? DetectorState.Ready)?.facts
        evidence.render(judged)
        verdict(judged.verdict, facts)
        picture.render(judged, state)
        faces.render(judged)
        notes(judged.notes.map { it.text(root.resources) })
        root.find<View>(R.id.adjust_square).visibility = if (judged.adjustable) View.VISIBLE else View.GONE
        points.render(state.point, facts)
        details.render(judged.details)
    }

    private fun verdict(verdict: Verdict, facts: DetectorFacts?) {
        val resources = root.resources
        val look = verdict.label.look
        val colour = root.context.getColor(look.colour)
        val words = resources.getString(look.words)
        val probability = resources.probability(verdict.probability)
        root.find<View>(R.id.verdict_card).setBackgroundResource(look.ground)
        root.find<ImageView>(R.id.verdict_icon).apply {
            setImageResource(look.icon)
            imageTintList = ColorStateList.valueOf(colour)
        }
        root.find<TextView>(R.id.verdict_words).apply {
            setTextColor(colour)
            contentDescription = resources.getString(R.string.verdict_spoken, words, probability)
            say(words)
        }
        root.find<TextView>(R.id.verdict_probability)
            .say(resources.getString(R.string.verdict_probability, probability))

        val scale = root.find<VerdictView>(R.id.verdict_scale)
        val legend = root.find<TextView>(R.id.verdict_legend)
        scale.visibility = if (facts == null) View.GONE else View.VISIBLE
        legend.visibility = scale.visibility
        if (facts == null) return
        val zones = zonesOf(facts, verdict.point)
        val low = resources.percent(zones.unsureFrom)
        val high = resources.percent(zones.fakeFrom)
        val said = if (zones.unsureFrom < zones.fakeFrom) {
            resources.getString(R.string.legend_zones, low, high)
        } else {
            resources.getString(R.string.legend_two, high)
        }
        val threshold = resources.getString(R.string.legend_threshold, resources.percent(zones.fakeFrom))
        legend.say("$said $threshold")
        scale.show(zones, verdict.probability)
        scale.contentDescription = resources.getString(R.string.scale_spoken, probability)
    }

    private fun notes(notes: List<String>) {
        root.find<View>(R.id.notes_card).visibility = if (notes.isEmpty()) View.GONE else View.VISIBLE
        root.find<TextView>(R.id.notes)
            .say(notes.joinToString("\n") { root.resources.getString(R.string.note_line, it) })
    }
}
