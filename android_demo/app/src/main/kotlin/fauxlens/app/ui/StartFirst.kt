package fauxlens.app.ui

import android.content.ActivityNotFoundException
import android.content.Intent

/** Starts the first of these that some app answers; false if none does. */
fun startFirst(intents: List<Intent>, start: (Intent) -> Unit): Boolean = intents.any { intent ->
    try {
        start(intent)
        true
    } catch (_: ActivityNotFoundException) {
        false
    } catch (_: SecurityException) {
        // An app that answers but does not let others start it.
        false
    }
}
