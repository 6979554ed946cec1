package fauxlens.app.main

import android.content.res.Resources
import android.graphics.RectF
import android.view.View
import android.widget.RadioButton
import android.widget.SeekBar
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.number
import fauxlens.app.common.percent
import fauxlens.app.common.say
import fauxlens.app.model.Judged
import fauxlens.app.model.Layer
import fauxlens.app.model.UiState
import fauxlens.app.state.PictureViewModel
import fauxlens.app.ui.meaning
import fauxlens.app.widget.Laid
import fauxlens.app.widget.PictureView
import fauxlens.app.widget.ZoomView
import fauxlens.core.Heatmap

/** The judged picture with what lies over it, the choice of what that is, and its strength. */
class PicturePart(private val root: View, private val viewModel: PictureViewModel) {
    private val picture: ZoomView = root.find(R.id.picture)
    private val strength: SeekBar = root.find(R.id.opacity)
    private val cover: SeekBar = root.find(R.id.cover)
    private val layers: Map<Layer, RadioButton> = mapOf(
        Layer.HEATMAP to root.find(R.id.layer_heatmap),
        Layer.ELA to root.find(R.id.layer_ela),
        Layer.NONE to root.find(R.id.layer_none),
    )

    init {
        for ((layer, button) in layers) button.setOnClickListener { viewModel.show(layer) }
        onMove(strength, viewModel::setOpacity)
        onMove(cover, viewModel::setOverlayShare)
    }

    private fun onMove(bar: SeekBar, moved: (Int) -> Unit) =
        bar.setOnSeekBarChangeListener(object : SeekBar.OnSeekBarChangeListener {
            override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) {
                if (fromUser) moved(progress)
            }

            override fun onStartTrackingTouch(bar: SeekBar) = Unit

            override fun onStopTrackingTouch(bar: SeekBar) = Unit
        })

    /** Shows a judged picture with the layer and strength of the state. */
    fun render(judged: Judged, state: UiState) {
        val resources = root.resources
        picture.show(judged.preview, judged.square, laid(judged, state))
        picture.others = (judged.faces - judged.face).mapNotNull { it.square }
        picture.contentDescription = spoken(resources, judged, state.layer)
        for ((layer, button) in layers) button.isChecked = layer == state.layer
        root.find<TextView>(R.id.layer_meaning).say(meaning(resources, judged, state.layer))
        root.find<View>(R.id.opacity_part).visibility = if (state.layer == Layer.NONE) View.GONE else View.VISIBLE
        strength.progress = state.overlayOpacity
        val share = resources.percent(state.overlayOpacity / 100.0, 0)
        root.find<TextView>(R.id.opacity_label).say(resources.getString(R.string.opacity_label, share))
        cover.progress = state.overlayShare
        val covered = resources.percent(state.overlayShare / 100.0, 0)
        root.find<TextView>(R.id.cover_label).say(resources.getString(R.string.cover_label, covered))
    }
}

private fun laid(judged: Judged, state: UiState): Laid? {
    val alpha = PictureView.OPAQUE * state.overlayOpacity / 100
    val whole = RectF(0f, 0f, judged.preview.width.toFloat(), judged.preview.height.toFloat())
    // The square may reach beyond the picture: all of it is all.
    val until = if (state.overlayShare == 100) Float.MAX_VALUE else whole.right * state.overlayShare / 100
    return when (state.layer) {
        Layer.HEATMAP -> Laid(judged.overlay, judged.square?.let(PictureView::rectangle) ?: whole, alpha, until)
        Layer.ELA -> Laid(judged.ela, whole, alpha, until)
        Layer.NONE -> null
    }
}

private fun meaning(resources: Resources, judged: Judged, layer: Layer): String = when (layer) {
    Layer.HEATMAP -> resources.getString(
        if (strongest(judged.verdict.heatmap) == null) {
            R.string.layer_heatmap_empty
        } else {
            R.string.layer_heatmap_meaning
        },
    )
    Layer.ELA -> resources.getString(
        if ("ela" in judged.details.frontEnd) R.string.layer_ela_used else R.string.layer_ela_meaning,
        judged.details.elaQuality,
        resources.number(judged.details.elaGain, 1),
    )
    Layer.NONE -> resources.getString(if (judged.square == null) R.string.picture_whole else R.string.picture_square)
}

private fun spoken(resources: Resources, judged: Judged, layer: Layer): String {
    val over = when (layer) {
        Layer.HEATMAP -> strongest(judged.verdict.heatmap)?.let {
            resources.getString(R.string.picture_heatmap, resources.getString(it))
        } ?: resources.getString(R.string.picture_heatmap_none)
        Layer.ELA -> resources.getString(R.string.picture_ela)
        Layer.NONE -> ""
    }
    val square = resources.getString(if (judged.square == null) R.string.picture_whole else R.string.picture_square)
    return resources.getString(R.string.picture_spoken, square, over).trim()
}

private val places = listOf(
    R.string.place_top_left, R.string.place_top, R.string.place_top_right,
    R.string.place_left, R.string.place_middle, R.string.place_right,
    R.string.place_bottom_left, R.string.place_bottom, R.string.place_bottom_right,
)

/** Where the heatmap is strongest, as one of nine places in the square; null where it is empty. */
fun strongest(heatmap: Heatmap): Int? {
    val at = heatmap.values.indices.maxByOrNull { heatmap.values[it] } ?: return null
    if (heatmap.values[at] <= 0f) return null
    val row = third(at / heatmap.columns, heatmap.rows)
    val column = third(at % heatmap.columns, heatmap.columns)
    return places[3 * row + column]
}

// Which third of the square the middle of a cell lies in.
private fun third(cell: Int, cells: Int): Int = (((cell + 0.5) / cells) * 3).toInt().coerceIn(0, 2)
