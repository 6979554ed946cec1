package fauxlens.core.face

import fauxlens.core.FaceNetwork
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.core.builtin.Compiler
import fauxlens.core.builtin.Values
import fauxlens.core.builtin.Workers
import fauxlens.core.builtin.readPlainGraph

/** What a network gives: 16 regressors for each anchor, and a logit. */
internal class NetworkOutput(val regressors: FloatArray, val logits: FloatArray)

/** Runs one network on side * side * 3 floats. Not for two threads at once. */
internal fun interface NetworkRunner {
    fun run(tensor: FloatArray): NetworkOutput
}

/** The network's file on the engine in `core`; Refused where it is another file. */
internal fun openNetwork(network: FaceNetwork, file: ByteArray, threads: Int): NetworkRunner {
    val name = network.member
    network.check(file, name)
    val graph = readPlainGraph(file, name)
    val logits = graph.outputs.find { graph.tensors[it].shape.last() == 1 }
    val regressors = graph.outputs.find { graph.tensors[it].shape.last() == REGRESSORS }
    val fits = graph.tensors[graph.input].size == 3 * network.side * network.side &&
        logits?.let { graph.tensors[it].size } == network.anchors &&
        regressors?.let { graph.tensors[it].size } == REGRESSORS * network.anchors
    if (logits == null || regressors == null || !fits) throw Refused(Refusal.FINDER_ENDS, name)
    val compiler = Compiler(graph, name)
    val steps = graph.operators.map(compiler::step)
    return NetworkRunner { tensor ->
        val values = Values(graph)
        values.put(graph.input, tensor)
        Workers(threads).use { workers -> for (step in steps) step.run(values, workers) }
        NetworkOutput(values.floats(regressors), values.floats(logits))
    }
}

internal const val REGRESSORS = 16
