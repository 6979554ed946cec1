package fauxlens.app.state

import java.io.Closeable

/** Holds a state and tells whoever observes it of each change. On the main thread only. */
abstract class StateHolder<S>(first: S) {
    /** What the screens show now. */
    var state: S = first
        private set

    private val observers = LinkedHashSet<(S) -> Unit>()

    /** Calls `observer` at once and at every change, until what is returned is closed. */
    fun observe(observer: (S) -> Unit): Closeable {
        observers += observer
        observer(state)
        return Closeable { observers -= observer }
    }

    protected fun change(next: S) {
        state = next
        // A copy: an observer may leave while it is told.
        observers.toList().forEach { if (it in observers) it(next) }
    }
}

/** The state of one screen: it outlives that the device is turned over, and ends with the screen. */
abstract class ViewModel<S>(first: S) : StateHolder<S>(first) {
    /** The screen is gone: what is under way for it ends, too. */
    abstract fun end()
}
