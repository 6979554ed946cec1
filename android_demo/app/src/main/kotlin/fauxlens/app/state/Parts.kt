package fauxlens.app.state

import fauxlens.app.detect.Bundles
import fauxlens.app.detect.EngineFactory
import fauxlens.app.detect.FaceFinderFactory
import fauxlens.app.detect.Judging
import fauxlens.app.detect.SelfTestRun
import fauxlens.app.picture.PictureReader
import fauxlens.app.store.HistoryStore
import fauxlens.app.store.SettingsStore
import java.util.concurrent.Executor

/** What the holder works with; tests bring their own. `worker` runs one task at a time, `main` on the main thread. */
class Parts(
    val bundles: Bundles,
    val engines: EngineFactory,
    val finders: FaceFinderFactory,
    val reader: PictureReader,
    val judging: Judging,
    val history: HistoryStore,
    val settings: SettingsStore,
    val selfTests: SelfTestRun,
    val worker: Executor,
    val main: Executor,
    /** Deletes the photo that the camera app has put down. */
    val discardPhoto: () -> Unit,
)

/** What has the state holder: the application. */
interface HolderOwner {
    val holder: Holder
}
