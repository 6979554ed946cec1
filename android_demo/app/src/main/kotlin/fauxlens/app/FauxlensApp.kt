package fauxlens.app

import android.app.Application
import android.content.Context
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.os.Process
import fauxlens.app.detect.BuiltinOnly
import fauxlens.app.detect.CarriedFaceFinders
import fauxlens.app.detect.Device
import fauxlens.app.detect.IsolatedTrial
import fauxlens.app.detect.PictureEvaluator
import fauxlens.app.detect.MarkedGpuFactory
import fauxlens.app.detect.SelfTestRun
import fauxlens.app.detect.StoredBundles
import fauxlens.app.detect.TfliteEngineFactory
import fauxlens.app.model.Settings
import fauxlens.app.picture.PictureReader
import fauxlens.app.picture.PlatformDecoder
import fauxlens.app.state.AppModel
import fauxlens.app.state.Dependencies
import fauxlens.app.state.ModelOwner
import fauxlens.app.state.PictureViewModel
import fauxlens.app.state.SelfTestViewModel
import fauxlens.app.store.FilesProvider
import fauxlens.app.store.HistoryStore
import fauxlens.app.store.SettingsStore
import java.io.File
import java.util.concurrent.Executor
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** The app: makes the model that lives as long as the process, and the view models of screens. */
open class FauxlensApp : Application(), ModelOwner {
    /** Made when first asked for, which is by a screen and not by the provider. */
    final override val model: AppModel by lazy(LazyThreadSafetyMode.NONE) { AppModel(parts()) }

    override fun pictureViewModel(): PictureViewModel = PictureViewModel(model)

    override fun selfTestViewModel(): SelfTestViewModel = SelfTestViewModel(model)

    /** Puts the parts together; tests put others in. */
    protected open fun parts(): Dependencies {
        // What was handed on last shows a picture, which is not to be kept.
        FilesProvider.verdictFile(this).delete()
        val bundles = StoredBundles(assets, filesDir)
        val settings = SettingsStore(getSharedPreferences("settings", Context.MODE_PRIVATE))
        val engines = if (Process.is64Bit()) MarkedGpuFactory(TfliteEngineFactory(), settings.trial) else BuiltinOnly
        val decoder = PlatformDecoder()
        return Dependencies(
            bundles = bundles,
            engines = engines,
            finders = CarriedFaceFinders(Runtime.getRuntime().availableProcessors().coerceIn(1, Settings.MOST_THREADS)),
            reader = { PictureReader(contentResolver) },
            evaluator = PictureEvaluator(decoder, System::nanoTime),
            history = HistoryStore(File(filesDir, "history")),
            settings = settings,
            selfTests = SelfTestRun(
                bundles,
                engines,
                IsolatedTrial(this, cacheDir),
                decoder,
                deviceOf(this),
                FilesProvider.selfTestFile(this),
                { it.text(resources) },
                System::nanoTime,
            ),
            worker = worker(),
            reading = Executors.newCachedThreadPool { task -> Thread(task, "waiting").apply { isDaemon = true } },
            main = mainThread(),
            discardPhoto = { FilesProvider.cameraFile(this).delete() },
        )
    }
}

/** This device and this app, for the self-test's document. */
internal fun deviceOf(context: Context): Device = Device(
    app = "${context.packageName} ${context.packageManager.getPackageInfo(context.packageName, 0).versionName}",
    device = "${Build.MANUFACTURER} ${Build.MODEL}",
    system = "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})",
    // The one that this process runs in comes first among those of its width.
    abi = abis().firstOrNull() ?: "unknown",
)

private fun abis(): Array<String> = if (Process.is64Bit()) Build.SUPPORTED_64_BIT_ABIS else Build.SUPPORTED_32_BIT_ABIS

/** One thread: the detector is not for two, and pictures need all the memory there is. */
internal fun worker(): ExecutorService = Executors.newSingleThreadExecutor { task -> Thread(task, "judging") }

private fun mainThread(): Executor {
    val handler = Handler(Looper.getMainLooper())
    return Executor { handler.post(it) }
}
