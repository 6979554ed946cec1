package fauxlens.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val MAGIC = "\u0093NUMPY\u0001\u0000"
private const val PREFIX = 10
private const val LONGEST_HEADER = 1000
// The header as NumPy writes it (numpy/lib/format.py): a Python literal of three keys in alphabetical order.
private val HEADER = Regex(
    "\\{'descr': '([^']*)', 'fortran_order': (True|False), " +
        "'shape': \\(((?:[0-9]+,(?: [0-9]+,)*(?: [0-9]+)?)?)\\), \\} *\n",
)

/** A plain .npy 1.0 array in C order; the content of `bytes` from `from` on, of uint8 or little-endian float32. */
internal class Npy(val shape: List<Int>, val isFloat: Boolean, private val bytes: ByteArray, private val from: Int) {

    private val entry: Int
        get() = shape.drop(1).fold(1, Int::times)

    /** The uint8 values of one entry of the first axis. */
    fun bytesOf(index: Int): ByteArray = bytes.copyOfRange(from + index * entry, from + (index + 1) * entry)

    /** The float32 values of one entry of the first axis. */
    fun floatsOf(index: Int): FloatArray {
        val floats = FloatArray(entry)
        ByteBuffer.wrap(bytes, from + 4 * index * entry, 4 * entry)
            .order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats)
        return floats
    }
}

/** Reads .npy bytes; Refused where they are something else, of another length, or hold a number that is not finite. */
internal fun readNpy(bytes: ByteArray, name: String): Npy {
    if (bytes.size < PREFIX || String(bytes, 0, MAGIC.length, Charsets.ISO_8859_1) != MAGIC) {
        throw Refused(Refusal.NOT_AN_ARRAY, name)
    }
    val length = (bytes[8].toInt() and 0xFF) or (bytes[9].toInt() and 0xFF shl 8)
    val from = PREFIX + length
    val header = if (length > LONGEST_HEADER || from > bytes.size) null else {
        HEADER.matchEntire(String(bytes, PREFIX, length, Charsets.ISO_8859_1))?.groupValues
    }
    if (header == null) throw Refused(Refusal.ARRAY_HEADER, name)
    val (_, type, byColumns, sides) = header
    if (byColumns == "True" || type !in listOf("<f4", "|u1")) {
        throw Refused(Refusal.ARRAY_KIND, name)
    }
    val shape = sides.split(",").map { it.trim() }.filter { it.isNotEmpty() }.map { it.toBigInteger() }
    val isFloat = type == "<f4"
    val needed = shape.fold((if (isFloat) 4 else 1).toBigInteger()) { product, side -> product * side }
    if (needed != (bytes.size - from).toBigInteger() || shape.any { it.bitLength() > 31 }) {
        throw Refused(Refusal.ARRAY_LENGTH, name, bytes.size - from, sides)
    }
    if (isFloat) checkFinite(bytes, from, name)
    return Npy(shape.map { it.toInt() }, isFloat, bytes, from)
}

private fun checkFinite(bytes: ByteArray, from: Int, name: String) {
    val floats = ByteBuffer.wrap(bytes, from, bytes.size - from).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
    while (floats.hasRemaining()) {
        val value = floats.get()
        if (value.isNaN() || value.isInfinite()) throw Refused(Refusal.ARRAY_NOT_FINITE, name)
    }
}
