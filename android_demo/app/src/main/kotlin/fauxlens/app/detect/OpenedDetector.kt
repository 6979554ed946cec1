package fauxlens.app.detect

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.model.DetectorFacts
import fauxlens.app.model.DetectorState
import fauxlens.app.model.Settings
import fauxlens.core.Bundle
import fauxlens.core.Description
import fauxlens.core.Refused

/**
 * What came of opening a detector: what it is, why it runs otherwise than asked for, what it says of itself, and the
 * settings that it really runs with.
 */
class Opened(
    val state: DetectorState,
    val note: Sentence?,
    val description: Description?,
    val settings: Settings,
)

/** The app's own detector and what runs it. For the worker thread only. */
class OpenedDetector(
    private val bundles: Bundles,
    private val engines: EngineFactory,
    private val finders: FaceFinderFactory,
) {
    private var running: Running? = null
    private var broken: Sentence = Sentence.of(R.string.trouble_no_detector)
    private var bundle: Known? = null

    /** What stays of the bundle: not the self-test's pictures, which are the larger part. */
    private class Known(val facts: DetectorFacts, val detector: fauxlens.core.DetectorFile, val finder: FaceFinder?)

    /** What finds faces for it, null where it looks for none or carries no finder. */
    val finder: FaceFinder? get() = bundle?.finder

    /** The opened detector; throws Trouble where there is none. */
    fun get(): Running = running ?: throw Trouble(broken)

    /** Opens it anew, with other settings. */
    fun open(settings: Settings): Opened {
        running?.close()
        running = null
        try {
            val known = bundle ?: known(bundles.own()).also { bundle = it }
            val opened = openDetector(engines, known.detector, settings)
            running = opened
            return Opened(DetectorState.Ready(known.facts), opened.note, known.detector.description, opened.settings)
        } catch (trouble: Trouble) {
            broken = trouble.sentence
        } catch (refused: Refused) {
            broken = Sentence.of(refused)
        } catch (_: OutOfMemoryError) {
            broken = Sentence.of(R.string.trouble_memory_detector)
        } catch (error: RuntimeException) {
            // Drivers and native libraries throw what they like.
            broken = Sentence.of(R.string.trouble_engine, error.toString())
        }
        return Opened(DetectorState.Broken(broken), null, null, settings)
    }

    private fun known(bundle: Bundle): Known {
        val detector = bundle.detector
        val said = detector.description
        val facts = DetectorFacts(
            name = said.name,
            variant = said.variant,
            view = said.view,
            frontEnd = said.frontEnd,
            decisions = said.operatingPoints,
            generatorsSeen = said.generatorsSeen,
            sourcesSeen = said.sourcesSeen,
            licences = said.licences,
            figures = said.figures,
            sha256 = detector.sha256,
            card = bundle.card,
        )
        return Known(facts, detector, finders.make(bundle))
    }
}
