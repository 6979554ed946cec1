package fauxlens.core

private const val GRAMMAR = "upright, square, face(K), resize(S)"
private const val MIN_FACE = 1.0
private const val MAX_FACE = 8.0
private const val MIN_SIZE = 8
private const val MAX_SIZE = 4096

private val STEP = Regex("([a-z]+)(?:\\(([^()]*)\\))?")
private val WHOLE = Regex("[0-9]{1,5}")
private val DECIMAL = Regex("[0-9]{1,2}(\\.[0-9]{1,4})?")

internal fun parseView(text: String): View {
    val steps = text.split("|").map { parseStep(strip(it), text) }
    val verbs = steps.map { it.verb }
    if (UPRIGHT in verbs.drop(1)) throw Refused(Refusal.VIEW_UPRIGHT, text)
    if (verbs.count { it == RESIZE } != 1 || verbs.last() != RESIZE) {
        throw Refused(Refusal.VIEW_RESIZE, text)
    }
    if (verbs.count { it == SQUARE || it == FACE } > 1) {
        throw Refused(Refusal.VIEW_ONE_SQUARE, text)
    }
    if (FACE in verbs && verbs.first() != UPRIGHT) {
        throw Refused(Refusal.VIEW_FACE_UPRIGHT, text)
    }
    return View(steps)
}

private fun parseStep(part: String, text: String): Step {
    val match = STEP.matchEntire(part)
    val verb = match?.groups?.get(1)?.value
    // No group where the brackets are missing, an empty one where nothing stands between them.
    val inside = match?.groups?.get(2)?.value
    return when (verb) {
        UPRIGHT, SQUARE -> {
            if (inside != null) throw Refused(Refusal.VIEW_NO_NUMBER, text, verb, GRAMMAR)
            Step(verb)
        }
        FACE -> Step(verb, numberIn(inside, DECIMAL, MIN_FACE, MAX_FACE) ?: throw Refused(Refusal.VIEW_FACE_NUMBER, text, part))
        RESIZE -> Step(verb, numberIn(inside, WHOLE, MIN_SIZE.toDouble(), MAX_SIZE.toDouble()) ?: throw Refused(
            Refusal.VIEW_RESIZE_NUMBER, text, part, MIN_SIZE, MAX_SIZE,
        ))
        else -> throw Refused(Refusal.VIEW_STEP, text, part, GRAMMAR)
    }
}

private fun numberIn(inside: String?, pattern: Regex, low: Double, high: Double): Double? {
    val number = strip(inside ?: "")
    return if (pattern.matches(number)) number.toDouble().takeIf { it in low..high } else null
}

/** Without white space at both ends, as Python's `str.strip` understands it. */
private fun strip(text: String): String = text.trim {
    it in '\t'..'\r' || it in '\u001c'..' ' || it == '\u0085' || Character.isSpaceChar(it)
}
