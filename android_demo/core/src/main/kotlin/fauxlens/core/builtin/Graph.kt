package fauxlens.core.builtin

/** What a tensor's numbers are (schema.fbs, TensorType); the others are not used by what Fauxlens exports. */
internal enum class Type(val code: Int, val bytes: Int) {
    FLOAT32(0, 4),
    FLOAT16(1, 2),
    INT32(2, 4),
    UINT8(3, 1),
    INT8(9, 1),
}

/**
 * A tensor: `shape` outermost first. Quantised ones stand for (number - zeroPoint) * scale, with a scale for each
 * channel where there are several. `data` is the content of a constant, null for what is computed.
 */
internal class Tensor(
    val type: Type,
    val shape: IntArray,
    val scales: FloatArray,
    val zeroPoint: Int,
    val data: ByteArray?,
) {
    /** How many numbers it holds. */
    val size: Int = shape.fold(1, Int::times)
}

/** The operators that the built-in engine knows (schema.fbs, BuiltinOperator). */
internal enum class Kind(val code: Int) {
    ADD(0),
    CONCATENATION(2),
    CONV_2D(3),
    DEPTHWISE_CONV_2D(4),
    DEPTH_TO_SPACE(5),
    DEQUANTIZE(6),
    MAX_POOL_2D(17),
    MUL(18),
    RELU(19),
    RESHAPE(22),
    RESIZE_BILINEAR(23),
    PAD(34),
    MEAN(40),
    SUB(41),
    DIV(42),
    CAST(53),
    MAXIMUM(55),
    MINIMUM(57),
    NEG(59),
    SUM(74),
    REDUCE_MAX(82),
    QUANTIZE(114),
    DENSIFY(124),
}

/**
 * What a convolution or pooling does at its edges and after it; `least` and `most` bound the result, before any
 * quantisation. `side` is that of what is pooled, 0 for a convolution.
 */
internal class Window(val stride: Int, val same: Boolean, val least: Float, val most: Float, val side: Int = 0)

/**
 * One operator; tensors by their numbers. `window` is there for convolutions and pooling alone; `number` is the axis of
 * a concatenation and the block of DEPTH_TO_SPACE; `rectified` whether what is below 0 becomes 0 after an ADD.
 */
internal class Operator(
    val kind: Kind,
    val inputs: IntArray,
    val output: Int,
    val window: Window?,
    val number: Int,
    val rectified: Boolean,
)

/** A graph whose operators stand in the order in which they run; one input. */
internal class Graph(
    val tensors: List<Tensor>,
    val operators: List<Operator>,
    val input: Int,
    val outputs: List<Int>,
)
