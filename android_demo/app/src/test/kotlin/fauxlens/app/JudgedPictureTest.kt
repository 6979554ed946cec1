package fauxlens.app

import android.content.Intent
import android.net.Uri
import android.widget.TextView
import fauxlens.app.common.probability
import fauxlens.app.main.MainActivity
import fauxlens.app.model.PictureState
import fauxlens.app.ui.look
import fauxlens.app.ui.words
import fauxlens.core.Label
import fauxlens.core.OperatingPoint
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

/** A picture that another app shares is judged, and the screen says what `fauxlens detect` says. */
@RunWith(RobolectricTestRunner::class)
class JudgedPictureTest {
    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `every golden picture gets the golden verdict at every operating point`() {
        for (picture in Golden.pictures.filter { it.refused == null }) {
            val state = app.judge(picture.bytes)
            assertTrue("${picture.name}: $state", state is PictureState.Judged)
            val trip = picture.trips.first()
            for ((point, label) in trip.labels) {
                app.viewModel.choose(point)
                val judged = (app.viewModel.state.picture as PictureState.Judged).judged
                assertEquals(picture.name, label, judged.verdict.label)
                assertEquals(picture.name, trip.scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
                assertEquals(picture.name, trip.heatmap, hexBits(judged.verdict.heatmap.values.toFloatArray()))
                assertEquals(picture.name, trip.view.text, judged.details.view)
            }
        }
    }

    @Test
    fun `a shared picture shows its verdict in words`() {
        val picture = Golden.picture("pictures/plain.png")
        val shown = shown(share(OfferedPictures.offer(picture.bytes)))
        val label = picture.trips.first().labels.getValue(OperatingPoint.BALANCED)
        assertEquals(app.getString(label.look.words), shown.findViewById<TextView>(R.id.verdict_words)?.text.toString())
        assertNotNull(shown.findViewById(R.id.picture))
    }

    @Test
    fun `a picture that is turned in its file is shown and judged upright`() {
        val picture = Golden.picture("pictures/tall_6.jpg")
        val judged = (app.judge(picture.bytes) as PictureState.Judged).judged
        assertEquals(6, judged.details.orientation)
        assertEquals(judged.details.width, judged.preview.width)
        assertEquals(judged.details.height, judged.preview.height)
        assertEquals(minOf(judged.preview.width, judged.preview.height), judged.square?.side)
    }

    @Test
    fun `of two pictures in a row the second one is shown, and only it is remembered`() {
        val first = Golden.picture("pictures/420.jpg")
        val second = Golden.picture("pictures/grey.jpg")
        app.viewModel.open(OfferedPictures.offer(first.bytes))
        app.viewModel.open(OfferedPictures.offer(second.bytes))
        app.settle()
        val judged = (app.viewModel.state.picture as PictureState.Judged).judged
        assertEquals(second.trips.first().scores[1], hexBits(floatArrayOf(judged.verdict.probability)).single())
        assertEquals(1, app.model.state.history.size)
    }

    @Test
    fun `a closed picture stays closed though its judging ends later`() {
        app.viewModel.open(OfferedPictures.offer(Golden.picture("pictures/420.jpg").bytes))
        app.viewModel.close()
        app.settle()
        assertEquals(PictureState.None, app.viewModel.state.picture)
    }

    @Test
    fun `the golden pictures are not all of one kind`() {
        val labels = Golden.pictures.flatMap { it.trips }.flatMap { it.labels.values }.toSet()
        assertTrue("$labels", Label.REAL in labels && labels.size > 1)
    }

    private fun share(uri: Uri): MainActivity {
        val intent = Intent(Intent.ACTION_SEND).setType("image/*").putExtra(Intent.EXTRA_STREAM, uri)
        return Robolectric.buildActivity(MainActivity::class.java, intent).setup().get()
    }

    private fun shown(activity: MainActivity): MainActivity = activity.also { app.settle() }
}
