package fauxlens.core.guard

/** What front ends, backbones, heads and heatmap become, by number (export/artifacts/graph_guard.py has the same). */
internal val OPERATORS = mapOf(
    0 to "ADD", 1 to "AVERAGE_POOL_2D", 2 to "CONCATENATION", 3 to "CONV_2D", 4 to "DEPTHWISE_CONV_2D",
    5 to "DEPTH_TO_SPACE", 6 to "DEQUANTIZE", 8 to "FLOOR", 9 to "FULLY_CONNECTED", 14 to "LOGISTIC", 17 to "MAX_POOL_2D",
    18 to "MUL", 19 to "RELU", 20 to "RELU_N1_TO_1", 21 to "RELU6", 22 to "RESHAPE", 25 to "SOFTMAX", 34 to "PAD",
    39 to "TRANSPOSE", 40 to "MEAN", 41 to "SUB", 42 to "DIV", 43 to "SQUEEZE", 45 to "STRIDED_SLICE", 47 to "EXP",
    49 to "SPLIT", 53 to "CAST", 55 to "MAXIMUM", 57 to "MINIMUM", 59 to "NEG", 60 to "PADV2", 61 to "GREATER",
    65 to "SLICE", 70 to "EXPAND_DIMS", 74 to "SUM", 82 to "REDUCE_MAX", 83 to "PACK", 88 to "UNPACK", 92 to "SQUARE",
    99 to "SQUARED_DIFFERENCE", 101 to "ABS", 114 to "QUANTIZE", 117 to "HARD_SWISH", 152 to "RELU_0_TO_1",
)
private const val CONV = 3
private const val DEPTHWISE = 4
private const val CONCATENATION = 2
private const val FULLY_CONNECTED = 9
private val SAME_ELEMENTS = setOf(22, 43, 70)
private val OF_TWO = setOf(0, 18, 41, 42, 55, 57, 61, 99)
private val OF_ONE = setOf(6, 8, 14, 19, 20, 21, 25, 47, 53, 59, 92, 101, 114, 117, 152)

/** Options of operators whose window moves: their type, and fields with strides, and with dilation or window. */
private class Window(val type: Int, val strides: List<Int>, val factors: List<Int>)

private val WINDOWS = mapOf(
    CONV to Window(1, listOf(1, 2), listOf(4, 5)),
    DEPTHWISE to Window(2, listOf(1, 2), listOf(5, 6)),
    1 to Window(5, listOf(1, 2), listOf(3, 4)),
    17 to Window(5, listOf(1, 2), listOf(3, 4)),
)
private const val MAX_OPERATORS = 2_000
private const val MOST_ENDS = 64
private const val MOST_STRIDE = 64
private const val MOST_FACTOR = 4096

/** Checks the operators of a graph in their order: each takes what is there, gives what is new, and its shapes fit. */
internal class OperatorGuard(private val tensors: List<GuardedTensor>, private val codes: List<Int>) {

    fun check(operators: List<FlatTable>, inputs: List<Int>, outputs: List<Int>) {
        want(operators.size in 1..MAX_OPERATORS, "it has ${operators.size} operators")
        val known = inputs.toHashSet()
        operators.forEachIndexed { number, operator -> check(operator, "operator $number", known) }
        want(known.containsAll(outputs), "an output is never made")
    }

    private fun check(operator: FlatTable, what: String, known: MutableSet<Int>) {
        val index = operator.unsigned(0)
        want(index < codes.size, "$what has no code")
        // Custom options, variables, intermediate tensors, options kept elsewhere: nothing the exporter uses.
        want(operator.countOfBytes(5) == 0, "$what has custom options")
        want(operator.ints(8).orEmpty().isEmpty(), "$what has intermediate tensors")
        want(operator.bytes(7).orEmpty().all { it == 0 }, "$what changes a variable")
        want(listOf(9, 10, 12).none(operator::has), "$what has options that are not its own")
        val takes = operator.ints(1).orEmpty()
        val gives = operator.ints(2).orEmpty()
        want(takes.size in 1..MOST_ENDS && gives.size in 1..MOST_ENDS, "$what takes ${takes.size} tensors")
        for (one in takes) {
            want(one in -1 until tensors.size, "$what takes tensor $one, which is not there")
            want(one == -1 || tensors[one].constant || one in known, "$what takes tensor $one before it is made")
        }
        for (one in gives) {
            want(one in tensors.indices && !tensors[one].constant, "$what gives tensor $one")
            want(known.add(one), "$what gives tensor $one again")
        }
        val code = codes[index.toInt()]
        checkOptions(operator, code, what)
        val shapes = takes.map { if (it >= 0) tensors[it].shape else emptyList() }
        val fits = fits(code, shapes, tensors[gives[0]].shape)
        want(fits, "$what (${OPERATORS[code]}) has shapes that do not fit")
    }

    private fun checkOptions(operator: FlatTable, code: Int, what: String) {
        val type = operator.byte(3)
        val options = operator.table(4)
        val window = WINDOWS[code] ?: return
        want(type == window.type && options != null, "$what lacks its options")
        if (options == null) return
        want(options.byte(0) in 0..1, "$what has an unknown padding")
        for (field in window.strides) {
            want(options.int(field) in 1..MOST_STRIDE, "$what has a stride outside 1 to 64")
        }
        for (field in window.factors) {
            want(options.int(field, 1) in 1..MOST_FACTOR, "$what has a window or a dilation outside 1 to 4096")
        }
    }
}

private fun fits(code: Int, shapes: List<List<Int>>, result: List<Int>): Boolean = when (code) {
    CONV, DEPTHWISE -> convolutionFits(code, shapes, result)
    FULLY_CONNECTED -> shapes.size >= 2 && shapes[1].size == 2 && productOf(shapes[0]) % shapes[1][1] == 0L &&
        (shapes.size < 3 || shapes[2].isEmpty() || shapes[2] == listOf(shapes[1][0]))
    CONCATENATION -> shapes.all { it.size == result.size } && shapes.sumOf(::productOf) == productOf(result)
    in SAME_ELEMENTS -> productOf(shapes[0]) == productOf(result)
    in OF_TWO -> shapes.size == 2 && result == broadcast(shapes[0], shapes[1])
    in OF_ONE -> shapes.size == 1 && shapes[0] == result
    else -> true
}

private fun convolutionFits(code: Int, shapes: List<List<Int>>, result: List<Int>): Boolean {
    if (shapes.size !in 2..3 || shapes[0].size != 4 || shapes[1].size != 4 || result.size != 4) return false
    val channels = shapes[1][if (code == CONV) 0 else 3]
    if (result[3] != channels || shapes.size == 3 && shapes[2].isNotEmpty() && shapes[2] != listOf(channels)) return false
    val plain = if (code == CONV) shapes[0][3] == shapes[1][3] else shapes[1][0] == 1 && channels % shapes[0][3] == 0
    return plain && result[0] == shapes[0][0]
}

/** The shape of what two shapes make, null where they do not go together. */
private fun broadcast(one: List<Int>, other: List<Int>): List<Int>? {
    val rank = maxOf(one.size, other.size)
    val pairs = (List(rank - one.size) { 1 } + one).zip(List(rank - other.size) { 1 } + other)
    if (pairs.any { (a, b) -> a != 1 && b != 1 && a != b }) return null
    return pairs.map { (a, b) -> maxOf(a, b) }
}
