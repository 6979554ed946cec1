package fauxlens.app.detect

import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.content.ServiceConnection
import android.os.Bundle
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import android.os.Message
import android.os.Messenger
import android.os.ParcelFileDescriptor
import android.os.RemoteException
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.core.DetectorFile
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.core.guard.TrialOutcome
import fauxlens.core.guard.TrialWait
import java.io.File
import java.io.IOException

/** Tries a stranger's detector before this process opens it; throws Trouble or Refused where it does not pass. */
fun interface DetectorTrial {
    fun check(detector: DetectorFile)
}

/**
 * Has a detector opened and run by TrialService, whose process may crash and has no permission and no file of the app.
 *
 * Not for the main thread, on which that process answers. It is lent the detector as an open file of `folder`, for one
 * message may not hold so much.
 */
class IsolatedTrial(
    private val context: Context,
    private val folder: File,
    private val mostSeconds: Int = MOST_SECONDS,
) : DetectorTrial {
    override fun check(detector: DetectorFile) {
        val name = detector.description.name
        when (val outcome = lent(detector.bytes).use(::outcomeOf)) {
            TrialOutcome.Passed -> Unit
            is TrialOutcome.Denied -> throw Refused(Refusal.SAID, outcome.sentence)
            TrialOutcome.Died -> throw Trouble(R.string.trouble_trial_died, name)
            TrialOutcome.TimedOut -> throw Trouble(R.string.trouble_trial_slow, name, mostSeconds)
            TrialOutcome.NotStarted -> throw Trouble(R.string.trouble_trial_absent, name)
        }
    }

    private fun outcomeOf(detector: ParcelFileDescriptor): TrialOutcome {
        val wait = TrialWait()
        val connection = TrialConnection(detector, wait)
        val isBound = context.bindService(Intent(context, TrialService::class.java), connection, Context.BIND_AUTO_CREATE)
        if (!isBound) wait.hear(TrialOutcome.NotStarted)
        try {
            return wait.outcome(mostSeconds * 1000L)
        } finally {
            // Nobody else is bound to it, so its process ends, also in the middle of its work.
            context.unbindService(connection)
        }
    }

    /** The detector as a file that has no name any more: it is gone when the last who reads it is. */
    private fun lent(detector: ByteArray): ParcelFileDescriptor {
        val file = File(folder, "trial.tflite")
        try {
            file.writeBytes(detector)
            return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)
        } catch (error: IOException) {
            throw Trouble(Sentence.of(R.string.trouble_not_written, error.message.orEmpty()), error)
        } finally {
            file.delete()
        }
    }

    private companion object {
        // The slowest phone needs a second or two with the engine in `core`, and a process some more to start.
        const val MOST_SECONDS = 30
    }
}

/** Hands the detector over when the process is there, and tells what is heard of it. */
private class TrialConnection(private val detector: ParcelFileDescriptor, private val wait: TrialWait) : ServiceConnection {
    override fun onServiceConnected(name: ComponentName, service: IBinder) {
        val answers = Handler(Looper.getMainLooper()) { answer ->
            val refusal = answer.data.getString(TrialService.REFUSAL)
            wait.hear(refusal?.let(TrialOutcome::Denied) ?: TrialOutcome.Passed)
            true
        }
        val request = Message.obtain().apply {
            data = Bundle().apply { putParcelable(TrialService.DETECTOR, detector) }
            replyTo = Messenger(answers)
        }
        try {
            Messenger(service).send(request)
        } catch (_: RemoteException) {
            wait.hear(TrialOutcome.Died)
        }
    }

    override fun onServiceDisconnected(name: ComponentName) = wait.hear(TrialOutcome.Died)

    override fun onBindingDied(name: ComponentName) = wait.hear(TrialOutcome.Died)

    override fun onNullBinding(name: ComponentName) = wait.hear(TrialOutcome.NotStarted)
}
