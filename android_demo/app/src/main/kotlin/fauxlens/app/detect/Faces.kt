package fauxlens.app.detect

import android.graphics.Bitmap
import android.graphics.PointF
import android.media.FaceDetector
import fauxlens.app.common.find
import fauxlens.app.picture.bitmapOf
import fauxlens.app.picture.reduced
import fauxlens.core.ArgbRaster
import fauxlens.core.Eyes
import kotlin.math.abs

/** One face: the midpoint of its eyes and their distance in pixels of what was looked at, `confidence` 0..1. */
data class FoundFace(val x: Double, val y: Double, val distance: Double, val confidence: Double = 1.0)

/** How many faces a picture has, and the eyes of the largest in pixels of the upright picture. */
data class Faces(val count: Int, val eyes: Eyes?)

/** Finds faces in an upright RGB_565 bitmap of even width. */
fun interface FaceFinder {
    fun find(upright: Bitmap): List<FoundFace>
}

/** Android's own face detector, which gives the eyes' midpoint and distance. */
class PlatformFaceFinder : FaceFinder {
    override fun find(upright: Bitmap): List<FoundFace> {
        val faces = arrayOfNulls<FaceDetector.Face>(MOST_FACES)
        val count = FaceDetector(upright.width, upright.height, MOST_FACES).findFaces(upright, faces)
        val middle = PointF()
        return faces.take(count).filterNotNull().map { face ->
            face.getMidPoint(middle)
            FoundFace(
                middle.x.toDouble(),
                middle.y.toDouble(),
                face.eyesDistance().toDouble(),
                face.confidence().toDouble(),
            )
        }
    }
}

// As many as are told apart: "one" and "several" are all that counts.
private const val MOST_FACES = 8

// Faces are looked for in a copy of this size, as in training (train/data/faces/find.py LONGER_SIDE).
private const val LONGER_SIDE = 512

// As in training (train/image/face.py RIVAL_SHARE): smaller faces are passers-by.
private const val RIVAL_SHARE = 0.5

// Android calls this the threshold of a good face (FaceDetector.Face.CONFIDENCE_THRESHOLD).
private const val CONFIDENT = 0.4

// A face reaches about so many eye distances from the midpoint of its eyes: half of the box that MTCNN draws, which is
// what train/image/face.py compares. Android's detector gives no box.
private const val REACH = 1.1

/** Looks for faces in an upright copy of a picture of `width` x `height` pixels, in which the result is. */
fun findFaces(finder: FaceFinder, copy: ArgbRaster, width: Int, height: Int): Faces {
    val longer = maxOf(copy.width, copy.height)
    val scale = minOf(1.0, LONGER_SIDE.toDouble() / longer)
    // FaceDetector takes even widths only.
    val columns = (copy.width * scale).toInt() and 1.inv()
    val rows = (copy.height * scale).toInt()
    if (columns < 2 || rows < 2) return Faces(0, null)
    val small = bitmapOf(reduced(copy, columns, rows), Bitmap.Config.RGB_565)
    val found = finder.find(small).filter { it.confidence >= CONFIDENT }
    small.recycle()
    val x = width.toDouble() / columns
    val y = height.toDouble() / rows
    // The eyes lie about level, so their distance grows as the width does.
    return chooseFace(found.map { FoundFace(it.x * x, it.y * y, it.distance * x, it.confidence) }, width, height)
}

/** The rules of train/image/face.py `choose_face`, with the eyes' distance in the place of the box's side. */
internal fun chooseFace(faces: List<FoundFace>, width: Int, height: Int): Faces {
    val counted = ArrayList<FoundFace>()
    for (face in faces.sortedWith(compareBy({ -it.distance }, { it.x }, { it.y }))) {
        val usable = face.x in 0.0..width.toDouble() && face.y in 0.0..height.toDouble() &&
            face.distance > 0 && face.distance < Double.POSITIVE_INFINITY
        if (!usable) continue
        if (counted.isNotEmpty() && face.distance < RIVAL_SHARE * counted[0].distance) break
        if (counted.none { isSameFace(face, it) }) counted += face
    }
    return Faces(counted.size, counted.firstOrNull()?.let { Eyes(it.x, it.y, it.distance) })
}

private fun isSameFace(face: FoundFace, larger: FoundFace): Boolean {
    val reach = REACH * larger.distance
    return abs(face.x - larger.x) <= reach && abs(face.y - larger.y) <= reach
}
