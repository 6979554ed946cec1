package fauxlens.app.main

import android.app.Activity
import android.content.ClipboardManager
import android.content.Intent
import android.os.Bundle
import android.view.Menu
import android.view.MenuItem
import android.view.View
import android.widget.Button
import android.widget.ScrollView
import android.widget.TextView
import android.widget.Toast
import fauxlens.app.R
import fauxlens.app.about.AboutActivity
import fauxlens.app.common.find
import fauxlens.app.common.say
import fauxlens.app.history.HistoryActivity
import fauxlens.app.model.DetectorState
import fauxlens.app.model.Judged
import fauxlens.app.model.PictureState
import fauxlens.app.model.UiState
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.app.settings.SettingsActivity
import fauxlens.app.state.PictureViewModel
import fauxlens.app.state.SavedState
import fauxlens.app.store.FilesProvider
import fauxlens.app.ui.BackGesture
import fauxlens.app.ui.OwnScreen
import fauxlens.app.ui.startFirst
import fauxlens.app.ui.words
import java.io.IOException

/** The first screen: asks for a picture, and shows what was found. */
class MainActivity : OwnScreen<UiState, PictureViewModel>(R.layout.activity_main) {
    override val isFirst: Boolean = true

    private lateinit var empty: EmptyPart
    private lateinit var square: SquarePart
    private lateinit var judged: JudgedPart
    private lateinit var kept: KeptPart
    private lateinit var several: SeveralPart
    private lateinit var back: BackGesture

    /** Whether another app gave the picture: back then leads there. */
    private var shared = false
    private var camera = false
    private var shown: Class<out PictureState>? = null

