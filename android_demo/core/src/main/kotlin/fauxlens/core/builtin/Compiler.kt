package fauxlens.core.builtin

import fauxlens.core.Refusal
import fauxlens.core.Refused
import java.nio.ByteBuffer
import java.nio.ByteOrder

// The shipped detector has 185 million; MobileNet at 224 pixels 570 million.
private const val MOST_PRODUCTS = 8_000_000_000L

/** Prepares operators; Refused where shapes, types or constants are not those that the engine knows. */
internal class Compiler(private val graph: Graph, private val name: String) {

    private var products = 0L

    /** Constants that operators make of others, by the number of their tensor. */
    private val constants = HashMap<Int, FloatArray>()

    fun step(operator: Operator): Step {
        val output = operator.output
        val result = graph.tensors[output]
        val inputs = operator.inputs
        val first = graph.tensors[inputs[0]]
        return when (operator.kind) {
            Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D -> convolution(operator)
            Kind.CAST -> {
                demand(first.type == Type.UINT8 && inputs[0] == graph.input && sameSize(first, result), operator)
                Step { values, _ -> values.put(output, floatsOf(values.numbers(inputs[0]))) }
            }
            Kind.QUANTIZE -> {
                demand(first.type == Type.FLOAT32 && result.isQuantised() && sameSize(first, result), operator)
                val (least, most) = -128 - result.zeroPoint to 127 - result.zeroPoint
                Step { values, _ ->
                    values.put(output, quantised(values.floats(inputs[0]), result.scales[0], least, most))
                }
            }
            Kind.DEQUANTIZE -> if (first.type == Type.FLOAT16) constant(operator) else {
                demand(first.isQuantised() && result.type == Type.FLOAT32 && sameSize(first, result), operator)
                Step { values, _ ->
                    val numbers = values.numbers(inputs[0])
                    values.put(output, FloatArray(numbers.size) { numbers[it] * first.scales[0] })
                }
            }
            Kind.PAD, Kind.MAX_POOL_2D, Kind.RESIZE_BILINEAR, Kind.DEPTH_TO_SPACE -> spatial(operator)
            Kind.DENSIFY -> constant(operator)
            Kind.RELU -> unary(operator) { maxOf(it, 0f) }
            Kind.NEG -> unary(operator) { -it }
            Kind.RESHAPE -> unary(operator) { it }
            Kind.CONCATENATION -> concatenation(operator)
            Kind.MEAN, Kind.SUM, Kind.REDUCE_MAX -> reduction(operator)
            else -> {
                demand(inputs.size == 2 && inputs.all { graph.tensors[it].type == Type.FLOAT32 }, operator)
                demand(inputs.all { graph.tensors[it].size.let { n -> n == 1 || n == result.size } }, operator)
                demand(result.size == maxOf(first.size, graph.tensors[inputs[1]].size), operator)
                Step { values, _ ->
                    val (a, b) = values.floats(inputs[0]) to values.floats(inputs[1])
                    val y = pairwise(operator.kind, a, b, result.size)
                    if (operator.rectified) for (index in y.indices) y[index] = maxOf(y[index], 0f)
                    values.put(output, y)
                }
            }
        }
    }

    private fun unary(operator: Operator, operation: (Float) -> Float): Step {
        val input = graph.tensors[operator.inputs[0]]
        val result = graph.tensors[operator.output]
        demand(input.type == Type.FLOAT32 && result.type == Type.FLOAT32 && sameSize(input, result), operator)
        return Step { values, _ ->
            val x = values.floats(operator.inputs[0])
            values.put(operator.output, FloatArray(x.size) { operation(x[it]) })
        }
    }

    /** Joined along one side: the parts of every input for each place of the sides before it, in turn. */
    private fun concatenation(operator: Operator): Step {
        val inputs = operator.inputs.map { graph.tensors[it] }
        val result = graph.tensors[operator.output]
        val sides = result.shape.size
        val axis = if (operator.number < 0) operator.number + sides else operator.number
        demand(axis in 0 until sides && inputs.all { it.type == Type.FLOAT32 && it.shape.size == sides }, operator)
        demand(inputs.all { one -> one.shape.indices.all { it == axis || one.shape[it] == result.shape[it] } }, operator)
        demand(result.shape[axis] == inputs.sumOf { it.shape[axis] } && result.type == Type.FLOAT32, operator)
        val places = (0 until axis).fold(1) { product, side -> product * result.shape[side] }
        return Step { values, _ ->
            val joined = FloatArray(result.size)
            var at = 0
            for (place in 0 until places) for (input in operator.inputs) {
                val x = values.floats(input)
                val part = x.size / places
                x.copyInto(joined, at, place * part, (place + 1) * part)
                at += part
            }
            values.put(operator.output, joined)
        }
    }

