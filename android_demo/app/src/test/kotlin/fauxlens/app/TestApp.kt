package fauxlens.app

import android.content.Context
import android.os.Handler
import android.os.Looper
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Bundles
import fauxlens.app.detect.CarriedFaceFinders
import fauxlens.app.detect.DetectorTrial
import fauxlens.app.detect.Device
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.FaceFinder
import fauxlens.app.detect.FaceFinderFactory
import fauxlens.app.detect.PictureEvaluator
import fauxlens.app.detect.SelfTestRun
import fauxlens.app.detect.StoredBundles
import fauxlens.app.model.Accelerator
import fauxlens.app.model.PictureState
import fauxlens.app.picture.PictureReader
import fauxlens.app.picture.PlatformDecoder
import fauxlens.app.state.Dependencies
import fauxlens.app.state.PictureViewModel
import fauxlens.app.state.SelfTestViewModel
import fauxlens.app.store.FilesProvider
import fauxlens.app.store.HistoryStore
import fauxlens.app.store.SettingsStore
import fauxlens.core.Bundle
import java.io.File
import java.util.ArrayDeque
import java.util.concurrent.Executor
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/**
 * The app with LiteRT's C library in the place of TensorFlow Lite's; all else is the app's own. What a test wants
 * otherwise it sets before the model is first asked for.
 */
class TestApp : FauxlensApp() {
    val worker: QueuedWorker = QueuedWorker()
    /**
     * The shipped detector behind the square in the centre, so that what pictures are cut to does not hang on their
     * faces; those have tests of their own. The self-test runs the shipped bundle as it is.
     */
    var bundles: Bundles = FaceBundle(FaceBundle.SQUARE)

    private val shipped = object : Bundles {
        // Read once for all tests: its pictures and checksums take half a second.
        override fun own(): Bundle = Golden.bundle

        override fun named(name: String): Bundle = StoredBundles(assets, filesDir).named(name)
    }
    var engines: EngineFactory = EngineFactory { detector, settings ->
        if (settings.accelerator == Accelerator.GPU) throw Trouble(R.string.trouble_no_gpu_library)
        JnaEngine(detector.bytes)
    }
    var finder: FaceFinder? = null

    /** Tries strangers' detectors; the app's own waits for the main thread, on which most tests work. */
    var trial: DetectorTrial = DetectorTrial {}

    /** Reads what other apps offer. */
    var reading: Executor = worker

    /** Does the app's work. */
    var work: Executor = worker

    /** Asks for `finder` at each picture, so that tests can change it. */
    var finders: FaceFinderFactory = FaceFinderFactory { bundle ->
        val carried = CarriedFaceFinders(1).make(bundle)
        if (finder == null && carried == null) null else FaceFinder { stored, orientation ->
            requireNotNull(finder ?: carried).find(stored, orientation)
        }
    }

    /** What the next first screen shows; a test may have put a picture there. Screens after it have their own. */
    val viewModel: PictureViewModel by lazy(LazyThreadSafetyMode.NONE) { super.pictureViewModel() }

    /** What the next self-test screen shows. */
    val selfTest: SelfTestViewModel by lazy(LazyThreadSafetyMode.NONE) { super.selfTestViewModel() }

    private val taken = HashSet<Any>()

    override fun pictureViewModel(): PictureViewModel =
        if (taken.add(viewModel)) viewModel else super.pictureViewModel()

    override fun selfTestViewModel(): SelfTestViewModel =
        if (taken.add(selfTest)) selfTest else super.selfTestViewModel()

    /** The next screens show again what those before them have shown. */
    fun showAgain() = taken.clear()

    /** The dependencies of a model: another one made of them is the app after its process has died. */
    public override fun parts(): Dependencies {
        val main = Handler(Looper.getMainLooper())
        val decoder = PlatformDecoder()
        return Dependencies(
            bundles = bundles,
            engines = engines,
            finders = finders,
            reader = { PictureReader(contentResolver) },
            evaluator = PictureEvaluator(decoder, System::nanoTime),
            history = HistoryStore(File(filesDir, "history")),
            settings = SettingsStore(getSharedPreferences("settings", Context.MODE_PRIVATE)),
            selfTests = SelfTestRun(
                if ((bundles as? FaceBundle)?.isFaceless == true) shipped else bundles,
                engines,
                trial,
                decoder,
                device(this),
                FilesProvider.selfTestFile(this),
                { it.text(resources) },
                System::nanoTime,
            ),
            worker = work,
            reading = reading,
            main = { task -> main.post(task) },
            discardPhoto = { FilesProvider.cameraFile(this).delete() },
        )
    }

    /** Does all work that waits, on the worker and on the main thread, until there is none. */
    fun settle() {
        do {
            worker.runAll()
            shadowOf(Looper.getMainLooper()).idle()
        } while (worker.waits)
    }

    /** Opens a picture and waits for what comes of it. */
    fun judge(bytes: ByteArray): PictureState {
        viewModel.open(OfferedPictures.offer(bytes))
        settle()
        return viewModel.state.picture
    }
}

private fun device(app: TestApp): Device =
    deviceOf(app).copy(device = "no phone: Robolectric on a JVM", abi = System.getProperty("os.arch"))

/** The app under test. */
val app: TestApp get() = RuntimeEnvironment.getApplication() as TestApp

/** A worker that works when it is told to, in the thread that tells it. */
class QueuedWorker : Executor {
    private val tasks = ArrayDeque<Runnable>()
    val waits: Boolean get() = tasks.isNotEmpty()

    override fun execute(task: Runnable) {
        tasks += task
    }

    fun runAll() {
        while (tasks.isNotEmpty()) tasks.removeFirst().run()
    }
}
