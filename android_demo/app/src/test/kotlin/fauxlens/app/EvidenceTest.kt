package fauxlens.app

import android.content.Intent
import android.view.ViewGroup
import android.widget.TextView
import fauxlens.app.common.find
import fauxlens.app.common.sentenceOf
import fauxlens.app.main.MainActivity
import fauxlens.app.main.shareText
import fauxlens.app.model.PictureState
import fauxlens.core.marks.readMarks
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** What a picture's file says about itself stands above the score, in the person's language. */
@RunWith(RobolectricTestRunner::class)
class EvidenceTest {
    private val folder = Golden.file("tests/golden/marks")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    private fun bytes(name: String): ByteArray = File(folder, name).readBytes()

    private fun shownTexts(group: ViewGroup): List<String> =
        (0 until group.childCount).map { group.getChildAt(it).find<TextView>(R.id.detail_value).text.toString() }

    @Test
    fun `the rows of a picture are shown before its score, and one line sums up`() {
        val judged = (app.judge(bytes("a1111.png")) as PictureState.Judged).judged
        val activity = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
        val rows = activity.find<ViewGroup>(R.id.evidence_rows)
        assertEquals(readMarks(bytes("a1111.png")).rows.map { it.text }, shownTexts(rows))
        assertTrue("Stable Diffusion WebUI, model sd_xl_base_1.0" in shownTexts(rows).single())
        val summary = activity.find<TextView>(R.id.evidence_summary).text
        assertTrue("$summary", summary.startsWith("AI likely made this picture: its metadata says so"))
        val card = activity.find<ViewGroup>(R.id.evidence_card)
        val verdict = activity.find<ViewGroup>(R.id.verdict_card)
        assertTrue((card.parent as ViewGroup).let { it.indexOfChild(card) < it.indexOfChild(verdict) })
        val handedOn = shareText(app.resources, judged, null)
        assertTrue(handedOn, judged.marks.single().text in handedOn)
    }

    @Test
    fun `a picture without a mark is said to have none, which says nothing`() {
        val judged = (app.judge(bytes("no-mark.jpg")) as PictureState.Judged).judged
        assertTrue(judged.marks.single().text.endsWith("That says nothing: marks are easily lost."))
    }

    @Test
    fun `settings that hide in the alpha are read, of a WebP by Android's decoder`() {
        for (name in listOf("hidden-novelai.png", "hidden-novelai.webp")) {
            val judged = (app.judge(bytes(name)) as PictureState.Judged).judged
            val hidden = judged.marks.single { it.source == "alpha channel, Software" }
            assertEquals(name, "alpha channel, Software names a generator of pictures: NovelAI.", hidden.text)
        }
    }

    @Test
    fun `English is what Python says, other languages say it their own way`() {
        val rows = folder.listFiles().orEmpty().filter { it.extension in listOf("jpg", "gif", "png", "webp", "avif", "heic") }
            .flatMap { readMarks(it.readBytes()).rows }
        assertTrue(rows.size > 40)
        assertEquals(rows.map { it.text }, rows.map { sentenceOf(it.message).text(app.resources) })
        for (language in listOf("de", "es", "fr")) {
            RuntimeEnvironment.setQualifiers("+$language")
            val other = rows.map { sentenceOf(it.message).text(app.resources) }
            assertTrue(language, rows.zip(other).none { (row, text) -> row.text == text })
            assertTrue(language, other.any { "Stable Diffusion WebUI" in it && "sd_xl_base_1.0" in it })
        }
    }
}
