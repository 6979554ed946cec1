package fauxlens.app.selftest

import android.content.ClipData
import android.content.Intent
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import android.widget.Toast
import fauxlens.app.R
import fauxlens.app.common.find
import fauxlens.app.common.number
import fauxlens.app.common.say
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Bins
import fauxlens.app.model.Latency
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import fauxlens.app.model.binsOf
import fauxlens.app.model.latencyOf
import fauxlens.app.state.SavedRequest
import fauxlens.app.state.SelfTestViewModel
import fauxlens.app.store.FilesProvider
import fauxlens.app.ui.OwnScreen
import fauxlens.app.ui.startFirst
import fauxlens.app.ui.words
import fauxlens.app.widget.HistogramView
import fauxlens.core.SelfTest

/**
 * Runs the bundle's references on this device and shows what came out.
 *
 * From a computer: `adb shell am start -n fauxlens.app/.selftest.SelfTestActivity -a fauxlens.app.action.SELF_TEST`, with the
 * extras `bundle` (a file in the app's own folder), `threads` and `accelerator` (cpu or gpu) as wished.
 */
class SelfTestActivity : OwnScreen<SelfTestState, SelfTestViewModel>(R.layout.activity_self_test) {
    private var shown: SelfTest? = null

    override fun makeViewModel(): SelfTestViewModel = owner.selfTestViewModel()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        find<View>(R.id.test_run).setOnClickListener { viewModel.run() }
        find<View>(R.id.test_stop).setOnClickListener { viewModel.stop() }
        find<View>(R.id.test_share).setOnClickListener { share() }
        if (savedInstanceState == null) runIfAsked(intent) else SavedRequest.of(savedInstanceState)?.let(viewModel::restore)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        viewModel.saved()?.let { SavedRequest.save(it, outState) }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        runIfAsked(intent)
    }

    private fun runIfAsked(intent: Intent) {
        if (intent.action != ACTION) return
        viewModel.run(
            SelfTestRequest(
                bundle = intent.getStringExtra("bundle"),
                threads = if (intent.hasExtra("threads")) intent.getIntExtra("threads", 1) else null,
                accelerator = intent.getStringExtra("accelerator")?.let { name ->
                    Accelerator.values().firstOrNull { it.name.equals(name, ignoreCase = true) }
                },
            ),
        )
    }

    override fun render(state: SelfTestState) {
        val test = state
        val done = test as? SelfTestState.Done
        status(test)
        show(R.id.test_progress, test is SelfTestState.Running)
        if (test is SelfTestState.Running) {
            find<ProgressBar>(R.id.test_progress).apply {
                isIndeterminate = test.total == 0
                max = test.total
                progress = test.done
            }
        }
        show(R.id.test_run, test !is SelfTestState.Running)
        find<Button>(R.id.test_run)
            .setText(if (test is SelfTestState.Idle) R.string.test_run else R.string.test_again)
        show(R.id.test_stop, test is SelfTestState.Running)
        show(R.id.test_share, done != null)
        show(R.id.items_card, done != null)
        show(R.id.latency_card, done != null && done.result.latencyMs.isNotEmpty())
        show(R.id.test_facts, done != null || test is SelfTestState.Failed)
        if (test is SelfTestState.Failed) {
            find<TextView>(R.id.test_facts).say(test.sentence.text(resources))
        }
        if (done != null && done.result !== shown) result(done.result)
        shown = done?.result
    }

    private fun status(test: SelfTestState) {
        val (words, icon) = when (test) {
            SelfTestState.Idle -> getString(R.string.test_idle) to 0
            is SelfTestState.Running -> getString(R.string.test_running, test.done, test.total) to 0
            is SelfTestState.Failed -> getString(R.string.test_failed) to R.drawable.verdict_fake
            is SelfTestState.Done -> summary(test.result)
        }
        find<TextView>(R.id.test_status).apply {
            say(words)
            val colour = getColor(if (icon == R.drawable.verdict_real) R.color.real else R.color.fake)
            val drawn = if (icon == 0) null else getDrawable(icon)?.mutate()?.apply { setTint(colour) }
            setCompoundDrawablesRelativeWithIntrinsicBounds(drawn, null, null, null)
        }
    }

    private fun summary(result: SelfTest): Pair<String, Int> {
        val all = result.items.size
        val differing = result.items.count { !it.passed }
        if (result.passed) {
            return resources.getQuantityString(R.plurals.test_passed, all, all) to R.drawable.verdict_real
        }
        val words = resources.getQuantityString(R.plurals.test_not_passed, differing, differing, all)
        return words to R.drawable.verdict_fake
    }

    private fun result(result: SelfTest) {
        val header = result.header
        find<TextView>(R.id.test_facts).say(
            getString(R.string.test_facts, header.device, header.system, header.abi, header.runtime) + "\n" +
                resources.getQuantityString(R.plurals.threads_spoken, header.threads, header.threads) + "\n" +
                getString(header.guarantee.words),
        )
        latencyOf(result.latencyMs)?.let { times(it, binsOf(result.latencyMs)) }
        val rows = find<ViewGroup>(R.id.items)
        rows.removeAllViews()
        val tall = fewColumns(resources)
        show(R.id.items_head, !tall)
        for (item in result.items) {
            val layout = if (tall) R.layout.row_item_tall else R.layout.row_item
            val row = LayoutInflater.from(this).inflate(layout, rows, false)
            row.showItem(item, named = tall)
            rows.addView(row)
        }
    }

    private fun times(latency: Latency, bins: Bins) {
        val (shortest, median, ninetieth, longest) =
            listOf(latency.shortest, latency.median, latency.ninetieth, latency.longest).map { resources.number(it, 1) }
        find<TextView>(R.id.latency_figures).say(
            resources.getQuantityString(
                R.plurals.latency_figures,
                latency.runs,
                shortest,
                median,
                ninetieth,
                longest,
                latency.runs,
            ),
        )
        find<HistogramView>(R.id.latency_histogram).apply {
            show(bins)
            contentDescription = getString(R.string.latency_spoken, shortest, longest, median)
        }
    }

    private fun share() {
        val send = Intent(Intent.ACTION_SEND).apply {
            type = "application/json"
            putExtra(Intent.EXTRA_STREAM, FilesProvider.selfTestUri)
            clipData = ClipData.newRawUri("", FilesProvider.selfTestUri)
            addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        }
        val chooser = Intent.createChooser(send, getString(R.string.test_share))
        if (!startFirst(listOf(chooser)) { startActivity(it) }) {
            Toast.makeText(this, R.string.test_no_share, Toast.LENGTH_LONG).show()
        }
    }

    private fun show(id: Int, visible: Boolean) {
        find<View>(id).visibility = if (visible) View.VISIBLE else View.GONE
    }

    private companion object {
        const val ACTION = "fauxlens.app.action.SELF_TEST"
    }
}
