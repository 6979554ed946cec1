package fauxlens.core.builtin

private const val SPARSE = 1

/**
 * The numbers of a sparse constant with the zeros put in, row by row.
 *
 * Only what the face finder's network has: the last side compressed (for each row where its numbers begin and in which
 * columns they stand), all others whole, in their own order (schema.fbs, SparsityParameters).
 */
internal fun dense(
    sparsity: FlatBuffer.Table,
    shape: IntArray,
    size: Int,
    stored: ByteArray,
    buffer: FlatBuffer,
): ByteArray {
    val sides = sparsity.tables(2)
    val plain = sides.size == shape.size && sparsity.ints(0).toList() == shape.indices.toList() && !sparsity.has(1)
    if (!plain || sides.dropLast(1).any { it.byte(0) == SPARSE } || sides.last().byte(0) != SPARSE) {
        throw buffer.broken("a sparse constant of another kind")
    }
    val columns = shape.last()
    val rows = shape.dropLast(1).fold(1, Int::times)
    val starts = numbers(sides.last(), 2, buffer)
    val places = numbers(sides.last(), 4, buffer)
    if (starts.size != rows + 1 || starts[0] != 0 || starts[rows] != places.size || stored.size != size * places.size) {
        throw buffer.broken("a sparse constant of another length")
    }
    val whole = ByteArray(size * rows * columns)
    for (row in 0 until rows) for (index in starts[row] until starts[row + 1]) {
        val place = places.getOrNull(index) ?: throw buffer.broken("a sparse constant of another length")
        if (place !in 0 until columns) throw buffer.broken("a sparse constant beside its shape")
        stored.copyInto(whole, size * (row * columns + place), size * index, size * (index + 1))
    }
    return whole
}

/** A list of 32, 16 or 8 bits a number: field `kind` says which, the next holds the table with the list. */
private fun numbers(side: FlatBuffer.Table, kind: Int, buffer: FlatBuffer): IntArray {
    val list = side.table(kind + 1) ?: throw buffer.broken("a sparse constant without its places")
    return when (side.byte(kind)) {
        1 -> list.ints(0)
        2 -> list.shorts(0)
        3 -> list.bytes(0).let { bytes -> IntArray(bytes.size) { bytes[it].toInt() and 0xFF } }
        else -> throw buffer.broken("a sparse constant of another kind")
    }
}
