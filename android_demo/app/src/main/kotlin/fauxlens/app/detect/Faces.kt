package fauxlens.app.detect

import fauxlens.core.Bundle
import fauxlens.core.Raster
import fauxlens.core.face.Face

/** Finds the faces of a picture, the largest first; `orientation` 1..8 makes `stored` upright. May throw Refused. */
fun interface FaceFinder {
    fun find(stored: Raster, orientation: Int): List<Face>
}

/** Makes the finder that a bundle carries; null where it carries none. */
fun interface FaceFinderFactory {
    fun make(bundle: Bundle): FaceFinder?
}

/** BlazeFace by the engine in `core`: the same faces on every device, and no library that might not load. */
class CarriedFaceFinders(private val threads: Int) : FaceFinderFactory {
    override fun make(bundle: Bundle): FaceFinder? {
        val finder = fauxlens.core.face.FaceFinder(bundle.faceFinder ?: return null, threads)
        return FaceFinder(finder::find)
    }
}
