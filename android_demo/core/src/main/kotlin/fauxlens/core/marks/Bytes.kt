package fauxlens.core.marks

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.Charset
import java.nio.charset.CodingErrorAction
import java.util.zip.Inflater

/** A part of an array, without a copy; positions outside of it throw IndexOutOfBoundsException. */
internal class Bytes(private val array: ByteArray, private val from: Int = 0, to: Int = array.size) {
    val size: Int = to - from

    init {
        if (from < 0 || to > array.size || size < 0) throw IndexOutOfBoundsException("$from to $to of ${array.size}")
    }

    /** The byte at `at`, 0 to 255. */
    operator fun get(at: Int): Int {
        if (at !in 0 until size) throw IndexOutOfBoundsException("$at of $size")
        return array[from + at].toInt() and 0xff
    }

    /** From `begin` to before `end`, both cut to what there is. */
    fun slice(begin: Int, end: Int = size): Bytes {
        val start = begin.coerceIn(0, size)
        return Bytes(array, from + start, from + end.coerceIn(start, size))
    }

    /** The same for numbers that a file gives, which may be larger than any array. */
    fun slice(begin: Long, end: Long): Bytes =
        slice(begin.coerceIn(0, size.toLong()).toInt(), end.coerceIn(0, size.toLong()).toInt())

    fun u16(at: Int, little: Boolean = false): Int =
        if (little) get(at) or (get(at + 1) shl 8) else (get(at) shl 8) or get(at + 1)

    fun u32(at: Int, little: Boolean = false): Long {
        val (high, low) = if (little) at + 2 to at else at to at + 2
        return (u16(high, little).toLong() shl 16) or u16(low, little).toLong()
    }

    /** An unsigned number of `count` bytes, high byte first; what no Long holds is the largest Long. */
    fun number(at: Int, count: Int): Long {
        var value = 0L
        for (i in 0 until count) {
            if (value > Long.MAX_VALUE shr 8) return Long.MAX_VALUE
            value = (value shl 8) or get(at + i).toLong()
        }
        return value
    }

    /** Whether the Latin-1 characters of `text` stand at `at`. */
    fun startsWith(text: String, at: Int = 0): Boolean =
        at >= 0 && at + text.length <= size && text.indices.all { get(at + it) == text[it].code }

    fun withoutPrefix(text: String): Bytes = if (startsWith(text)) slice(text.length) else this

    /** Where the first NUL is, or -1. */
    fun nul(): Int = (0 until size).firstOrNull { array[from + it] == 0.toByte() } ?: -1

    /** What stands before and after the first NUL; all of it before where there is none. */
    fun partition(): Pair<Bytes, Bytes> {
        val at = nul()
        return if (at < 0) this to slice(size) else slice(0, at) to slice(at + 1)
    }

    /** Without the bytes at both ends that `drop` names. */
    inline fun trim(drop: (Int) -> Boolean): Bytes {
        var start = 0
        var end = size
        while (start < end && drop(get(start))) start += 1
        while (end > start && drop(get(end - 1))) end -= 1
        return slice(start, end)
    }

    fun latin1(): String = String(array, from, size, Charsets.ISO_8859_1)

    /** What is not of the encoding becomes U+FFFD. */
    fun text(charset: Charset = Charsets.UTF_8): String = String(array, from, size, charset)

    /** Null where it is no UTF-8. */
    fun utf8OrNull(): String? = try {
        val decoder = Charsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)
        decoder.decode(buffer()).toString()
    } catch (_: CharacterCodingException) {
        null
    }

    fun buffer(): ByteBuffer = ByteBuffer.wrap(array, from, size).slice()

    /** Gives all to an inflater as its input. */
    fun feed(inflater: Inflater) = inflater.setInput(array, from, size)

    fun copy(): ByteArray = array.copyOfRange(from, from + size)
}

/** The parts one after the other. */
internal fun joined(parts: List<Bytes>): Bytes {
    val whole = ByteArray(parts.sumOf { it.size })
    var at = 0
    for (part in parts) {
        part.buffer().get(whole, at, part.size)
        at += part.size
    }
    return Bytes(whole)
}
