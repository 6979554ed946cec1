package fauxlens.core

import fauxlens.core.builtin.BuiltinEngine
import fauxlens.core.face.FaceFinder
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** The function that docs/guide-android.md gives to other apps: it stands there word for word (tests/android/test_guide.py). */
class ScoreAPictureTest {
    private fun score(file: File, width: Int, height: Int, argb: IntArray, orientation: Int): Verdict {
        val bundle = Bundle.read(file.readBytes(), file.name)   // throws Refused with the reason
        val detector = bundle.detector
        val stored = ArgbRaster(width, height, argb)            // pixels as stored; blend alpha with white by layOnWhite
        val finder = bundle.faceFinder?.let { FaceFinder(it) }  // null if the detector does not use faces
        val eyes = finder?.find(stored, orientation)?.firstOrNull()?.eyes          // orientation: EXIF, 1 to 8
        val view = viewFor(detector.view, if (eyes == null) 0 else 1, UnclearFaces.CENTRE) ?: detector.view
        return BuiltinEngine(detector, threads = 2).use { engine ->
            val output = engine.run(look(view, stored, orientation, eyes))
            judge(detector.description, output, OperatingPoint.BALANCED)
        }
    }

    @Test
    fun `it gives the scores that the bundle has for its references`() {
        val file = Golden.folder.resolve("../../export/shipped/bundle.zip")
        val bundle = Bundle.read(file.readBytes(), "shipped")
        val scores = bundle.references.stages.getValue("tflite/${bundle.default}")
        val chosen = listOf(0, scores.size / 2, scores.size - 1)
        val found = chosen.map { index ->
            val picture = checkNotNull(decodeByImageIo(bundle.references.pictures[index]))
            val verdict = score(file, picture.width, picture.height, picture.argb, orientation = 1)
            // Java's JPEG decoder gives other levels than Pillow's in places.
            assertEquals(bundle.references.names[index], scores[index].toDouble(), verdict.probability.toDouble(), 0.1)
            // The rule as the page says it.
            val (fakeFrom, unsureFrom) = bundle.detector.description.operatingPoints.getValue(OperatingPoint.BALANCED)
            val probability = verdict.probability.toDouble()
            val label = if (probability >= fakeFrom) Label.FAKE else if (probability >= unsureFrom) Label.UNSURE else Label.REAL
            assertEquals(label, verdict.label)
            probability
        }
        assertTrue("$found", found.toSet().size > 1)
    }
}
