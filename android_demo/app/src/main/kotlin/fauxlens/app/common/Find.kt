package fauxlens.app.common

import android.app.Activity
import android.view.View

/** The view with this id, which the layout has. */
fun <T : View> View.find(id: Int): T = checkNotNull(findViewById<T>(id)) { "The layout lacks a view." }

/** The view with this id, which the screen's layout has. */
fun <T : View> Activity.find(id: Int): T = checkNotNull(findViewById<T>(id)) { "The layout lacks a view." }
