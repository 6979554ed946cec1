package fauxlens.app.store

import android.content.SharedPreferences
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Keep
import fauxlens.app.model.Settings
import fauxlens.app.model.TrialMark
import fauxlens.core.OperatingPoint

/** Remembers the settings; what it does not know any more it takes for never said. */
class SettingsStore(private val preferences: SharedPreferences) {
    fun load(): Settings = Settings(
        threads = number(THREADS, Settings().threads).coerceIn(1, Settings.MOST_THREADS),
        accelerator = Accelerator.values().firstOrNull { it.name == text(ACCELERATOR) } ?: Accelerator.CPU,
        keep = Keep.values().firstOrNull { it.name == text(KEEP) } ?: Keep.FOREVER,
    )

    fun loadPoint(): OperatingPoint =
        OperatingPoint.values().firstOrNull { it.key == text(POINT) } ?: OperatingPoint.BALANCED

    /** That a GPU is being tried, kept with the settings. */
    val trial: TrialMark = object : TrialMark {
        override fun isLeft(): Boolean = preferences.all[TRIAL] as? Boolean ?: false

        // commit, unlike apply, is done when it returns: the process may end in the next moment.
        override fun make() {
            preferences.edit().putBoolean(TRIAL, true).commit()
        }

        override fun remove() {
            preferences.edit().remove(TRIAL).commit()
        }
    }

    fun save(settings: Settings) {
        preferences.edit()
            .putInt(THREADS, settings.threads)
            .putString(ACCELERATOR, settings.accelerator.name)
            .putString(KEEP, settings.keep.name)
            .apply()
    }

    fun save(point: OperatingPoint) {
        preferences.edit().putString(POINT, point.key).apply()
    }

    // Another version of the app may have kept another type under the name.
    private fun text(key: String): String? = preferences.all[key] as? String

    private fun number(key: String, otherwise: Int): Int = preferences.all[key] as? Int ?: otherwise

    private companion object {
        const val THREADS = "threads"
        const val ACCELERATOR = "accelerator"
        const val KEEP = "keep"
        const val POINT = "operating_point"
        const val TRIAL = "gpu_trial"
    }
}
