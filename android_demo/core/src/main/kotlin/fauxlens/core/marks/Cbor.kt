package fauxlens.core.marks

private const val MAX_DEPTH = 32
private const val MAX_ITEMS = 100_000

/** The end of an item of unknown length. */
private object Break

/**
 * The first item of `data` (RFC 8949): Long, Double, [Bytes], String, Boolean, List, Map or null.
 *
 * Tags are dropped; keys of maps that are neither text nor whole numbers are dropped with their values. Whole numbers beyond
 * a Long are the largest or smallest. Throws ManifestException.
 */
internal fun readCbor(data: Bytes): Any? = CborReader(data).value(-1)

/** Empty where it is no map. */
internal fun asMap(value: Any?): Map<*, *> = value as? Map<*, *> ?: emptyMap<Any, Any>()

/** Empty where it is no list. */
internal fun asList(value: Any?): List<*> = value as? List<*> ?: emptyList<Any>()

private class CborReader(private val data: Bytes) {
    private var at = 0
    private var items = 0

    fun value(depth: Int): Any? {
        val found = item(depth + 1)
        if (found === Break) throw ManifestException("a break where a value belongs")
        return found
    }

    private fun item(depth: Int): Any? {
        items += 1
        if (depth > MAX_DEPTH || items > MAX_ITEMS) throw ManifestException("nested too deep, or too many items")
        val first = take(1)[0]
        val major = first shr 5
        val short = first and 31
        if (major == 7) return simple(short)
        if (short == 31) return endless(major, depth)
        val count = if (short < 24) short.toLong() else number(short)
        return when (major) {
            0 -> count
            1 -> -1 - count
            2 -> take(count)
            3 -> take(count).text()
            4 -> List(possible(count)) { value(depth) }
            6 -> value(depth)
            else -> entries(List(possible(count)) { value(depth) to value(depth) })
        }
    }

    private fun endless(major: Int, depth: Int): Any {
        if (major !in 2..5) throw ManifestException("no item of this kind has an unknown length")
        val found = ArrayList<Any?>()
        while (true) {
            val one = item(depth + 1)
            if (one === Break) break
            found += one
        }
        return when {
            major == 4 -> found
            major == 5 && found.size % 2 == 0 -> entries(found.chunked(2) { it[0] to it[1] })
            major == 2 && found.all { it is Bytes } -> joined(found.map { it as Bytes })
            major == 3 && found.all { it is String } -> found.joinToString("")
            else -> throw ManifestException("a key without a value, or a string of other things than strings")
        }
    }

    private fun entries(pairs: List<Pair<Any?, Any?>>): Map<Any, Any?> {
        val found = LinkedHashMap<Any, Any?>()
        for ((key, value) in pairs) if (key is Long || key is String) found[key] = value
        return found
    }

    private fun simple(short: Int): Any? = when (short) {
        20 -> false
        21 -> true
        24 -> null.also { take(1) }
        25 -> half(take(2).u16(0))
        26 -> Float.fromBits(take(4).u32(0).toInt()).toDouble()
        27 -> Double.fromBits(take(8).buffer().getLong(0))
        31 -> Break
        28, 29, 30 -> throw ManifestException("reserved")
        else -> null
    }

    private fun number(short: Int): Long {
        if (short > 27) throw ManifestException("reserved")
        val size = 1 shl (short - 24)
        return take(size.toLong()).number(0, size)
    }

    private fun possible(count: Long): Int {
        // Each item has one byte at least, so that a lying count ends before anything is reserved for it.
        if (count > data.size - at) throw ManifestException("more items than bytes")
        return count.toInt()
    }

    private fun take(count: Long): Bytes {
        if (count > data.size - at) throw ManifestException("ends too soon")
        at += count.toInt()
        return data.slice(at - count.toInt(), at)
    }
}

/** IEEE 754 half precision. */
private fun half(bits: Int): Double {
    val sign = if (bits and 0x8000 == 0) 1.0 else -1.0
    val exponent = bits shr 10 and 31
    val fraction = bits and 0x3ff
    return sign * when (exponent) {
        31 -> if (fraction == 0) Double.POSITIVE_INFINITY else Double.NaN
        0 -> fraction * Math.scalb(1.0, -24)
        else -> Math.scalb(1 + fraction / 1024.0, exponent - 15)
    }
}
