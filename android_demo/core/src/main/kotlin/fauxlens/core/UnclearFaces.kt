package fauxlens.core

/**
 * What becomes of a picture in which not exactly one face was found, if the view has face(K):
 *
 * | faces | DROP      | CENTRE    | KEEP                          |
 * |-------|-----------|-----------|-------------------------------|
 * | 1     | `face(k)` | `face(k)` | `face(k)`                     |
 * | 0     | left out  | `square`  | `square`                      |
 * | 2...  | left out  | `square`  | `face(k)` of the largest face |
 */
enum class UnclearFaces(val key: String) { DROP("drop"), CENTRE("centre"), KEEP("keep") }

/** The view a picture with so many faces goes through, null if it is left out (table in train/image/view.py). */
fun viewFor(view: View, faces: Int, unclear: UnclearFaces): View? = when {
    !view.needsEyes || faces == 1 -> view
    unclear == UnclearFaces.DROP -> null
    unclear == UnclearFaces.KEEP && faces > 1 -> view
    else -> View(view.steps.map { if (it.verb == FACE) Step(SQUARE) else it })
}
