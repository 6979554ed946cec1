package fauxlens.app

import fauxlens.app.detect.Bundles
import fauxlens.app.detect.StoredBundles
import fauxlens.core.Bundle
import fauxlens.core.Description
import fauxlens.core.DetectorFile
import fauxlens.core.References
import fauxlens.core.View

/** The shipped bundle with the same graph behind another view, and without a face finder of its own. */
class FaceBundle(private val seen: String = VIEW) : Bundles {
    override fun own(): Bundle {
        val shipped = Golden.bundle
        val detector = shipped.detector
        val view = View.parse(seen)
        val same = DetectorFile(detector.bytes, lookingOtherwise(detector.description), view, detector.sha256)
        return Bundle(mapOf(shipped.default to same), shipped.default, shipped.card, NONE, shipped.sha256)
    }

    /** Whether no face is looked for. */
    val isFaceless: Boolean get() = "face(" !in seen

    override fun named(name: String): Bundle = StoredBundles(app.assets, app.filesDir).named(name)

    private fun lookingOtherwise(said: Description) = Description(
        name = said.name,
        variant = said.variant,
        view = seen,
        unclearFaces = said.unclearFaces,
        frontEnd = said.frontEnd,
        size = said.size,
        heatmapRows = said.heatmapRows,
        heatmapColumns = said.heatmapColumns,
        operatingPoints = said.operatingPoints,
        calibrationScale = said.calibrationScale,
        calibrationBias = said.calibrationBias,
        seen = said.seen,
        trainingSha256 = said.trainingSha256,
        createdBy = said.createdBy,
        figures = said.figures,
        licences = said.licences,
        faceFinder = null,
    )

    companion object {
        /** FACE_VIEW of tests/golden/make_detect.py. */
        const val VIEW = "upright|face(3)|resize(192)"

        /** The square in the centre, through which every first golden trip goes. */
        const val SQUARE = "upright|square|resize(192)"
        private val NONE =
            References(emptyList(), emptyList(), emptyList(), emptyList(), emptyList(), emptyMap(), emptyMap())
    }
}
