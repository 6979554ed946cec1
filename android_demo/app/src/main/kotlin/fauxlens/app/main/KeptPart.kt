package fauxlens.app.main

import android.content.res.ColorStateList
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.moment
import fauxlens.app.common.percent
import fauxlens.app.common.probability
import fauxlens.app.common.say
import fauxlens.app.model.PictureState
import fauxlens.app.ui.look
import fauxlens.app.ui.title
import fauxlens.app.ui.words

/** An entry of the history, opened. */
class KeptPart(private val root: View) {
    /** Shows it; null hides it. */
    fun render(kept: PictureState.Kept?) {
        root.visibility = if (kept == null) View.GONE else View.VISIBLE
        if (kept == null) return
        val entry = kept.entry
        val resources = root.resources
        val look = entry.label.look
        val colour = root.context.getColor(look.colour)
        root.setBackgroundResource(look.ground)
        root.find<ImageView>(R.id.kept_thumbnail).apply {
            setImageBitmap(kept.thumbnail)
            contentDescription = resources.getString(R.string.kept_picture)
        }
        root.find<ImageView>(R.id.kept_icon).apply {
            setImageResource(look.icon)
            imageTintList = ColorStateList.valueOf(colour)
        }
        root.find<TextView>(R.id.kept_words).apply {
            say(resources.getString(look.words))
            setTextColor(colour)
        }
        root.find<TextView>(R.id.kept_probability)
            .say(resources.getString(R.string.verdict_probability, resources.probability(entry.probability)))
        root.find<TextView>(R.id.kept_how).say(
            resources.getString(
                R.string.kept_how,
                root.context.moment(entry.time),
                entry.detector,
                resources.getString(entry.point.title),
                resources.percent(entry.threshold),
            ),
        )
    }
}
