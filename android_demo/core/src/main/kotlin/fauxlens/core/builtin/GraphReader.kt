package fauxlens.core.builtin

import fauxlens.core.Refusal
import fauxlens.core.Refused

private const val MOST_TENSORS = 4096

// More than any MobileNet of 4096 pixels a side has in one tensor of ours; keeps damaged shapes from asking for all memory.
private const val MOST_NUMBERS = 1 shl 24
private const val MOST_SIDES = 5
private const val NO_ACTIVATION = 0
private const val RELU = 1
private const val RELU6 = 3
private const val MOST_POOLED = 8

/**
 * Reads the graph of a TFLite file (tensorflow/lite/schema/schema.fbs, numbers of fields in its order).
 *
 * Refused for what is damaged, and for whatever the built-in engine does not know: other operators, types, activations
 * and options than the int8 detectors of `fauxlens export` have.
 */
internal fun readGraph(bytes: ByteArray, name: String): Graph = read(bytes, name) { model, _, tensors ->
    val signature = model.tables(7).singleOrNull() ?: throw unknown(name, "not exactly one signature")
    val named = HashMap<String, Int>()
    for (one in signature.tables(0) + signature.tables(1)) named[one.text(0)] = one.int(1)
    fun end(key: String): Int = named[key]?.takeIf { it in tensors.indices }
        ?: throw unknown(name, "a signature without '$key'")
    end("image") to listOf(end("scores"), end("heatmap"))
}

/** Reads a graph without a signature: one input, and outputs in the file's order. Refused as [readGraph] is. */
internal fun readPlainGraph(bytes: ByteArray, name: String): Graph = read(bytes, name) { _, graph, tensors ->
    val (inputs, outputs) = graph.ints(1) to graph.ints(2)
    if (inputs.size != 1 || outputs.isEmpty() || (inputs + outputs).any { it !in tensors.indices }) {
        throw unknown(name, "other inputs and outputs")
    }
    inputs[0] to outputs.toList()
}

private fun read(
    bytes: ByteArray,
    name: String,
    ends: (model: FlatBuffer.Table, graph: FlatBuffer.Table, tensors: List<Tensor>) -> Pair<Int, List<Int>>,
): Graph {
    val buffer = FlatBuffer(bytes, name)
    val model = buffer.root()
    val graph = model.tables(2).singleOrNull() ?: throw unknown(name, "more than one graph")
    val buffers = model.tables(4)
    val tables = graph.tables(0)
    if (tables.size > MOST_TENSORS) throw unknown(name, "${tables.size} tensors")
    val tensors = tables.map { readTensor(it, buffers, buffer, name) }
    val codes = model.tables(1)
    val operators = graph.tables(3).map { operator ->
        val code = codes.getOrNull(operator.int(0)) ?: throw buffer.broken("an operator without a code")
        readOperator(operator, maxOf(code.byte(0), code.int(3)), tensors.size, name)
    }
    val (input, outputs) = ends(model, graph, tensors)
    return Graph(tensors, operators, input, outputs).also { checkOrder(it, name) }
}

private fun unknown(name: String, what: String): Refused = Refused(Refusal.OPERATOR_UNKNOWN, name, what)

private fun readTensor(
    table: FlatBuffer.Table,
    buffers: List<FlatBuffer.Table>,
    buffer: FlatBuffer,
    name: String,
): Tensor {
    val shape = table.ints(0)
    if (shape.size > MOST_SIDES || shape.any { it < 1 }) throw unknown(name, "a tensor of a shape")
    val numbers = shape.fold(1L) { product, side -> minOf(product * side, Int.MAX_VALUE.toLong()) }
    if (numbers > MOST_NUMBERS) throw unknown(name, "a tensor of $numbers numbers")
    val code = table.byte(1)
    val type = Type.values().find { it.code == code } ?: throw unknown(name, "a tensor of type $code")
    val index = table.int(2)
    val stored = (buffers.getOrNull(index) ?: throw buffer.broken("a tensor without a buffer")).bytes(0)
    val sparsity = table.table(6)
    val data = if (sparsity == null) stored else dense(sparsity, shape, type.bytes, stored, buffer)
    if (data.isNotEmpty() && data.size.toLong() != numbers * type.bytes) {
        throw buffer.broken("a constant of another length than its shape")
    }
    val quantisation = table.table(4)
    val scales = quantisation?.floats(2) ?: FloatArray(0)
    val zeroPoints = quantisation?.longsAsInts(3) ?: IntArray(0)
    if (scales.any { !(it > 0f && it < Float.POSITIVE_INFINITY) }) throw buffer.broken("a scale that is no scale")
    // Only whole tensors are shifted; the scales of channels have no zero points of their own.
    val zeroPoint = zeroPoints.firstOrNull() ?: 0
    if (zeroPoints.any { it != zeroPoint } || zeroPoint !in -128..127) throw unknown(name, "zero points for channels")
    return Tensor(type, shape, scales, zeroPoint, data.takeIf { it.isNotEmpty() })
}

