package fauxlens.core.guard

/** An offset, a length or an alignment leads out of the file, or a graph is not as `export` writes it. */
internal class BadFlatBuffer(message: String) : Exception(message)

/**
 * A FlatBuffers table read so that no byte outside the file is ever looked at, as export/artifacts/flat_tables.py.
 *
 * Its vtable has been checked: `fields` are the places of its fields, 0 for an absent one. Everything throws BadFlatBuffer.
 */
internal class FlatTable private constructor(
    private val file: FlatFile,
    private val at: Int,
    private val size: Int,
    private val fields: IntArray,
) {
    fun has(field: Int): Boolean = field < fields.size && fields[field] != 0

    /** Numbers of 1, 4 and 8 bytes; `default` where the field is absent. */
    fun byte(field: Int, default: Int = 0): Int = place(field, 1)?.let(file::byte) ?: default

    fun signedByte(field: Int): Int = byte(field).toByte().toInt()

    fun int(field: Int, default: Int = 0): Int = place(field, 4)?.let(file::int) ?: default

    /** An unsigned number of 4 bytes. */
    fun unsigned(field: Int): Long = int(field).toLong() and 0xffffffffL

    fun long(field: Int): Long = place(field, 8)?.let(file::long) ?: 0

    /** A table field. */
    fun table(field: Int): FlatTable? = target(field)?.let { at(file, it) }

    /** A field that is a vector of tables. */
    fun tables(field: Int): List<FlatTable> {
        val (start, count) = vector(field, 4)
        return List(count) { at(file, file.follow(start + 4 * it)) }
    }

    /** Vectors of numbers; null where the field is absent. */
    fun ints(field: Int): List<Int>? = numbers(field, 4, file::int)

    fun longs(field: Int): List<Long>? = numbers(field, 8, file::long)

    fun bytes(field: Int): List<Int>? = numbers(field, 1, file::byte)

    fun floats(field: Int): List<Float>? = numbers(field, 4) { Float.fromBits(file.int(it)) }

    /** How many bytes a field that is a vector of bytes, or a text, has. */
    fun countOfBytes(field: Int): Int = vector(field, 1).second

    private fun <T> numbers(field: Int, width: Int, read: (Int) -> T): List<T>? {
        if (place(field, 4) == null) return null
        val (start, count) = vector(field, width)
        return List(count) { read(start + width * it) }
    }

    private fun place(field: Int, width: Int): Int? {
        if (!has(field)) return null
        val offset = fields[field]
        if (offset < 4 || offset + width > size || (at + offset) % width != 0) {
            throw BadFlatBuffer("a field of the table at $at lies outside it")
        }
        return at + offset
    }

    private fun target(field: Int): Long? = place(field, 4)?.let(file::follow)

    private fun vector(field: Int, width: Int): Pair<Int, Int> {
        val target = target(field) ?: return 0 to 0
        val count = file.unsigned(target)
        if (target % 4 != 0L || count > (file.size - target - 4) / width) {
            throw BadFlatBuffer("the vector at $target does not lie in the file")
        }
        return target.toInt() + 4 to count.toInt()
    }

    companion object {
        /** The root table of a file. */
        fun rootOf(bytes: ByteArray): FlatTable = FlatFile(bytes).let { at(it, it.unsigned(0)) }

        private fun at(file: FlatFile, place: Long): FlatTable {
            if (place % 4 != 0L || place < 4 || place > file.size - 4) throw BadFlatBuffer("there is no table at $place")
            val at = place.toInt()
            val vtable = place - file.int(at)
            if (vtable % 2 != 0L || vtable < 4 || vtable > file.size - 4) {
                throw BadFlatBuffer("the table at $at has no vtable")
            }
            val length = file.short(vtable.toInt())
            val size = file.short(vtable.toInt() + 2)
            val odd = length < 4 || length % 2 != 0
            if (odd || vtable + length > file.size || size < 4 || place + size > file.size) {
                throw BadFlatBuffer("the table at $at has a wrong vtable")
            }
            return FlatTable(file, at, size, IntArray((length - 4) / 2) { file.short(vtable.toInt() + 4 + 2 * it) })
        }
    }
}

/** Little-endian numbers of a file; places that come from it are held to its bounds. */
private class FlatFile(private val bytes: ByteArray) {
    val size: Int get() = bytes.size

    fun byte(at: Int): Int = bytes[at].toInt() and 0xff

    fun short(at: Int): Int = byte(at) or (byte(at + 1) shl 8)

    fun int(at: Int): Int = short(at) or (short(at + 2) shl 16)

    fun long(at: Int): Long = (int(at).toLong() and 0xffffffffL) or (int(at + 4).toLong() shl 32)

    fun unsigned(place: Long): Long {
        if (place < 0 || place > size - 4) throw BadFlatBuffer("an offset leads to $place, outside the file")
        return int(place.toInt()).toLong() and 0xffffffffL
    }

    /** Where the offset at a place leads, counted from it. */
    fun follow(place: Int): Long = place + unsigned(place.toLong())
}
