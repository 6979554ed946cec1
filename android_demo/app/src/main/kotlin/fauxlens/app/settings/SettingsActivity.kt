package fauxlens.app.settings

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.RadioButton
import android.widget.TextView
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.number
import fauxlens.app.common.say
import fauxlens.app.model.Accelerator
import fauxlens.app.model.AppState
import fauxlens.app.model.Keep
import fauxlens.app.model.Settings
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.state.AppModel
import fauxlens.app.ui.Screen
import fauxlens.app.ui.title
import fauxlens.app.ui.titled

/** How the detector runs (threads, CPU or GPU), and how long verdicts are kept. */
class SettingsActivity : Screen<AppState>(R.layout.activity_settings) {
    override val holder: AppModel get() = model

    private val threads = listOf(R.id.threads_1, R.id.threads_2, R.id.threads_3, R.id.threads_4)
    private val accelerators = mapOf(
        Accelerator.CPU to R.id.accelerator_cpu,
        Accelerator.GPU to R.id.accelerator_gpu,
    )

    private val keeps = mapOf(
        Keep.FOREVER to R.id.keep_forever,
        Keep.MONTH to R.id.keep_month,
        Keep.NOTHING to R.id.keep_nothing,
    )

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        threads.forEachIndexed { index, id ->
            val number = index + 1
            find<RadioButton>(id).apply {
                text = resources.number(number.toDouble(), 0)
                contentDescription = resources.getQuantityString(R.plurals.threads_spoken, number, number)
                setOnClickListener { change { it.copy(threads = number) } }
            }
        }
        val meanings = mapOf(
            Accelerator.CPU to R.string.accelerator_cpu_meaning,
            Accelerator.GPU to R.string.accelerator_gpu_meaning,
        )
        for ((accelerator, id) in accelerators) {
            find<RadioButton>(id).apply {
                text = titled(getString(accelerator.title), getString(meanings.getValue(accelerator)))
                setOnClickListener { change { it.copy(accelerator = accelerator) } }
            }
        }
        for ((keep, id) in keeps) find<View>(id).setOnClickListener { model.keep(keep) }
        find<View>(R.id.open_self_test).setOnClickListener {
            startActivity(Intent(this, SelfTestActivity::class.java))
        }
    }

    private fun change(how: (Settings) -> Settings) {
        val changed = how(model.state.settings)
        if (changed != model.state.settings) model.set(changed)
    }

    override fun render(state: AppState) {
        threads.forEachIndexed { index, id ->
            find<RadioButton>(id).isChecked = index + 1 == state.settings.threads
        }
        for ((accelerator, id) in accelerators) {
            find<RadioButton>(id).isChecked = accelerator == state.settings.accelerator
        }
        for ((keep, id) in keeps) find<RadioButton>(id).isChecked = keep == state.settings.keep
        find<TextView>(R.id.accelerator_note).apply {
            say(state.acceleratorNote?.text(resources).orEmpty())
            visibility = if (state.acceleratorNote == null) View.GONE else View.VISIBLE
        }
    }
}