    /** A constant that is stored in half the bytes or without its zeros: unpacked once, here. */
    private fun constant(operator: Operator): Step {
        val input = graph.tensors[operator.inputs[0]]
        val result = graph.tensors[operator.output]
        val known = constants[operator.inputs[0]] ?: input.data?.takeIf { input.type == Type.FLOAT16 }?.let(::halvesOf)
        demand(known != null && known.size == result.size, operator)
        val floats = checkNotNull(known)
        constants[operator.output] = floats
        return Step { values, _ -> values.put(operator.output, floats) }
    }

    private fun spatial(operator: Operator): Step {
        val (input, output) = operator.inputs[0] to operator.output
        val (x, result) = graph.tensors[input] to graph.tensors[output]
        demand(listOf(x, result).all { it.type == Type.FLOAT32 && it.shape.size == 4 && it.shape[0] == 1 }, operator)
        val operation = when (operator.kind) {
            Kind.PAD -> padding(x, result, graph.tensors.getOrNull(operator.inputs.getOrElse(1) { -1 }))
            Kind.MAX_POOL_2D -> maxPooling(x, result, checkNotNull(operator.window))
            Kind.RESIZE_BILINEAR -> enlargement(x, result)
            else -> depthToSpace(x, result, operator.number)
        }
        demand(operation != null, operator)
        return Step { values, _ -> values.put(output, checkNotNull(operation)(values.floats(input))) }
    }

    private fun reduction(operator: Operator): Step {
        val input = graph.tensors[operator.inputs[0]]
        val result = graph.tensors[operator.output]
        val axes = operator.inputs.getOrNull(1)?.let { graph.tensors[it] }
        demand(input.type == Type.FLOAT32 && axes?.type == Type.INT32 && axes.data != null, operator)
        val sides = intsOf(checkNotNull(axes?.data)).map { if (it < 0) it + input.shape.size else it }.toSet()
        demand(sides.all { it in input.shape.indices }, operator)
        // Those that are reduced lie beside each other in memory: nothing but sides of 1 follows them.
        val length = sides.fold(1) { product, side -> product * input.shape[side] }
        val first = sides.filter { input.shape[it] > 1 }.minOrNull() ?: 0
        val rest = (first until input.shape.size).filter { it !in sides }
        demand(rest.all { input.shape[it] == 1 } && result.size * length == input.size, operator)
        return Step { values, _ -> values.put(operator.output, reduced(operator.kind, values, operator.inputs[0], length)) }
    }

    private fun reduced(kind: Kind, values: Values, input: Int, length: Int): FloatArray {
        val x = values.floats(input)
        return when (kind) {
            Kind.SUM -> sums(x, length)
            // Not a division: XNNPACK multiplies by what 1 / length is as a float.
            Kind.MEAN -> sums(x, length).also { for (index in it.indices) it[index] *= 1f / length }
            else -> FloatArray(x.size / length) { row ->
                var most = x[row * length]
                for (index in row * length until (row + 1) * length) most = maxOf(most, x[index])
                most
            }
        }
    }

    private fun convolution(operator: Operator): Step {
        val (x, weights, bias) = operator.inputs.map { graph.tensors[it] }.also { demand(it.size == 3, operator) }
        val result = graph.tensors[operator.output]
        demand(listOf(x, weights, result).all { it.shape.size == 4 } && bias.shape.size == 1, operator)
        demand(x.shape[0] == 1 && result.shape[0] == 1 && weights.shape[1] == weights.shape[2], operator)
        demand(bias.size == result.shape[3], operator)
        val depthwise = operator.kind == Kind.DEPTHWISE_CONV_2D
        val fits = if (depthwise) {
            weights.shape[0] == 1 && weights.shape[3] == x.shape[3] && x.shape[3] == result.shape[3]
        } else {
            weights.shape[0] == result.shape[3] && weights.shape[3] == x.shape[3]
        }
        demand(fits, operator)
        val window = checkNotNull(operator.window)
        for (side in 1..2) demand(result.shape[side] == outSide(x.shape[side], weights.shape[1], window), operator)
        products += result.size.toLong() * weights.size / (if (depthwise) x.shape[3] else result.shape[3])
        demand(products <= MOST_PRODUCTS, operator)
        if (x.type != Type.FLOAT32) return wholeNumbers(operator, depthwise)
        // The head of a detector must have its bits; a network that finds faces is rounded afterwards.
        return if (weights.data == null) floats(operator, depthwise) else pointwise(operator, x, weights, bias)
    }

    private fun outSide(side: Int, kernel: Int, window: Window): Int =
        if (window.same) (side + window.stride - 1) / window.stride else (side - kernel) / window.stride + 1

