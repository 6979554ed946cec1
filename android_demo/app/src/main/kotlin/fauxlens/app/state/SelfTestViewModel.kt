package fauxlens.app.state

import android.os.Bundle
import fauxlens.app.model.Accelerator
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import java.util.concurrent.atomic.AtomicInteger

/** The state of one self-test screen. Called on the main thread only; of several runs the newest counts. */
class SelfTestViewModel(private val app: AppModel) : ViewModel<SelfTestState>(SelfTestState.Idle) {
    private val dependencies = app.dependencies
    private val runs = AtomicInteger()
    private var asked: SelfTestRequest? = null

    override fun end() {
        runs.incrementAndGet()
    }

    /** Runs the self-test; its result is in the state and in a file. */
    fun run(request: SelfTestRequest = SelfTestRequest()) {
        asked = request
        val mine = runs.incrementAndGet()
        val settings = app.state.settings
        fun post(next: SelfTestState) = dependencies.main.execute { if (mine == runs.get()) change(next) }
        change(SelfTestState.Running(0, 0))
        dependencies.worker.execute {
            val goOn = { if (mine != runs.get()) throw Superseded() }
            try {
                goOn()
                post(dependencies.selfTests.run(request, settings) { done, total ->
                    goOn()
                    post(SelfTestState.Running(done, total))
                })
            } catch (_: Superseded) {
                // The newer run reports for itself.
            }
        }
    }

    /** Ends a self-test that is under way; no result is written. */
    fun stop() {
        end()
        asked = null
        change(SelfTestState.Idle)
    }

    /** What was asked for last, to be saved with the screen; null where nothing was. */
    fun saved(): SelfTestRequest? = asked

    /** Runs again what was on the screen when the process died; does nothing where something is on it. */
    fun restore(saved: SelfTestRequest) {
        if (state is SelfTestState.Idle) run(saved)
    }
}

/** A request among what a screen saves. */
object SavedRequest {
    private const val BUNDLE = "test_bundle"
    private const val THREADS = "test_threads"
    private const val ACCELERATOR = "test_accelerator"

    /** Puts a request among what a screen saves. */
    fun save(request: SelfTestRequest, into: Bundle) {
        into.putString(BUNDLE, request.bundle)
        into.putInt(THREADS, request.threads ?: 0)
        into.putString(ACCELERATOR, request.accelerator?.name)
    }

    /** The request among what a screen has saved, or null. */
    fun of(saved: Bundle): SelfTestRequest? {
        if (!saved.containsKey(THREADS)) return null
        return SelfTestRequest(
            saved.getString(BUNDLE),
            saved.getInt(THREADS).takeIf { it > 0 },
            Accelerator.values().find { it.name == saved.getString(ACCELERATOR) },
        )
    }
}
