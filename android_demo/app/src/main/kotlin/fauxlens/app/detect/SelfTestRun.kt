package fauxlens.app.detect

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.common.writeAtomically
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import fauxlens.app.model.Settings
import fauxlens.app.picture.PictureDecoder
import fauxlens.core.Decoded
import fauxlens.core.Header
import fauxlens.core.Message
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.core.failedSelfTestJson
import fauxlens.core.selfTest
import java.io.File
import java.io.IOException

/** What the self-test's document says about the device and the app. */
data class Device(val app: String, val device: String, val system: String, val abi: String)

/**
 * Runs a bundle's references on this device, and writes what came out to `file` for `fauxlens verify`.
 *
 * `say` turns a sentence into words, `nanoTime` is a clock in nanoseconds. On the worker thread.
 */
class SelfTestRun(
    private val bundles: Bundles,
    private val engines: EngineFactory,
    private val trial: DetectorTrial,
    private val decoder: PictureDecoder,
    private val device: Device,
    private val file: File,
    private val say: (Sentence) -> String,
    private val nanoTime: () -> Long,
) {
    /** Runs it; the file is replaced whole, also where the test could not be run. Throws what `onProgress` throws. */
    fun run(request: SelfTestRequest, settings: Settings, onProgress: (Int, Int) -> Unit): SelfTestState = try {
        // An old result must not be taken for that of a run that was killed.
        file.delete()
        tested(request, settings, onProgress)
    } catch (trouble: Trouble) {
        failed(trouble.sentence)
    } catch (refused: Refused) {
        failed(Sentence.of(refused))
    } catch (_: OutOfMemoryError) {
        failed(Sentence.of(R.string.trouble_memory))
    } catch (error: IOException) {
        failed(Sentence.of(R.string.trouble_not_written, error.message.orEmpty()))
    } catch (error: RuntimeException) {
        // The platform's decoders throw what they like; a self-test must never end the app.
        failed(Sentence.of(R.string.trouble_test, error.toString()))
    }

    private fun tested(request: SelfTestRequest, settings: Settings, onProgress: (Int, Int) -> Unit): SelfTestState {
        // Whatever lies in the folder came from outside; what the app carries was installed with it.
        val bundle =
            if (request.bundle == null) bundles.own() else bundles.named(request.bundle).also { trial.check(it.detector) }
        val asked = Settings(
            (request.threads ?: settings.threads).coerceIn(1, Settings.MOST_THREADS),
            request.accelerator ?: settings.accelerator,
        )
        val result = openDetector(engines, bundle.detector, asked).use { running ->
            val header = Header(
                app = device.app,
                device = device.device,
                system = device.system,
                abi = device.abi,
                runtime = running.engine.name,
                threads = running.settings.threads,
                accelerator = running.settings.accelerator.name.lowercase(),
            )
            selfTest(bundle, running.engine, header, ::decoded, nanoTime, onProgress)
        }
        writeAtomically(file, result.toJson().toByteArray())
        return SelfTestState.Done(result, file)
    }

    /** Decodes a copy, for the decoder may change the bytes, whose checksums stand in the bundle. */
    private fun decoded(bytes: ByteArray): Decoded = try {
        val picture = decoder.decode(bytes.copyOf())
        Decoded(picture.stored, picture.orientation)
    } catch (trouble: Trouble) {
        throw Refused(Message(Refusal.SAID, say(trouble.sentence)), trouble)
    }

    private fun failed(sentence: Sentence): SelfTestState {
        try {
            writeAtomically(file, failedSelfTestJson(say(sentence)).toByteArray())
        } catch (_: IOException) {
            // The sentence is on the screen; whoever waits for the file finds none.
        }
        return SelfTestState.Failed(sentence)
    }
}