    override fun makeViewModel(): PictureViewModel = owner.pictureViewModel()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        empty = EmptyPart(find(R.id.empty_part), find(R.id.recent_part), viewModel, model::erase, ::showHistory)
        square = SquarePart(find(R.id.square_part), viewModel)
        judged = JudgedPart(
            find(R.id.judged_part),
            viewModel,
            savedInstanceState?.getBoolean(DETAILS_OPEN) ?: false,
            ::share,
            ::sharePicture,
        )
        several = SeveralPart(find(R.id.several_part), viewModel)
        kept = KeptPart(find(R.id.kept_part))
        back = BackGesture(this, ::leave)
        find<View>(R.id.choose_picture).setOnClickListener { choose() }
        find<View>(R.id.root).setOnDragListener(Dropping(this) { take(incomingOf(it)) })
        find<View>(R.id.take_photo).setOnClickListener { photograph() }
        shared = savedInstanceState?.getBoolean(SHARED) ?: false
        // Turned over, the activity is made anew with the same intent; the view model has that picture already, unless the
        // activity or its process was ended meanwhile.
        if (savedInstanceState == null) take(intent) else SavedState.of(savedInstanceState)?.let(viewModel::restore)
    }

    private fun take(intent: Intent) {
        val incoming = incomingOf(intent)
        if (incoming is Incoming.Picture || incoming is Incoming.Several) shared = true
        take(incoming)
    }

    private fun take(incoming: Incoming) {
        when (incoming) {
            is Incoming.Picture -> viewModel.open(incoming.uri)
            is Incoming.Several -> viewModel.openSeveral(incoming.uris)
            Incoming.Choose -> choose()
            Incoming.History -> showHistory()
            Incoming.Unusable -> say(R.string.not_a_share)
            Incoming.Nothing -> Unit
        }
    }

    /** Opens what another app has copied. */
    private fun paste() {
        val clip = getSystemService(ClipboardManager::class.java)?.primaryClip
        take(if (clip?.description.offersPicture()) incomingOf(clip) else Incoming.Unusable)
    }

    override fun onStart() {
        // Once, for the answer comes from another process; a camera app may have been installed meanwhile.
        camera = hasCamera(this)
        super.onStart()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(DETAILS_OPEN, judged.detailsOpen)
        outState.putBoolean(SHARED, shared)
        SavedState.save(viewModel.saved(), outState)
    }

    override fun render(state: UiState) {
        val picture = state.picture
        val none = picture is PictureState.None
        val broken = state.detector as? DetectorState.Broken
        show(R.id.broken_part, broken != null)
        broken?.let { find<TextView>(R.id.broken_sentence).say(it.sentence.text(resources)) }

        show(R.id.working_part, picture is PictureState.Working)
        if (picture is PictureState.Working) {
            find<TextView>(R.id.working_step).say(getString(picture.stage.words))
        }
        show(R.id.failed_part, picture is PictureState.Failed)
        if (picture is PictureState.Failed) {
            find<TextView>(R.id.failed_sentence).say(picture.sentence.text(resources))
        }
        empty.render(state)
        square.render(picture as? PictureState.NeedsSquare)
        judged.render((picture as? PictureState.Judged)?.judged, state)
        kept.render(picture as? PictureState.Kept)
        several.render(picture as? PictureState.Several)

        val pick = broken == null && picture !is PictureState.Working && picture !is PictureState.NeedsSquare
        show(R.id.pick_part, pick)
        find<Button>(R.id.choose_picture)
            .say(getString(if (none) R.string.choose_picture else R.string.choose_another))
        show(R.id.take_photo, pick && camera)

        back.on = !none
        actionBar?.setDisplayHomeAsUpEnabled(!none)
        actionBar?.setHomeActionContentDescription(R.string.close_picture)
        if (shown != null && shown != picture.javaClass) find<ScrollView>(R.id.scroll).scrollTo(0, 0)
        shown = picture.javaClass
    }

    private fun show(id: Int, visible: Boolean) {
        find<View>(id).visibility = if (visible) View.VISIBLE else View.GONE
    }

    /** Goes back to the verdict, where another square was to be chosen; else closes the picture, and the app, too, if
     * another one had given it. */
    private fun leave() {
        if (viewModel.keepVerdict()) return
        viewModel.close()
        if (shared) finish()
    }

    @Deprecated("Asked before Android 13; from there on BackGesture is.")
    override fun onBackPressed() {
        @Suppress("DEPRECATION")
        if (back.on) leave() else super.onBackPressed()
    }

    @Suppress("DEPRECATION") // Its successor is in androidx only.
    private fun showHistory() = startActivityForResult(Intent(this, HistoryActivity::class.java), ENTRY)

    @Suppress("DEPRECATION")
    private fun choose() {
        if (!startFirst(pickers()) { startActivityForResult(it, CHOSEN) }) say(R.string.no_picker)
    }

    @Suppress("DEPRECATION")
    private fun photograph() {
        FilesProvider.prepareCamera(this)
        if (!startFirst(listOf(cameraIntent())) { startActivityForResult(it, TAKEN) }) say(R.string.no_camera)
    }

    @Deprecated("Its successor is in androidx only.")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val good = resultCode == Activity.RESULT_OK
        if (requestCode == TAKEN) {
            if (good) viewModel.openCamera() else viewModel.discardCamera()
        } else if (requestCode == CHOSEN && good) {
            data?.data?.let(viewModel::open)
        } else if (requestCode == ENTRY && good) {
            data?.getLongExtra(HistoryActivity.ENTRY, 0)?.let(viewModel::openEntry)
        } else {
            return
        }
        if (good) shared = false
    }

    private fun share(text: String) = handOn(shareIntent(resources, text))

    private fun sharePicture(judged: Judged, text: String) {
        try {
            FilesProvider.writeVerdict(this) { drawVerdict(judged, text) }
        } catch (error: IOException) {
            Toast.makeText(this, getString(R.string.trouble_not_written, error.message), Toast.LENGTH_LONG).show()
            return
        }
        handOn(sharePictureIntent(resources, text))
    }

    private fun handOn(intent: Intent) {
        if (!startFirst(listOf(intent)) { startActivity(it) }) say(R.string.share_none)
    }

    private fun say(id: Int) = Toast.makeText(this, id, Toast.LENGTH_LONG).show()

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.main, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        val screen = when (item.itemId) {
            R.id.menu_paste -> {
                paste()
                return true
            }
            R.id.menu_history -> {
                showHistory()
                return true
            }
            R.id.menu_settings -> SettingsActivity::class.java
            R.id.menu_self_test -> SelfTestActivity::class.java
            R.id.menu_about -> AboutActivity::class.java
            else -> {
                leave()
                return true
            }
        }
        startActivity(Intent(this, screen))
        return true
    }

    private companion object {
        const val CHOSEN = 1
        const val TAKEN = 2
        const val ENTRY = 3
        const val DETAILS_OPEN = "details_open"
        const val SHARED = "shared"
    }
}
