package fauxlens.app.state

import android.net.Uri
import fauxlens.app.model.Keep
import fauxlens.app.model.PictureState
import fauxlens.app.model.Stage
import fauxlens.app.picture.PictureReader
import fauxlens.core.OperatingPoint
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executor
import java.util.concurrent.FutureTask
import java.util.concurrent.atomic.AtomicInteger

/**
 * What one screen asks for: of several requests the newest counts, and the others end where they notice.
 *
 * `show` and `finish` are called on the main thread, with what is to be seen meanwhile and with what came of it.
 */
internal class Requests(
    private val dependencies: Dependencies,
    private val show: (PictureState) -> Unit,
    private val finish: (Outcome) -> Unit,
) {
    private val newest = AtomicInteger()
    private var current: Request? = null

    /** A new request; the one before it is abandoned. */
    fun begin(point: OperatingPoint, keep: Keep): Request {
        abandon()
        return Request(newest.get(), point, keep).also { current = it }
    }

    /** Ends what is under way, also a reading that hangs. */
    fun abandon() {
        newest.incrementAndGet()
        current?.reader?.abandon()
        current = null
    }

    /** One request: `point` and `keep` as they were chosen then. */
    inner class Request(private val mine: Int, val point: OperatingPoint, val keep: Keep) {
        val reader: PictureReader = dependencies.reader()

        fun isWanted(): Boolean = mine == newest.get()

        /** Throws Superseded where nobody waits for this any more. */
        fun goOn() {
            if (!isWanted()) throw Superseded()
        }

        fun enter(stage: Stage) {
            goOn()
            show(PictureState.Working(stage))
        }

        fun show(picture: PictureState) = onMain { this@Requests.show(picture) }

        fun end(outcome: Outcome) = onMain { finish(outcome) }

        /** Does `job` on the worker and ends with what comes of it. */
        fun work(job: () -> Outcome) = on(dependencies.worker) { end(guarded(job)) }

        /**
         * Reads, and then goes on with `use` on the worker, which gets the bytes or what the reading threw.
         *
         * Not on the worker, which would wait: another app may take a minute, and another screen its turn meanwhile.
         */
        fun read(uri: Uri, use: (() -> ByteArray) -> Unit) = on(dependencies.reading) {
            val bytes = FutureTask { reader.read(uri, ::isWanted) }
            bytes.run()
            on(dependencies.worker) { use { resultOf(bytes) } }
        }

        private fun on(executor: Executor, job: () -> Unit) = executor.execute {
            try {
                goOn()
                job()
            } catch (_: Superseded) {
                // Nobody waits for it.
            }
        }

        private fun onMain(job: () -> Unit) = dependencies.main.execute { if (isWanted()) job() }
    }
}

private fun <T> resultOf(task: FutureTask<T>): T = try {
    task.get()
} catch (error: ExecutionException) {
    throw error.cause ?: error
}
