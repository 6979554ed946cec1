package fauxlens.app.about

import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.model.AppState
import fauxlens.app.model.DetectorFacts
import fauxlens.app.model.DetectorState
import fauxlens.app.model.generators
import fauxlens.app.state.AppModel
import fauxlens.app.ui.Screen
import fauxlens.app.ui.fill

/** What the app is, what a verdict is worth, which detector it carries, and whose work it stands on. */
class AboutActivity : Screen<AppState>(R.layout.activity_about) {
    override val holder: AppModel get() = model
    private var cardOpen = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val version = packageManager.getPackageInfo(packageName, 0).versionName.orEmpty()
        find<TextView>(R.id.about_version).text = getString(R.string.about_version, version)
        cardOpen = savedInstanceState?.getBoolean(CARD_OPEN) ?: false
        find<View>(R.id.about_card_toggle).setOnClickListener {
            cardOpen = !cardOpen
            fold()
        }
        fold()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(CARD_OPEN, cardOpen)
    }

    private fun fold() {
        find<View>(R.id.about_card).visibility = if (cardOpen) View.VISIBLE else View.GONE
        find<Button>(R.id.about_card_toggle).setText(if (cardOpen) R.string.card_hide else R.string.card_show)
    }

    override fun render(state: AppState) {
        val detector = find<ViewGroup>(R.id.about_detector)
        val facts = (state.detector as? DetectorState.Ready)?.facts
        find<View>(R.id.about_card_toggle).visibility = if (facts == null) View.GONE else View.VISIBLE
        when (state.detector) {
            is DetectorState.Ready -> {
                detector.fill(lines(state.detector.facts))
                find<TextView>(R.id.about_card).say(cardText(state.detector.facts.card))
            }
            is DetectorState.Broken ->
                detector.fill(listOf(getString(R.string.broken_title) to state.detector.sentence.text(resources)))
            DetectorState.Loading -> detector.fill(emptyList())
        }
    }

    private fun lines(facts: DetectorFacts): List<Pair<String, String>> = listOf(
        R.string.detail_name to facts.name,
        R.string.detail_variant to facts.variant,
        R.string.detail_view to facts.view,
        R.string.detail_front_end to facts.frontEnd,
        R.string.detail_generators to facts.generators.joinToString(", "),
        R.string.detail_sources to facts.sourcesSeen.joinToString(", "),
        R.string.detail_licences to facts.licences.joinToString("\n"),
        R.string.detail_sha256 to facts.sha256,
    ).filter { it.second.isNotEmpty() }.map { (name, value) -> getString(name) to value }

    private companion object {
        const val CARD_OPEN = "card_open"
    }
}
