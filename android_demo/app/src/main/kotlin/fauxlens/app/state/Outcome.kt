package fauxlens.app.state

import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Subject
import fauxlens.app.model.PictureState
import fauxlens.core.Refused

/** Thrown on the worker where a newer request has made this one idle. */
internal class Superseded : Exception()

/** What a request ends with; `subject` is null where no other square can be chosen, `entry` where nothing is remembered. */
internal class Outcome(val subject: Subject?, val picture: PictureState, val entry: Long? = null)

/** Turns what can go wrong with a picture into a state; the app goes on whatever a picture does to it. */
internal fun guarded(job: () -> Outcome): Outcome = try {
    job()
} catch (superseded: Superseded) {
    throw superseded
} catch (trouble: Trouble) {
    failed(trouble.sentence)
} catch (refused: Refused) {
    failed(Sentence.of(refused))
} catch (_: OutOfMemoryError) {
    failed(Sentence.of(R.string.trouble_memory))
} catch (error: RuntimeException) {
    // The platform's decoders and graphics throw what they like; a picture must never end the app.
    failed(Sentence.of(R.string.trouble_unexpected, error.toString()))
}

private fun failed(sentence: Sentence): Outcome = Outcome(null, PictureState.Failed(sentence))
