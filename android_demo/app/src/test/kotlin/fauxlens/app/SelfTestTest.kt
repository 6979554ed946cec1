package fauxlens.app

import android.content.ComponentName
import android.content.Intent
import android.widget.TextView
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.StoredBundles
import fauxlens.app.model.SelfTestState
import fauxlens.app.selftest.SelfTestActivity
import fauxlens.core.Engine
import fauxlens.core.Output
import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

/** The self-test, started as adb starts it; its document is what `fauxlens verify --runtime device` reads. */
@RunWith(RobolectricTestRunner::class)
class SelfTestTest {
    private val written: File get() = app.filesDir.resolve("selftest.json")

    @Before
    fun engine() {
        JnaEngine.library()
    }

    @Test
    fun `the shipped bundle passes, and the document is complete`() {
        app.filesDir.resolve("selftest-bundle.zip").writeBytes(Golden.bundleBytes)
        start { putExtra("bundle", "selftest-bundle.zip").putExtra("threads", 1).putExtra("accelerator", "cpu") }

        val document = document()
        assertEquals(KEYS, document.keys)
        assertTrue(document.getValue("passed").jsonPrimitive.boolean)
        assertEquals("last-bit", document.text("promise"))
        assertEquals(sha256(Golden.bundleBytes), document.text("bundle_sha256"))
        assertEquals(Golden.detectorSha256, document.text("detector_sha256"))
        val items = document.getValue("references").jsonArray.map { it.jsonObject }
        assertEquals(Golden.bundle.references.names, items.map { it.text("name") })
        for (item in items) {
            assertEquals(ITEM_KEYS, item.keys)
            assertTrue(item.text("name"), item.getValue("passed").jsonPrimitive.boolean)
        }
        assertEquals(Golden.bundle.references.decodedSha256, items.map { it.text("decoded_sha256") })
        assertEquals(Golden.bundle.references.views.map(::sha256), items.map { it.text("view_sha256") })
        val times = document.getValue("latency_ms").jsonArray.map { it.jsonPrimitive.double }
        assertTrue("$times", times.size >= 24 && times.all { it > 0 })
    }

    @Test
    fun `without a name the app's own bundle is tested, and the screen says so`() {
        app.bundles = StoredBundles(app.assets, app.filesDir)
        val activity = start { this }
        val said = activity.findViewById<TextView>(R.id.test_status)?.text.toString()
        val count = document().getValue("references").jsonArray.size
        assertEquals(app.resources.getQuantityString(R.plurals.test_passed, count, count), said)
        assertTrue(document().getValue("passed").jsonPrimitive.boolean)
        assertEquals(sha256(app.assets.open("bundle.zip").readBytes()), document().text("bundle_sha256"))
    }

    @Test
    fun `what cannot be tested leaves one sentence in the document`() {
        for (name in listOf("missing.zip", "../settings.xml", "damaged.zip")) {
            app.filesDir.resolve("damaged.zip").writeBytes(Golden.bundleBytes.copyOf(100_000))
            start { putExtra("bundle", name) }
            assertEquals(setOf("format", "error"), document().keys)
            assertTrue(document().text("error"), document().text("error").endsWith("."))
            assertTrue(app.selfTest.state is SelfTestState.Failed)
        }
    }

    @Test
    fun `an engine that gives other scores fails`() {
        val engines = app.engines
        app.engines = EngineFactory { detector, settings -> Changed(engines.make(detector, settings)) }
        start { this }
        assertFalse(document().getValue("passed").jsonPrimitive.boolean)
        val result = (app.selfTest.state as SelfTestState.Done).result
        assertTrue(result.items.none { it.scoresEqual })
        assertTrue(result.items.all { it.decodedEqual && it.viewEqual })
    }

    @Test
    fun `a test that is stopped writes nothing`() {
        app.selfTest.run()
        app.selfTest.stop()
        app.settle()
        assertEquals(SelfTestState.Idle, app.selfTest.state)
        assertFalse(written.exists())
    }

    @Test
    fun `no other app may start it`() {
        val name = ComponentName(app, SelfTestActivity::class.java)
        val info = app.packageManager.getActivityInfo(name, 0)
        assertTrue(info.exported)
        assertEquals("android.permission.DUMP", info.permission)
    }

    private fun start(extras: Intent.() -> Intent): SelfTestActivity {
        val intent = Intent("fauxlens.app.action.SELF_TEST").extras()
        return Robolectric.buildActivity(SelfTestActivity::class.java, intent).setup().get().also { app.settle() }
    }

    private fun document(): JsonObject = Json.parseToJsonElement(written.readText()).jsonObject

    private fun JsonObject.text(key: String): String = getValue(key).jsonPrimitive.content

    /** The score moves by more than a last bit. */
    private class Changed(private val engine: Engine) : Engine by engine {
        override fun run(view: ByteArray): Output {
            val output = engine.run(view)
            val scores = output.scores.copyOf().also { it[1] += if (it[1] < 0.5f) 3e-7f else -3e-7f }
            return Output(scores, output.heatmap)
        }
    }

    private companion object {
        val KEYS = setOf(
            "format", "app", "device", "system", "abi", "runtime", "threads", "accelerator", "promise", "bundle_sha256",
            "detector_sha256", "variant", "view", "references", "latency_ms", "passed",
        )
        val ITEM_KEYS = setOf(
            "name", "decoded_sha256", "view_sha256", "scores", "heatmap", "expected", "got", "verdict_expected",
            "verdict_got", "passed", "error",
        )
    }
}
