package fauxlens.core.guard

import java.util.concurrent.ArrayBlockingQueue
import java.util.concurrent.TimeUnit

/** What came of trying a stranger's detector file in a process of its own. */
sealed interface TrialOutcome {
    /** It was opened and run. */
    data object Passed : TrialOutcome

    /** It was refused, for what `sentence` says. */
    data class Denied(val sentence: String) : TrialOutcome

    /** The process ended: most likely the file made the native library crash. */
    data object Died : TrialOutcome

    /** Nothing was heard of it within the time that it had. */
    data object TimedOut : TrialOutcome

    /** There was no process to try it in. */
    data object NotStarted : TrialOutcome
}

/** Waits for what is heard first of one trial; whatever is heard later, or too late, counts no more. For any thread. */
class TrialWait {
    private val heard = ArrayBlockingQueue<TrialOutcome>(1)
    private var isOver = false

    /** To be called with each thing that is heard. */
    @Synchronized
    fun hear(outcome: TrialOutcome) {
        if (!isOver) heard.offer(outcome)
        isOver = true
    }

    /** What was heard first, within so many milliseconds. To be called once. */
    fun outcome(mostMilliseconds: Long): TrialOutcome =
        heard.poll(mostMilliseconds, TimeUnit.MILLISECONDS) ?: late()

    @Synchronized
    private fun late(): TrialOutcome {
        isOver = true
        // It may have been heard in the last moment.
        return heard.poll() ?: TrialOutcome.TimedOut
    }
}
