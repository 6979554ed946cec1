package fauxlens.core.builtin

import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors

/** Shares rows among threads. One thread needs no others and starts none. */
internal class Workers(private val threads: Int) : AutoCloseable {

    private val others = if (threads > 1) {
        Executors.newFixedThreadPool(threads - 1) { task -> Thread(task, "built-in engine").apply { isDaemon = true } }
    } else {
        null
    }

    /** Calls `work` for all rows 0 until `rows`, in as many stretches as there are threads; returns when all are done. */
    fun share(rows: Int, work: (first: Int, last: Int) -> Unit) {
        if (others == null) return work(0, rows)
        fun start(part: Int) = rows * part / threads
        val waiting = (1 until threads).map { part ->
            others.submit(Callable { work(start(part), start(part + 1)) })
        }
        work(0, start(1))
        for (one in waiting) {
            try {
                one.get()
            } catch (error: ExecutionException) {
                throw error.cause ?: error
            }
        }
    }

    override fun close() {
        others?.shutdown()
    }
}
