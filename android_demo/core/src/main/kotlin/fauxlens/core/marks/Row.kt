package fauxlens.core.marks

import fauxlens.core.Message

/** Where a row comes from. */
enum class Kind { FILE, PROVENANCE, METADATA }

/** How far a row may be believed, from nothing to what was checked. */
enum class Strength { NONE, WEAK, MEDIUM }

/** What a row speaks for. */
enum class Says { AI, EDITED, CAMERA, NOTHING }

/**
 * One thing that is known of a picture (docs/marks.md), as train/image/marks/rows.py.
 *
 * `message` is one or two plain sentences; foreign text in them was made fit by [shown]. `source` is the place in the file.
 */
data class Row(val kind: Kind, val strength: Strength, val says: Says, val message: Message, val source: String) {
    /** The sentences in English, as Python and JavaScript write them. */
    val text: String get() = message.english
}

private const val LONGEST = 80
private const val LOOKED_AT = 8
private const val BLANKS = "\t\n\u000b\u000c\r \u001c\u001d\u001e\u001f\u0085\u00a0\u2028\u2029"

/**
 * Foreign text for one line: blanks collapsed, control and format characters as U+FFFD, at most `longest` characters; a
 * text that was cut ends in an ellipsis.
 */
internal fun shown(text: String, longest: Int = LONGEST): String {
    // Characters, not halves of them; no more are looked at than can be shown.
    val start = text.take(2 * LOOKED_AT * longest)
    val looked = start.take(start.offsetOf(LOOKED_AT * longest))
    val line = StringBuilder()
    var blank = false
    for (point in codePoints(looked)) {
        if (point < 0x10000 && point.toChar() in BLANKS) {
            blank = line.isNotEmpty()
            continue
        }
        if (blank) line.append(' ')
        blank = false
        line.appendCodePoint(if (isHidden(point)) 0xfffd else point)
    }
    val whole = line.toString()
    val end = whole.offsetOf(longest)
    return if (end == whole.length && looked.length == text.length) whole else whole.take(end) + "…"
}

private fun isHidden(point: Int): Boolean = when (Character.getType(point).toByte()) {
    Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE, Character.SURROGATE -> true
    else -> false
}

/** Where the character after the first `count` begins. */
internal fun String.offsetOf(count: Int): Int =
    if (codePointCount(0, length) <= count) length else offsetByCodePoints(0, count)

private fun codePoints(text: String): Sequence<Int> = sequence {
    var at = 0
    while (at < text.length) {
        val point = text.codePointAt(at)
        yield(point)
        at += Character.charCount(point)
    }
}
