package fauxlens.core.marks

private const val CONTEXT_0 = 0xa0
private const val WIDE = 0x1e

// X.520: common name and organisation.
private const val COMMON_NAME = "\u0055\u0004\u0003"
private const val ORGANISATION = "\u0055\u0004\u000a"
private const val MOST_CHILDREN = 64

/** The organisation of an X.509 certificate's subject (DER), else its common name, else "". */
internal fun subjectOf(certificate: Bytes): String {
    val names = HashMap<String, String>()
    try {
        val fields = children(children(children(certificate)[0].second)[0].second)
        // RFC 5280, 4.1: version [0] where it is not 1, serial number, algorithm, issuer, validity, subject.
        for ((_, relative) in children(fields[if (fields[0].first == CONTEXT_0) 5 else 4].second)) {
            for ((_, pair) in children(relative)) {
                val (kind, value) = children(pair)
                val text = value.second.text(if (value.first == WIDE) Charsets.UTF_16BE else Charsets.UTF_8)
                names.getOrPut(kind.second.latin1()) { text }
            }
        }
    } catch (_: IndexOutOfBoundsException) {
        return ""
    }
    return names[ORGANISATION].orEmpty().ifEmpty { names[COMMON_NAME].orEmpty() }
}

/** Tags and contents of a DER sequence or set; IndexOutOfBoundsException where it ends too soon. */
private fun children(data: Bytes): List<Pair<Int, Bytes>> {
    val found = ArrayList<Pair<Int, Bytes>>()
    var at = 0
    while (at < data.size && found.size < MOST_CHILDREN) {
        val tag = data[at]
        var length = data[at + 1].toLong()
        at += 2
        if (length >= 0x80) {
            val size = length.toInt() and 0x7f
            if (size > 4) throw IndexOutOfBoundsException("a length of $size bytes")
            length = data.number(at, size)
            at += size
        }
        if (at + length > data.size) throw IndexOutOfBoundsException("ends too soon")
        found += tag to data.slice(at, at + length.toInt())
        at += length.toInt()
    }
    return found
}
