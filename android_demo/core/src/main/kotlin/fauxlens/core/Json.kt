package fauxlens.core

/** A JSON value as RFC 8259 has it. */
internal sealed interface Json {

    data class Object(val members: Map<String, Json>) : Json

    data class Array(val items: List<Json>) : Json

    data class Text(val value: String) : Json

    /** A number; `whole` where it is written without fraction and exponent, which JSON itself does not tell apart. */
    data class Number(val text: String) : Json {
        val whole: Boolean
            get() = text.all { it in '0'..'9' || it == '-' }
    }

    data class Truth(val value: Boolean) : Json

    object Null : Json
}

/** Text that is not JSON, or has a key twice; the message says what and at which character. */
internal class NotJson(message: String) : Exception(message)

/**
 * Reads JSON as strictly as Python's json module does as export/artifacts/strict_json.py sets it up.
 *
 * Why a reader of our own: kotlinx.serialization's keeps the last of repeated keys in silence and takes any unquoted
 * word for a value, org.json is laxer still; a file that Python refuses must be refused here.
 */
internal fun parseJson(text: String): Json = JsonParser(text).whole()

private const val DEEPEST = 200
private val NUMBER = Regex("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

private class JsonParser(private val text: String) {

    private var at = 0

    fun whole(): Json {
        val value = value(0)
        skipSpace()
        if (at < text.length) fail("more text after the value")
        return value
    }

    private fun value(depth: Int): Json {
        if (depth > DEEPEST) fail("values nested too deeply")
        skipSpace()
        return when (peek()) {
            '{' -> objectAt(depth)
            '[' -> arrayAt(depth)
            '"' -> Json.Text(string())
            't' -> word("true", Json.Truth(true))
            'f' -> word("false", Json.Truth(false))
            'n' -> word("null", Json.Null)
            else -> number()
        }
    }

    private fun objectAt(depth: Int): Json {
        val members = LinkedHashMap<String, Json>()
        items('{', '}') {
            if (peek() != '"') fail("a key without quotes")
            val key = string()
            skipSpace()
            take(':')
            if (members.put(key, value(depth + 1)) != null) fail("the key '$key' is written twice")
        }
        return Json.Object(members)
    }

    private fun arrayAt(depth: Int): Json {
        val values = ArrayList<Json>()
        items('[', ']') { values += value(depth + 1) }
        return Json.Array(values)
    }

    private inline fun items(open: Char, close: Char, item: () -> Unit) {
        take(open)
        skipSpace()
        if (peek() == close) {
            at += 1
            return
        }
        while (true) {
            skipSpace()
            item()
            skipSpace()
            if (peek() == close) break
            take(',')
        }
        at += 1
    }

    private fun string(): String {
        take('"')
        val result = StringBuilder()
        while (true) {
            val char = peek()
            at += 1
            when {
                char == '"' -> return result.toString()
                char == '\\' -> result.append(escape())
                char < ' ' -> fail("a control character or the end inside a text")
                else -> result.append(char)
            }
        }
    }

    private fun escape(): Char {
        val char = peek()
        at += 1
        return when (char) {
            '"', '\\', '/' -> char
            'b' -> '\b'
            'f' -> '\u000c'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                val digits = text.substring(at, minOf(at + 4, text.length))
                if (digits.length < 4 || !digits.all { it in '0'..'9' || it in 'a'..'f' || it in 'A'..'F' }) {
                    fail("a \\u without four hexadecimal digits")
                }
                at += 4
                digits.toInt(16).toChar()
            }
            else -> fail("an unknown escape")
        }
    }

    private fun number(): Json {
        val match = NUMBER.find(text, at)
        if (match == null || match.range.first != at) fail("something that is no value")
        at = match.range.last + 1
        return Json.Number(match.value)
    }

    private fun word(word: String, value: Json): Json {
        if (!text.startsWith(word, at)) fail("something that is no value")
        at += word.length
        return value
    }

    /** The character to read next, 0 at the end: no token begins with it, so each caller refuses it. */
    private fun peek(): Char = if (at < text.length) text[at] else '\u0000'

    private fun take(char: Char) {
        if (peek() != char) fail("no '$char'")
        at += 1
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\n\r") at += 1
    }

    private fun fail(what: String): Nothing = throw NotJson("$what at character $at")
}
