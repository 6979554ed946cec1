package fauxlens.app.ui

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.view.MenuItem
import android.view.View
import android.view.WindowInsets
import android.widget.Toolbar
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.state.AppModel
import fauxlens.app.state.ModelOwner
import fauxlens.app.state.StateHolder
import fauxlens.app.state.ViewModel
import java.io.Closeable

/** An activity that shows a state, of type `S`, and tells its holder what the person wants; nothing else. */
abstract class Screen<S>(private val layout: Int) : Activity() {
    protected val owner: ModelOwner get() = application as ModelOwner

    /** The model of the whole app; it outlives every screen. */
    protected val model: AppModel get() = owner.model

    /** What holds the state that this screen shows. */
    protected abstract val holder: StateHolder<S>

    /** Whether this is the first screen, from which no arrow leads up. */
    protected open val isFirst: Boolean = false
    private var observing: Closeable? = null

    /** Shows a state. Called in onStart and at each change until onStop. */
    protected abstract fun render(state: S)

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(layout)
        setActionBar(find<Toolbar>(R.id.toolbar))
        actionBar?.setDisplayHomeAsUpEnabled(!isFirst)
        keepOffTheBars(find(R.id.root), findViewById(R.id.scroll))
    }

    override fun onStart() {
        super.onStart()
        observing = holder.observe(::render)
    }

    override fun onStop() {
        observing?.close()
        observing = null
        super.onStop()
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        if (item.itemId != android.R.id.home) return super.onOptionsItemSelected(item)
        finish()
        return true
    }
}

/** A screen with a state of its own, which outlives that the device is turned over; what outlives the process is saved. */
abstract class OwnScreen<S, M : ViewModel<S>>(layout: Int) : Screen<S>(layout) {
    protected lateinit var viewModel: M
        private set
    final override val holder: StateHolder<S> get() = viewModel

    protected abstract fun makeViewModel(): M

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        // What onRetainNonConfigurationInstance gave, which is handed to the same class only.
        @Suppress("UNCHECKED_CAST")
        viewModel = lastNonConfigurationInstance as M? ?: makeViewModel()
    }

    override fun onRetainNonConfigurationInstance(): Any = viewModel

    override fun onDestroy() {
        if (!isChangingConfigurations) viewModel.end()
        super.onDestroy()
    }
}

/**
 * Keeps the root off the system bars, the camera's hole and the keyboard, on which Android 15 draws every app.
 *
 * What scrolls may pass below the navigation bar, and ends above it.
 */
private fun keepOffTheBars(root: View, scroll: View?) {
    val bottom = scroll?.paddingBottom ?: 0
    root.setOnApplyWindowInsetsListener { view, insets ->
        val bars = barsOf(insets)
        view.setPadding(bars.left, bars.top, bars.right, if (scroll == null) bars.bottom else 0)
        scroll?.setPadding(scroll.paddingLeft, scroll.paddingTop, scroll.paddingRight, bottom + bars.bottom)
        insets
    }
}

private class Bars(val left: Int, val top: Int, val right: Int, val bottom: Int)

@Suppress("DEPRECATION") // The only way before Android 11.
private fun barsOf(insets: WindowInsets): Bars {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) {
        return Bars(
            insets.systemWindowInsetLeft,
            insets.systemWindowInsetTop,
            insets.systemWindowInsetRight,
            insets.systemWindowInsetBottom,
        )
    }
    val types = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
    val bars = insets.getInsets(types)
    return Bars(bars.left, bars.top, bars.right, bars.bottom)
}
