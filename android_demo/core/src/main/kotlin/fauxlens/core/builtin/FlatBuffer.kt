package fauxlens.core.builtin

import fauxlens.core.Refusal
import fauxlens.core.Refused

/**
 * A FlatBuffer, read with every offset held to the bounds of the file (google.github.io/flatbuffers, "Internals").
 *
 * Numbers are little-endian. Refused wherever an offset or a length leads out of the file.
 */
internal class FlatBuffer(private val bytes: ByteArray, private val name: String) {

    /** The root table. */
    fun root(): Table = table(int32(0))

    fun broken(what: String): Refused = Refused(Refusal.GRAPH_BROKEN, name, what)

    private fun check(at: Int, length: Int): Int {
        if (at < 0 || length < 0 || at > bytes.size - length) throw broken("it points outside of the file")
        return at
    }

    fun byte(at: Int): Int = bytes[check(at, 1)].toInt()

    fun uint16(at: Int): Int = (byte(at) and 0xFF) or (byte(at + 1) and 0xFF shl 8)

    fun int32(at: Int): Int {
        check(at, 4)
        return uint16(at) or (uint16(at + 2) shl 16)
    }

    fun copy(at: Int, length: Int): ByteArray = check(at, length).let { bytes.copyOfRange(it, it + length) }

    /** The place that an offset at `at` leads to, counted from `at`. */
    fun follow(at: Int): Int {
        val offset = int32(at)
        if (offset <= 0 || offset > bytes.size - at) throw broken("it points outside of the file")
        return at + offset
    }

    private fun table(at: Int): Table {
        check(at, 4)
        val fields = at.toLong() - int32(at)
        if (fields < 0 || fields > bytes.size - 4) throw broken("a table lies outside of the file")
        return Table(this, at, fields.toInt())
    }

    /** A table; `fields` is where the offsets of its fields stand. A field that is absent has its default. */
    internal class Table(private val buffer: FlatBuffer, private val at: Int, private val fields: Int) {

        private fun place(field: Int): Int? {
            val slot = 4 + 2 * field
            if (slot + 2 > buffer.uint16(fields)) return null
            val offset = buffer.uint16(fields + slot)
            return if (offset == 0) null else at + offset
        }

        fun byte(field: Int, default: Int = 0): Int = place(field)?.let(buffer::byte) ?: default

        fun int(field: Int, default: Int = 0): Int = place(field)?.let(buffer::int32) ?: default

        fun has(field: Int): Boolean = place(field) != null

        fun table(field: Int): Table? = place(field)?.let { buffer.table(buffer.follow(it)) }

        fun tables(field: Int): List<Table> {
            val (start, count) = vector(field, 4) ?: return emptyList()
            return List(count) { buffer.table(buffer.follow(start + 4 * it)) }
        }

        fun ints(field: Int): IntArray {
            val (start, count) = vector(field, 4) ?: return IntArray(0)
            return IntArray(count) { buffer.int32(start + 4 * it) }
        }

        fun shorts(field: Int): IntArray {
            val (start, count) = vector(field, 2) ?: return IntArray(0)
            return IntArray(count) { buffer.uint16(start + 2 * it) }
        }

        fun floats(field: Int): FloatArray {
            val (start, count) = vector(field, 4) ?: return FloatArray(0)
            return FloatArray(count) { Float.fromBits(buffer.int32(start + 4 * it)) }
        }

        /** 64-bit numbers of which all but the lower half repeat the sign. */
        fun longsAsInts(field: Int): IntArray {
            val (start, count) = vector(field, 8) ?: return IntArray(0)
            return IntArray(count) {
                val low = buffer.int32(start + 8 * it)
                if (buffer.int32(start + 8 * it + 4) != low shr 31) throw buffer.broken("a number is too large")
                low
            }
        }

        fun bytes(field: Int): ByteArray {
            val (start, count) = vector(field, 1) ?: return ByteArray(0)
            return buffer.copy(start, count)
        }

        fun text(field: Int): String = String(bytes(field), Charsets.ISO_8859_1)

        private fun vector(field: Int, size: Int): Pair<Int, Int>? {
            val start = buffer.follow(place(field) ?: return null)
            val count = buffer.int32(start)
            if (count < 0 || count.toLong() * size > Int.MAX_VALUE) throw buffer.broken("a list is too long")
            buffer.check(start + 4, count * size)
            return start + 4 to count
        }
    }
}
