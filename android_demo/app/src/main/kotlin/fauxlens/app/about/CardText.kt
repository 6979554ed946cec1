package fauxlens.app.about

import android.graphics.Typeface
import android.text.Spannable
import android.text.SpannableStringBuilder
import android.text.style.StyleSpan

/** The model card's Markdown as text to read: headings bold, paragraphs in one piece, a table's row as a line. */
fun cardText(markdown: String): CharSequence {
    val text = SpannableStringBuilder()
    for (line in paragraphs(markdown)) {
        val start = text.length
        text.append(plain(line)).append('\n')
        if (line.startsWith("#")) {
            text.setSpan(StyleSpan(Typeface.BOLD), start, text.length, Spannable.SPAN_EXCLUSIVE_EXCLUSIVE)
        }
    }
    return text.trim()
}

// The line below the head of a table; a line that does not continue the one before; stressed words; what Markdown
// escapes; the border of a cell, which is a bar without a backslash before it.
private val RULE = Regex("""\|[\s|:\-]*\|""")
private val OWN_LINE = Regex("""(#|\||- |\d+\. |```).*""")
private val STRESSED = Regex("""(?<!\\)\*(\w[^*]*)\*""")
private val ESCAPED = Regex("""\\(.)""")
private val BORDER = Regex("""(?<!\\)\|""")

/** The lines, those of one paragraph or list item joined; code stays as it is. */
private fun paragraphs(markdown: String): List<String> {
    val lines = ArrayList<String>()
    var code = false
    for (line in markdown.lines()) {
        val fence = line.startsWith("```")
        if (fence) code = !code
        if (fence || RULE.matches(line)) continue
        val before = lines.lastOrNull().orEmpty()
        val goesOn = !code && line.isNotBlank() && !OWN_LINE.matches(line) &&
            before.isNotBlank() && !before.startsWith("#") && !before.startsWith("|")
        if (goesOn) lines[lines.size - 1] = "$before ${line.trim()}" else lines += line
    }
    return lines
}

private fun plain(line: String): String {
    val read = when {
        line.startsWith("|") ->
            line.removeSurrounding("|").split(BORDER).map { it.trim() }.filter { it.isNotEmpty() }.joinToString(" · ")
        line.startsWith("#") -> line.trimStart('#').trim()
        else -> line
    }
    return read.replace("**", "").replace("`", "").replace(STRESSED, "$1").replace(ESCAPED, "$1")
}
