package fauxlens.app

import android.content.Intent
import android.view.View
import android.widget.TextView
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Bundles
import fauxlens.app.detect.EngineFactory
import fauxlens.app.history.HistoryActivity
import fauxlens.app.main.MainActivity
import fauxlens.app.model.DetectorState
import fauxlens.app.model.PictureState
import fauxlens.app.model.SelfTestState
import fauxlens.core.Bundle
import fauxlens.core.DetectorFile
import java.io.ByteArrayOutputStream
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipInputStream
import java.util.zip.ZipOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** An app whose detector is missing, damaged or of a newer version says so, and is an app all the same. */
@RunWith(RobolectricTestRunner::class)
class BrokenDetectorTest {
    @Test
    fun `a bundle that is cut short`(): Unit = refuses { Golden.bundleBytes.copyOf(200_000) }

    @Test
    fun `a bundle with one changed bit`(): Unit = refuses {
        Golden.bundleBytes.copyOf().also { it[it.size / 2] = (it[it.size / 2].toInt() xor 1).toByte() }
    }

    @Test
    fun `something else in its place`(): Unit = refuses { "not a bundle".toByteArray() }

    @Test
    fun `a bundle of a newer version says that it is newer`() {
        val said = refusal { rewritten { it.replace(Regex("\"format\": \\d"), "\"format\": 3") } }
        assertTrue(said, "made by a newer Fauxlens: update this app." in said)
    }

    @Test
    fun `in German it is said in German`() {
        RuntimeEnvironment.setQualifiers("+de")
        val newer = refusal { rewritten { it.replace(Regex("\"format\": \\d"), "\"format\": 3") } }
        assertEquals("bundle.zip hat das Bundle-Format 3 und stammt von einem neueren Fauxlens: Aktualisiere diese App.", newer)
    }

    @Test
    fun `no bundle at all`() {
        app.bundles = object : Bundles {
            override fun own(): Bundle = throw Trouble(R.string.trouble_asset)

            override fun named(name: String): Bundle = own()
        }
        assertBroken(app.getString(R.string.trouble_asset))
    }

    @Test
    fun `an engine that cannot be made, for a detector that the app's own does not know`() {
        app.bundles = UnknownGraph
        app.engines = EngineFactory { _, _ -> throw Trouble(R.string.trouble_engine, "no native library") }
        assertBroken(app.getString(R.string.trouble_engine, "no native library"))
    }

    /** The shipped bundle with a detector whose graph is nothing. */
    private object UnknownGraph : Bundles {
        override fun own(): Bundle {
            val shipped = Golden.bundle
            val good = shipped.detector
            val other = DetectorFile(ByteArray(64), good.description, good.view, good.sha256)
            return Bundle(mapOf(shipped.default to other), shipped.default, shipped.card, shipped.references, shipped.sha256)
        }

        override fun named(name: String): Bundle = own()
    }

    private fun refuses(bytes: () -> ByteArray) {
        refusal(bytes)
    }

    private fun refusal(bytes: () -> ByteArray): String {
        app.bundles = object : Bundles {
            override fun own(): Bundle = Bundle.read(bytes(), "bundle.zip")

            override fun named(name: String): Bundle = own()
        }
        return assertBroken(null)
    }

    private fun assertBroken(sentence: String?): String {
        val activity = Robolectric.buildActivity(MainActivity::class.java, Intent()).setup().get()
        app.settle()
        val broken = app.model.state.detector as DetectorState.Broken
        val said = broken.sentence.text(app.resources)
        sentence?.let { assertEquals(it, said) }
        assertTrue("a sentence: $said", said.endsWith(".") && '\n' !in said)
        val shown = activity.findViewById<TextView>(R.id.broken_sentence)
        assertEquals(said, shown?.text.toString())
        assertTrue(shown?.isShown ?: false)
        assertEquals("nothing to choose for", false, activity.findViewById<View>(R.id.choose_picture)?.isShown)
        // A picture that is shared nevertheless is refused with the same words, and the history can be opened.
        app.judge(Golden.picture("pictures/420.jpg").bytes).let {
            assertEquals(said, (it as PictureState.Failed).sentence.text(app.resources))
        }
        Robolectric.buildActivity(HistoryActivity::class.java, Intent()).setup()
        app.selfTest.run()
        app.settle()
        assertTrue(app.selfTest.state is SelfTestState.Failed)
        return said
    }

    /** The shipped bundle with another index, whole and sealed (export/artifacts/seal.py). */
    private fun rewritten(change: (String) -> String): ByteArray {
        val out = ByteArrayOutputStream()
        ZipOutputStream(out).use { zip ->
            val members = ZipInputStream(Golden.bundleBytes.inputStream())
            generateSequence { members.nextEntry }.forEach { entry ->
                val old = members.readBytes()
                val bytes = if (entry.name == "bundle.json") change(String(old)).toByteArray() else old
                val stored = ZipEntry(entry.name).apply {
                    method = ZipEntry.STORED
                    size = bytes.size.toLong()
                    crc = CRC32().apply { update(bytes) }.value
                }
                zip.putNextEntry(stored)
                zip.write(bytes)
                zip.closeEntry()
            }
        }
        val seal = "sha256:" + "0".repeat(64)
        val body = out.toByteArray().also { it[it.size - 2] = seal.length.toByte() }
        return body + ("sha256:" + sha256(body)).toByteArray()
    }
}
