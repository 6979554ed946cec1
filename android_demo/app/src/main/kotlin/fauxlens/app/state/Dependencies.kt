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

/**
 * What the models work with; tests bring their own.
 *
 * `worker` runs one task at a time, `reading` as many as there are, `main` on the main thread.
 */
class Dependencies(
    val bundles: Bundles,
    val engines: EngineFactory,
    val finders: FaceFinderFactory,
    /** Makes a reader for one request. */
    val reader: () -> PictureReader,
    val evaluator: PictureEvaluator,
    val history: HistoryStore,
    val settings: SettingsStore,
    val selfTests: SelfTestRun,
    val worker: Executor,
    val reading: Executor,
    val main: Executor,
    /** Deletes the photo that the camera app has put down. */
    val discardPhoto: () -> Unit,
)

/** What has the app's model and makes those of screens: the application. */
interface ModelOwner {
    val model: AppModel

    /** The state of a new first screen. */
    fun pictureViewModel(): PictureViewModel

    /** The state of a new self-test screen. */
    fun selfTestViewModel(): SelfTestViewModel
}
