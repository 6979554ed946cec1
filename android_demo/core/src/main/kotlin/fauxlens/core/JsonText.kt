package fauxlens.core

/** Writes values as JSON text: maps, lists, texts, finite numbers, truth values and null; keys in the given order. */
internal fun jsonText(value: Any?): String = buildString { write(value, 0) }

private fun StringBuilder.write(value: Any?, depth: Int) {
    when (value) {
        null, is Boolean, is Int, is Long -> append(value)
        // Every float is a double, and Java writes doubles so that they read back as the same.
        is Float -> write(value.toDouble(), depth)
        is Double -> {
            require(!value.isNaN() && !value.isInfinite()) { "$value is no JSON number." }
            append(value)
        }
        is String -> quote(value)
        is Map<*, *> -> items('{', '}', depth, value.entries) { (key, item) ->
            quote(key as String)
            append(": ")
            write(item, depth + 1)
        }
        is List<*> -> items('[', ']', depth, value) { write(it, depth + 1) }
        else -> throw IllegalArgumentException("${value.javaClass} is no JSON value.")
    }
}

private fun <T> StringBuilder.items(open: Char, close: Char, depth: Int, items: Collection<T>, item: (T) -> Unit) {
    append(open)
    items.forEachIndexed { index, one ->
        append(if (index == 0) "\n" else ",\n").append(" ".repeat(depth + 1))
        item(one)
    }
    if (items.isNotEmpty()) append('\n').append(" ".repeat(depth))
    append(close)
}

private fun StringBuilder.quote(text: String) {
    append('"')
    for (char in text) {
        when {
            char == '"' || char == '\\' -> append('\\').append(char)
            char < ' ' || char.isSurrogate() -> append("\\u").append(hexadecimal(char.code).takeLast(4))
            else -> append(char)
        }
    }
    append('"')
}
