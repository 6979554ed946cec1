package fauxlens.app.detect

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Settings
import fauxlens.core.DetectorFile
import fauxlens.core.Engine
import fauxlens.core.Message
import fauxlens.core.Output
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.core.guard.checkGraph
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.TensorFlowLite

private const val MOST_REASON = 160

/** Runs detectors by TensorFlow Lite's Android library. For the thread that made the engine only: GPUs ask for that. */
class TfliteEngineFactory : EngineFactory {
    override fun make(detector: DetectorFile, settings: Settings): Engine {
        // The native library trusts what it is given; altered graphs end the process.
        checkGraph(detector.bytes, detector.description.name)
        val delegate = if (settings.accelerator == Accelerator.GPU) gpuDelegate() else null
        var interpreter: Interpreter? = null
        var engine: Engine? = null
        try {
            val options = Interpreter.Options().setNumThreads(settings.threads)
            // Given before any other delegate it would leave nothing to the GPU.
            options.setUseXNNPACK(delegate == null)
            delegate?.let(options::addDelegate)
            interpreter = Interpreter(direct(detector.bytes), options)
            engine = TfliteEngine(interpreter, delegate, detector)
            return engine
        } catch (error: RuntimeException) {
            // What the native library refuses: IllegalArgumentException, IllegalStateException and others.
            throw Trouble(refusal(delegate, error), error)
        } catch (error: LinkageError) {
            // No native library for this processor.
            throw Trouble(Sentence.of(R.string.trouble_engine, reason(error)), error)
        } finally {
            if (engine == null) {
                interpreter?.close()
                delegate?.close()
            }
        }
    }
}

private class TfliteEngine(
    private val interpreter: Interpreter,
    private val delegate: Delegate?,
    detector: DetectorFile,
) : Engine {
    override val name: String =
        "TensorFlow Lite ${TensorFlowLite.runtimeVersion()}, ${if (delegate == null) "XNNPACK" else "GPU delegate"}"

    private val image =
        ByteBuffer.allocateDirect(detector.view.size * detector.view.size * 3).order(ByteOrder.nativeOrder())
    private val scores = Array(1) { FloatArray(2) }
    private val heatmap = Array(1) {
        Array(detector.description.heatmapRows) { FloatArray(detector.description.heatmapColumns) }
    }
    private val signature = interpreter.signatureKeys.single()

    override fun run(view: ByteArray): Output {
        if (view.size != image.capacity()) throw Refused(Refusal.VIEW_BYTES, view.size, image.capacity())
        image.clear()
        image.put(view)
        image.rewind()
        try {
            val outputs = mapOf("scores" to scores, "heatmap" to heatmap)
            interpreter.runSignature(mapOf("image" to image), outputs, signature)
        } catch (error: RuntimeException) {
            throw Refused(Message(Refusal.NOT_RUN, reason(error)), error)
        }
        val cells = heatmap[0].flatMap { it.asList() }
        return Output(scores[0].copyOf(), cells.toFloatArray())
    }

    override fun close() {
        // In this order: the interpreter still holds the delegate.
        interpreter.close()
        delegate?.close()
    }
}

/**
 * Makes the GPU delegate, if this build carries it.
 *
 * By its name: the library comes from Google's repository only, and the build for machines without that has none.
 */
private fun gpuDelegate(): Delegate = try {
    Class.forName("org.tensorflow.lite.gpu.GpuDelegate").getConstructor().newInstance() as Delegate
} catch (error: ReflectiveOperationException) {
    throw Trouble(Sentence.of(R.string.trouble_no_gpu_library), error)
} catch (error: LinkageError) {
    throw Trouble(Sentence.of(R.string.trouble_no_gpu_library), error)
}

private fun direct(bytes: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply {
        put(bytes)
        rewind()
    }

private fun refusal(delegate: Delegate?, error: Throwable): Sentence =
    if (delegate == null) {
        Sentence.of(R.string.trouble_engine, reason(error))
    } else {
        Sentence.of(R.string.trouble_gpu, gpuReason(error))
    }

/**
 * What a GPU delegate has against a detector. Its message lists first, below a heading, the operators that it leaves to the
 * CPU, which is no reason to refuse; then it says what it could not set up. The list is told where nothing follows it.
 */
internal fun gpuReason(error: Throwable): String {
    val lines = error.message.orEmpty().lines().map { it.trim() }.filter { it.isNotEmpty() }
    val heading = lines.indexOfFirst { "not supported by GPU delegate" in it }
    val said = lines.find { it.startsWith(SET_UP) }?.removePrefix(SET_UP)
        ?: lines.getOrNull(heading + 1)?.takeIf { heading >= 0 }
    return said?.trimEnd('.')?.take(MOST_REASON) ?: reason(error)
}

private const val SET_UP = "TfLiteGpuDelegate Init: "

/** The first line of what an error says: native ones go on for pages. */
private fun reason(error: Throwable): String {
    val line = error.message.orEmpty().lineSequence().first().trim().trimEnd('.').take(MOST_REASON)
    return line.ifEmpty { error.javaClass.simpleName }
}
