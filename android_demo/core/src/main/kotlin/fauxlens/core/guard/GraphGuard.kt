package fauxlens.core.guard

import fauxlens.core.Message
import fauxlens.core.Refusal
import fauxlens.core.Refused

/** A tensor of a graph: its type by number, its shape, and whether its values stand in the file. */
internal class GuardedTensor(val kind: Int, val shape: List<Int>, val constant: Boolean)

// TensorType: number -> bytes an element.
internal val TYPE_BYTES = mapOf(0 to 4, 1 to 2, 2 to 4, 3 to 1, 4 to 8, 6 to 1, 7 to 2, 9 to 1)
private const val FLOAT32 = 0
private const val UINT8 = 3
private const val VERSION = 3L
private const val MAX_TENSORS = 8_000
private const val MAX_ELEMENTS = 1 shl 26
private const val MAX_COMPUTED_BYTES = 1L shl 30
private const val MOST_SIDES = 6
private const val MOST_VERSION = 16

/**
 * Refused unless the graph of a detector file could have come from `export`; `name` is what the sentence calls it.
 *
 * A seal says that a file is whole, not who made it, and native interpreters trust what they are given: altered graphs crash
 * them. The same checks in the same order as export/artifacts/graph_guard.py (fields by number: TensorFlow Lite's
 * schema.fbs); tests/golden/graphs holds them to the same complaints.
 */
fun checkGraph(tflite: ByteArray, name: String) {
    try {
        check(FlatTable.rootOf(tflite))
    } catch (error: BadFlatBuffer) {
        throw Refused(Message(Refusal.GRAPH, name, error.message.orEmpty()), error)
    }
}

private fun check(model: FlatTable) {
    want(model.unsigned(0) == VERSION, "its version is not 3")
    val graphs = model.tables(2)
    want(graphs.size == 1, "it has ${graphs.size} subgraphs, not one")
    val codes = model.tables(1).map(::codeOf)
    val buffers = model.tables(4).map(::bytesOf)
    val graph = graphs[0]
    val tables = graph.tables(0)
    want(tables.size in 1..MAX_TENSORS, "it has ${tables.size} tensors")
    val tensors = tables.mapIndexed { number, table -> tensorOf(table, buffers, "tensor $number") }
    val computed = tensors.filter { !it.constant }.sumOf { productOf(it.shape) * TYPE_BYTES.getValue(it.kind) }
    want(computed <= MAX_COMPUTED_BYTES, "its tensors take ${computed shr 20} MB")
    val inputs = graph.ints(1).orEmpty()
    val outputs = graph.ints(2).orEmpty()
    for (index in inputs + outputs) {
        want(index in tensors.indices && !tensors[index].constant, "an input or output is no computed tensor")
    }
    want(inputs.map { tensors[it].kind } == listOf(UINT8), "its input is not one uint8 tensor")
    want(outputs.map { tensors[it].kind } == listOf(FLOAT32, FLOAT32), "its outputs are not two float32 tensors")
    OperatorGuard(tensors, codes).check(graph.tables(3), inputs, outputs)
    checkSignature(model, inputs, outputs)
}

private fun codeOf(table: FlatTable): Int {
    val code = maxOf(table.signedByte(0), table.int(3))
    want(!table.has(1), "it has a custom operator")
    want(code in OPERATORS, "operator code $code is none that the exporter writes")
    want(table.int(2, 1) in 1..MOST_VERSION, "an operator has an unknown version")
    return code
}

private fun bytesOf(table: FlatTable): Int {
    want(table.long(1) in 0..1 && table.long(2) in 0..1, "a buffer lies outside the model")
    return table.countOfBytes(0)
}

private fun tensorOf(table: FlatTable, buffers: List<Int>, what: String): GuardedTensor {
    val kind = table.signedByte(1)
    val shape = table.ints(0).orEmpty()
    val buffer = table.unsigned(2)
    want(kind in TYPE_BYTES, "$what is of type $kind")
    want(shape.size <= MOST_SIDES && shape.all { it in 1..MAX_ELEMENTS }, "$what has the shape $shape")
    want(productOf(shape) <= MAX_ELEMENTS, "$what has the shape $shape")
    want(table.ints(7).orEmpty().ifEmpty { shape } == shape, "$what has a shape that is not fixed")
    want(buffer < buffers.size, "$what has no buffer")
    val plain = table.byte(5) == 0 && !table.has(6) && table.tables(9).isEmpty()
    want(plain, "$what is sparse or a variable")
    val bytes = buffers[buffer.toInt()]
    val whole = bytes == 0 || bytes.toLong() == productOf(shape) * TYPE_BYTES.getValue(kind)
    want(whole, "$what has values of another number")
    table.table(4)?.let { checkQuantization(it, shape, what) }
    // A name, if only to see that it lies in the file.
    table.countOfBytes(3)
    return GuardedTensor(kind, shape, bytes > 0)
}

private fun checkQuantization(table: FlatTable, shape: List<Int>, what: String) {
    val scales = table.floats(2).orEmpty()
    val points = table.longs(3).orEmpty()
    val axis = table.int(6)
    want(!table.has(5), "$what is quantised in an unknown way")
    want(scales.all { it > 0 && it <= Float.MAX_VALUE }, "$what has a scale that is not above 0")
    want(points.all { it in -128..255 }, "$what has a zero point outside its numbers")
    if (scales.size > 1) want(axis in shape.indices && scales.size == shape[axis], "$what has ${scales.size} scales")
    want(points.isEmpty() || points.size == scales.size, "$what has ${points.size} zero points for ${scales.size} scales")
}

private fun checkSignature(model: FlatTable, inputs: List<Int>, outputs: List<Int>) {
    val signatures = model.tables(7)
    want(signatures.size == 1, "it has ${signatures.size} signatures, not one")
    val signature = signatures[0]
    want(signature.unsigned(4) == 0L, "its signature is of another subgraph")
    for ((field, wanted) in listOf(0 to inputs, 1 to outputs)) {
        val named = signature.tables(field).map { it.unsigned(1) }.sorted()
        want(named == wanted.map { it.toLong() }.sorted(), "its signature names other tensors than inputs and outputs")
        signature.tables(field).forEach { it.countOfBytes(0) }
    }
}

/** How many elements a shape has; more than any Long holds are the largest Long. */
internal fun productOf(shape: List<Int>): Long =
    shape.fold(1L) { all, side -> if (all > Long.MAX_VALUE shr 31) Long.MAX_VALUE else all * side }

internal fun want(holds: Boolean, complaint: String) {
    if (!holds) throw BadFlatBuffer(complaint)
}