private fun readOperator(table: FlatBuffer.Table, code: Int, tensors: Int, name: String): Operator {
    val kind = Kind.values().find { it.code == code } ?: throw unknown(name, "operator $code")
    val inputs = table.ints(1)
    val outputs = table.ints(2)
    if (outputs.size != 1 || inputs.isEmpty() || (inputs + outputs).any { it !in 0 until tensors }) {
        throw unknown(name, "a $kind with other inputs and outputs")
    }
    val options = table.table(4)
    val window = when (kind) {
        Kind.CONV_2D -> window(options, 3, 4, name)
        Kind.MAX_POOL_2D -> pool(options, name)
        Kind.DEPTHWISE_CONV_2D -> {
            if (options?.int(3) != 1) throw unknown(name, "a depthwise convolution with a multiplier")
            window(options, 4, 5, name)
        }
        else -> null
    }
    if (kind == Kind.RESIZE_BILINEAR && (options?.byte(2) != 0 || options.byte(3) != 1)) {
        throw unknown(name, "an enlargement of another kind")
    }
    val activation = when (kind) {
        Kind.ADD, Kind.SUB, Kind.MUL, Kind.DIV -> options?.byte(0) ?: 0
        Kind.CONCATENATION -> options?.byte(1) ?: 0
        else -> 0
    }
    val rectified = kind == Kind.ADD && activation == RELU
    if (activation != NO_ACTIVATION && !rectified) throw unknown(name, "a $kind with an activation")
    return Operator(kind, inputs, outputs[0], window, options?.int(0) ?: 0, rectified)
}

private fun pool(options: FlatBuffer.Table?, name: String): Window {
    val side = options?.int(3) ?: 0
    val plain = options != null && options.int(1) == side && options.int(2) == side && options.int(4) == side
    if (options == null || !plain || side !in 1..MOST_POOLED || options.byte(5) != NO_ACTIVATION) {
        throw unknown(name, "a pooling of another kind")
    }
    return Window(side, options.byte(0) == 0, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, side)
}

private fun window(options: FlatBuffer.Table?, activation: Int, dilation: Int, name: String): Window {
    if (options == null) throw unknown(name, "a convolution without options")
    val stride = options.int(1)
    val dilated = options.int(dilation, 1) != 1 || options.int(dilation + 1, 1) != 1
    if (stride != options.int(2) || stride !in 1..2 || dilated || options.byte(0) !in 0..1) {
        throw unknown(name, "a convolution with other strides or dilations")
    }
    val (least, most) = when (options.byte(activation)) {
        NO_ACTIVATION -> Float.NEGATIVE_INFINITY to Float.POSITIVE_INFINITY
        RELU -> 0f to Float.POSITIVE_INFINITY
        RELU6 -> 0f to 6f
        else -> throw unknown(name, "a convolution with another activation")
    }
    return Window(stride, options.byte(0) == 0, least, most)
}

/** Refuses a graph in which something is used before it is computed, computed twice, or never. */
private fun checkOrder(graph: Graph, name: String) {
    val known = BooleanArray(graph.tensors.size) { graph.tensors[it].data != null }
    if (known[graph.input]) throw unknown(name, "a constant input")
    known[graph.input] = true
    for (operator in graph.operators) {
        if (operator.inputs.any { !known[it] } || known[operator.output]) throw unknown(name, "another order of operators")
        known[operator.output] = true
    }
    if (graph.outputs.any { !known[it] }) throw unknown(name, "outputs that nothing computes")
}
