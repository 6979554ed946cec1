package fauxlens.app

import android.content.ComponentName
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import android.os.Messenger
import android.os.Process
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.DetectorTrial
import fauxlens.app.detect.IsolatedTrial
import fauxlens.app.detect.TrialService
import fauxlens.app.detect.tryDetector
import fauxlens.app.model.SelfTestRequest
import fauxlens.app.model.SelfTestState
import fauxlens.core.DetectorFile
import fauxlens.core.Refused
import kotlin.concurrent.thread
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowProcess

/** A stranger's detector is tried where it can do no harm, and what comes of that is a sentence. */
@RunWith(RobolectricTestRunner::class)
class IsolatedTrialTest {
    private val name = ComponentName("fauxlens.app", TrialService::class.java.name)
    private val detector = Golden.bundle.detector

    @Test
    fun `the process has no permission, no file of the app and no other caller`() {
        val info = app.packageManager.getServiceInfo(name, 0)
        assertTrue(info.flags and ServiceInfo.FLAG_ISOLATED_PROCESS != 0)
        assertEquals("fauxlens.app:trial", info.processName)
        assertEquals(false, info.exported)
    }

    @Test
    fun `a good detector passes, and its process ends`() {
        val service = Robolectric.buildService(TrialService::class.java).create()
        answer(service.get().onBind(Intent()))
        assertNull(thrown(IsolatedTrial(app, app.cacheDir)))
        assertEquals("nothing is left of it", emptyList<String>(), app.cacheDir.list().orEmpty().filter { "trial" in it })
        service.get().onUnbind(Intent())
        assertTrue(ShadowProcess.wasKilled(Process.myPid()))
    }

    @Test
    fun `one that is refused there is refused here in the same words`() {
        val service = Robolectric.buildService(TrialService::class.java).create()
        answer(service.get().onBind(Intent()))
        val damaged = detector.bytes.copyOf().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() }
        val refused = thrown(IsolatedTrial(app, app.cacheDir), damaged) as Refused
        assertEquals(tryDetector(damaged.inputStream(), app.engines) { it.text(app.resources) }, refused.message)
        assertTrue("${refused.message}", "damaged" in refused.message.orEmpty())
    }

    @Test
    fun `a process that ends, that says nothing and that does not come is told each in its own words`() {
        val silent = Messenger(Handler(Looper.getMainLooper()) { true }).binder
        answer(silent)
        assertEquals(R.string.trouble_trial_slow, told(thrown(IsolatedTrial(app, app.cacheDir, mostSeconds = 0))))
        var bound = 0
        val crashing = Messenger(
            Handler(Looper.getMainLooper()) { _ ->
                shadowOf(app).boundServiceConnections.forEach { it.onServiceDisconnected(name) }
                bound += shadowOf(app).boundServiceConnections.size
                true
            },
        ).binder
        answer(crashing)
        assertEquals(R.string.trouble_trial_died, told(thrown(IsolatedTrial(app, app.cacheDir))))
        assertEquals(1, bound)
        shadowOf(app).declareComponentUnbindable(name)
        assertEquals(R.string.trouble_trial_absent, told(thrown(IsolatedTrial(app, app.cacheDir))))
    }

    @Test
    fun `the self-test tries what came from outside, and not what the app carries`() {
        val tried = ArrayList<String>()
        app.trial = DetectorTrial {
            tried += it.sha256
            throw Trouble(R.string.trouble_trial_died, "it")
        }
        app.selfTest.run()
        app.settle()
        assertEquals(emptyList<String>(), tried)
        app.filesDir.resolve("selftest-bundle.zip").writeBytes(Golden.bundleBytes)
        app.selfTest.run(SelfTestRequest(bundle = "selftest-bundle.zip"))
        app.settle()
        assertEquals(listOf(detector.sha256), tried)
        val failed = app.selfTest.state as SelfTestState.Failed
        assertEquals(Sentence.of(R.string.trouble_trial_died, "it"), failed.sentence)
    }

    /** Whoever binds gets this. */
    private fun answer(binder: IBinder) = shadowOf(app).setComponentNameAndServiceForBindService(name, binder)

    /** What a trial throws on a thread of its own, while the main thread does what comes its way. */
    private fun thrown(trial: DetectorTrial, bytes: ByteArray = detector.bytes): Throwable? {
        var thrown: Throwable? = null
        val file = DetectorFile(bytes, detector.description, detector.view, detector.sha256)
        val worker = thread { thrown = runCatching { trial.check(file) }.exceptionOrNull() }
        while (worker.isAlive) {
            shadowOf(Looper.getMainLooper()).idle()
            worker.join(1)
        }
        return thrown
    }

    private fun told(error: Throwable?): Int = ((error as Trouble).sentence as Sentence.Of).id
}
