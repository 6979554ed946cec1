package fauxlens.app.detect

import android.app.Service
import android.content.Intent
import android.os.Bundle
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import android.os.Message
import android.os.Messenger
import android.os.ParcelFileDescriptor
import android.os.Process
import android.os.RemoteException
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.model.Settings
import fauxlens.app.picture.readAtMost
import fauxlens.core.DetectorFile
import fauxlens.core.Refused
import java.io.IOException
import java.io.InputStream
import kotlin.concurrent.thread
import kotlin.random.Random

/**
 * Opens and runs one detector that comes from a stranger, in an isolated process: the manifest gives it a user of its own,
 * who may read none of the app's files and has no permission.
 *
 * Takes one message with the detector as an open file and answers with a sentence, or without one where the detector passed.
 */
class TrialService : Service() {
    private val messenger by lazy(LazyThreadSafetyMode.NONE) {
        Messenger(Handler(Looper.getMainLooper()) { message -> true.also { take(message) } })
    }

    override fun onBind(intent: Intent): IBinder = messenger.binder

    /** Nobody waits any more: the process ends at once, whatever the native library is doing in it. */
    override fun onUnbind(intent: Intent): Boolean {
        Process.killProcess(Process.myPid())
        return false
    }

    private fun take(message: Message) {
        @Suppress("DEPRECATION") // The typed getParcelable is Android 13's.
        val detector = message.data.getParcelable<ParcelFileDescriptor>(DETECTOR) ?: return
        val answers = message.replyTo
        // The main thread stays free for onUnbind.
        thread(name = "trial") {
            val refusal = ParcelFileDescriptor.AutoCloseInputStream(detector).use { tryDetector(it, engines(), ::say) }
            try {
                answers.send(Message.obtain().apply { data = Bundle().apply { putString(REFUSAL, refusal) } })
            } catch (_: RemoteException) {
                // The app is gone.
            }
        }
    }

    private fun engines(): EngineFactory = if (Process.is64Bit()) TfliteEngineFactory() else BuiltinOnly

    private fun say(sentence: Sentence): String = sentence.text(resources)

    internal companion object {
        const val DETECTOR = "detector"
        const val REFUSAL = "refusal"
    }
}

/** Opens a detector and runs it with black, white and noise; why it cannot be, or null. */
internal fun tryDetector(file: InputStream, engines: EngineFactory, say: (Sentence) -> String): String? = try {
    val detector = DetectorFile.read(readAtMost(file, MOST_BYTES), "detector")
    val bytes = detector.view.size * detector.view.size * 3
    openDetector(engines, detector, Settings(threads = 1)).use { running ->
        running.engine.run(ByteArray(bytes) { -1 })
        running.engine.run(Random(0).nextBytes(bytes))
    }
    null
} catch (trouble: Trouble) {
    say(trouble.sentence)
} catch (refused: Refused) {
    say(Sentence.of(refused))
} catch (_: OutOfMemoryError) {
    say(Sentence.of(R.string.trouble_memory_detector))
} catch (_: IOException) {
    say(Sentence.of(R.string.trouble_no_detector))
}

private const val MOST_BYTES = 64 shl 20
