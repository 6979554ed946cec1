package fauxlens.app.state

import fauxlens.app.detect.Bundles
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.FaceFinderFactory
import fauxlens.app.detect.PictureEvaluator
import fauxlens.app.detect.SelfTestRun
import fauxlens.app.picture.PictureReader
import fauxlens.app.store.HistoryStore
import fauxlens.app.store.SettingsStore
import java.util.concurrent.Executor

/** What the view model works with; tests bring their own. `worker` runs one task at a time, `main` on the main thread. */
class Dependencies(
    val bundles: Bundles,
    val engines: EngineFactory,
    val finders: FaceFinderFactory,
    val reader: PictureReader,
    val evaluator: PictureEvaluator,
    val history: HistoryStore,
    val settings: SettingsStore,
    val selfTests: SelfTestRun,
    val worker: Executor,
    val main: Executor,
    /** Deletes the photo that the camera app has put down. */
    val discardPhoto: () -> Unit,
)

/** What has the view model: the application. */
interface ViewModelOwner {
    val viewModel: AppViewModel
}
