package fauxlens.core.marks

private const val MAX_RECORDS = 1_000

// IPTC-NAA Information Interchange Model 4.2, record 2.
private val NAMES = mapOf(65 to "Originating Program", 80 to "By-line", 110 to "Credit", 115 to "Source", 120 to "Caption")

/** The first value of each known field of IPTC's older records (IIM). */
internal fun readIptc(record: Bytes): Map<String, String> {
    val found = LinkedHashMap<String, String>()
    var at = 0
    repeat(MAX_RECORDS) {
        if (at + 5 > record.size || record[at] != 0x1c) return found
        val length = record.u16(at + 3)
        if (length and 0x8000 != 0) return found
        val name = if (record[at + 1] == 2) NAMES[record[at + 2]] else null
        if (name != null && name !in found) {
            val value = record.slice(at + 5, at + 5 + length)
            found[name] = value.utf8OrNull() ?: value.latin1()
        }
        at += 5 + length
    }
    return found
}