    private fun pointwise(operator: Operator, x: Tensor, weights: Tensor, bias: Tensor): Step {
        val window = checkNotNull(operator.window)
        demand(weights.shape[1] == 1 && window.stride == 1 && window.least == Float.NEGATIVE_INFINITY, operator)
        demand(operator.kind == Kind.CONV_2D, operator)
        demand(listOf(weights, bias, graph.tensors[operator.output]).all { it.type == Type.FLOAT32 }, operator)
        val channels = x.shape[3]
        val (input, weight, addend) = operator.inputs.toList()
        return Step { values, _ ->
            val y = pointwise(values.floats(input), values.floats(weight), values.floats(addend), channels)
            values.put(operator.output, y)
        }
    }

    private fun floats(operator: Operator, depthwise: Boolean): Step {
        val (x, weights, _) = operator.inputs.map { graph.tensors[it] }
        val result = graph.tensors[operator.output]
        val (kernel, bias) = operator.inputs.drop(1).map { constants[it] }
        demand(kernel != null && bias != null && result.type == Type.FLOAT32, operator)
        val window = checkNotNull(operator.window)
        val shape = shape(window, x, weights, result, 0, 0)
        val rows = rowsOf(checkNotNull(kernel), shape, depthwise)
        val convolution = FloatConvolution(shape, window, checkNotNull(bias), rows, depthwise)
        return Step { values, workers ->
            val output = FloatArray(result.size)
            val input = values.floats(operator.inputs[0])
            workers.share(shape.outRows) { first, last -> convolution.run(input, output, first, last) }
            values.put(operator.output, output)
        }
    }

    private fun wholeNumbers(operator: Operator, depthwise: Boolean): Step {
        val (x, weights, bias) = operator.inputs.map { graph.tensors[it] }
        val result = graph.tensors[operator.output]
        val channels = result.shape[3]
        demand(x.isQuantised() && result.isQuantised() && bias.type == Type.INT32, operator)
        demand(weights.type == Type.INT8 && weights.zeroPoint == 0 && weights.scales.size in setOf(1, channels), operator)
        demand(weights.data != null && bias.data != null, operator)
        val window = checkNotNull(operator.window)
        val (least, most) = bounds(window, result)
        val shape = shape(window, x, weights, result, least, most)
        val scales = FloatArray(channels) {
            x.scales[0] * weights.scales[if (weights.scales.size == 1) 0 else it] / result.scales[0]
        }
        val biases = intsOf(checkNotNull(bias.data))
        val bytes = checkNotNull(weights.data)
        val places = weights.shape[1] * weights.shape[2] * (if (depthwise) 1 else x.shape[3])
        val convolution = if (depthwise) {
            val taps = Array(places) { tap -> IntArray(channels) { bytes[tap * channels + it].toInt() } }
            DepthwiseConvolution(shape, scales, biases, taps)
        } else {
            // Turned, so that the weights of all output channels for one input number stand side by side.
            val rows = Array(places) { place -> IntArray(channels) { bytes[it * places + place].toInt() } }
            FullConvolution(shape, scales, biases, rows)
        }
        return Step { values, workers ->
            val output = IntArray(result.size)
            val input = values.numbers(operator.inputs[0])
            workers.share(shape.outRows) { first, last -> convolution.run(input, output, first, last) }
            values.put(operator.output, output)
        }
    }

    /** As TFLite's CalculateActivationRangeQuantized (tensorflow/lite/kernels/kernel_util.cc), less the zero point. */
    private fun bounds(window: Window, result: Tensor): Pair<Int, Int> {
        val (lowest, highest) = -128 - result.zeroPoint to 127 - result.zeroPoint
        fun bound(value: Float, none: Int) =
            if (value == Float.NEGATIVE_INFINITY || value == Float.POSITIVE_INFINITY) none else nearest(value / result.scales[0])
        return maxOf(lowest, bound(window.least, lowest)) to minOf(highest, bound(window.most, highest))
    }

    private fun shape(window: Window, x: Tensor, weights: Tensor, result: Tensor, least: Int, most: Int) =
        ConvolutionShape(
            rows = x.shape[1],
            columns = x.shape[2],
            channels = x.shape[3],
            outRows = result.shape[1],
            outColumns = result.shape[2],
            outChannels = result.shape[3],
            kernel = weights.shape[1],
            stride = window.stride,
            same = window.same,
            least = least,
            most = most,
        )

    private fun demand(holds: Boolean, operator: Operator) {
        if (!holds) throw Refused(Refusal.OPERATOR_KIND, name, operator.kind.toString())
    }
}

private fun Tensor.isQuantised(): Boolean = type == Type.INT8 && scales.size == 1

private fun sameSize(a: Tensor, b: Tensor): Boolean = a.size == b.size

internal fun floatsOf(data: ByteArray): FloatArray =
    FloatArray(data.size / 4).also { ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(it) }

internal fun floatsOf(numbers: IntArray): FloatArray = FloatArray(numbers.size) { numbers[it].toFloat() }

internal fun intsOf(data: ByteArray): IntArray =
    IntArray(data.size / 4).also { ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(it) }
