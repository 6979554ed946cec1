package fauxlens.app

import fauxlens.core.Engine
import fauxlens.core.Message
import fauxlens.core.Output
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.litert.LiteRt
import fauxlens.litert.LiteRtException
import java.nio.file.Files
import java.nio.file.Path
import org.junit.Assume.assumeTrue

/** LiteRT's own C library on this machine, where the app has TensorFlow Lite's Java interpreter on a phone. */
class JnaEngine(tflite: ByteArray) : Engine {
    private val detector = LiteRt(library(), tflite)

    override val name: String = "LiteRT C library by JNA"

    override fun run(view: ByteArray): Output = try {
        val output = detector.run(view)
        Output(output.scores(), output.heatmap())
    } catch (error: LiteRtException) {
        throw Refused(Message(Refusal.NOT_RUN, error.message.orEmpty()), error)
    }

    override fun close() = detector.close()

    companion object {
        /** The library that the system property fauxlens.litert names; without it the test that calls is skipped. */
        fun library(): Path {
            val path = System.getProperty("fauxlens.litert").orEmpty()
            val absent = "LiteRT's C library is not there ('$path'): run `make setup`, or name libLiteRt.so with " +
                "-Dfauxlens.litert=."
            if (path.isEmpty() || !Files.isRegularFile(Path.of(path))) println("Skipped: $absent")
            assumeTrue(absent, path.isNotEmpty() && Files.isRegularFile(Path.of(path)))
            return Path.of(path)
        }
    }
}
