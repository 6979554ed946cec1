package fauxlens.core.guard

import org.junit.Assert.assertEquals
import org.junit.Test

/** Of a trial the first word counts, and after its time none. */
class TrialTest {
    @Test
    fun `what is heard first counts, also before anybody waits`() {
        val wait = TrialWait()
        wait.hear(TrialOutcome.Denied("no."))
        // The process ends after it has answered, as it should.
        wait.hear(TrialOutcome.Died)
        assertEquals(TrialOutcome.Denied("no."), wait.outcome(60_000))
    }

    @Test
    fun `what is heard while somebody waits is not waited for any longer`() {
        val wait = TrialWait()
        val other = Thread { wait.hear(TrialOutcome.Died) }.apply { start() }
        assertEquals(TrialOutcome.Died, wait.outcome(60_000))
        other.join()
    }

    @Test
    fun `silence ends with the time, and an answer after that is none`() {
        val wait = TrialWait()
        assertEquals(TrialOutcome.TimedOut, wait.outcome(1))
        wait.hear(TrialOutcome.Passed)
        assertEquals(TrialOutcome.TimedOut, wait.outcome(1))
    }
}
