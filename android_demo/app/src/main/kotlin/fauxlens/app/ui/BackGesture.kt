package fauxlens.app.ui

import android.annotation.TargetApi
import android.app.Activity
import android.os.Build
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

/** Takes the back gesture while it is on; off, Android leaves the screen (with its preview of where to). */
class BackGesture(activity: Activity, onBack: () -> Unit) {
    // Before Android 13 the activity's own onBackPressed is asked instead.
    private val gesture = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) From33(activity, onBack) else null

    /** Whether it is on. */
    var on: Boolean = false
        set(value) {
            if (field == value) return
            field = value
            gesture?.set(value)
        }

    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    private class From33(private val activity: Activity, onBack: () -> Unit) {
        private val callback = OnBackInvokedCallback { onBack() }

        fun set(on: Boolean) {
            val dispatcher = activity.onBackInvokedDispatcher
            if (on) {
                dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
            } else {
                dispatcher.unregisterOnBackInvokedCallback(callback)
            }
        }
    }
}
