package fauxlens.core.builtin

import fauxlens.core.DetectorFile
import fauxlens.core.Engine
import fauxlens.core.Output
import fauxlens.core.Refusal
import fauxlens.core.Refused

/**
 * Runs int8 detectors of `fauxlens export` without any library: the same numbers as LiteRT with XNNPACK, bit for bit.
 *
 * For devices on which the native library does not load, and as a second opinion where it does. Convolutions are
 * computed in whole numbers, what follows them in floats (see the files beside this one). Refused where the detector has
 * anything that this engine does not know.
 */
class BuiltinEngine(detector: DetectorFile, threads: Int = 1) : Engine {

    override val name: String = "built-in engine (Kotlin)"

    private val graph = readGraph(detector.bytes, detector.description.name)
    private val size = detector.view.size * detector.view.size * 3
    private val workers: Workers
    private val steps: List<Step>

    init {
        val image = graph.tensors[graph.input]
        if (image.type != Type.UINT8 || image.size != size) {
            throw Refused(Refusal.PICTURE_SIZE, detector.description.name)
        }
        val compiler = Compiler(graph, detector.description.name)
        steps = graph.operators.map(compiler::step)
        workers = Workers(threads)
    }

    override fun run(view: ByteArray): Output {
        if (view.size != size) throw Refused(Refusal.VIEW_BYTES, view.size, size)
        val values = Values(graph)
        values.put(graph.input, IntArray(size) { view[it].toInt() and 0xFF })
        for (step in steps) step.run(values, workers)
        val (scores, heatmap) = graph.outputs.map(values::floats)
        return Output(scores, heatmap)
    }

    override fun close() = workers.close()
}

/** One operator with all that can be prepared before there is a picture. */
internal fun interface Step {
    fun run(values: Values, workers: Workers)
}

/** What tensors hold: floats, or whole numbers less their zero point. Constants are there from the start. */
internal class Values(graph: Graph) {

    private val floats = arrayOfNulls<FloatArray>(graph.tensors.size)
    private val numbers = arrayOfNulls<IntArray>(graph.tensors.size)

    init {
        graph.tensors.forEachIndexed { index, tensor ->
            if (tensor.type == Type.FLOAT32 && tensor.data != null) floats[index] = floatsOf(tensor.data)
        }
    }

    fun floats(tensor: Int): FloatArray = checkNotNull(floats[tensor]) { "tensor $tensor was not computed" }

    fun numbers(tensor: Int): IntArray = checkNotNull(numbers[tensor]) { "tensor $tensor was not computed" }

    fun put(tensor: Int, values: FloatArray) {
        floats[tensor] = values
    }

    fun put(tensor: Int, values: IntArray) {
        numbers[tensor] = values
    }
}
