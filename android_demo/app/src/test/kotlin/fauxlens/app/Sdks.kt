package fauxlens.app

import android.os.Build
import java.util.TreeMap
import javax.inject.Inject
import org.robolectric.internal.dependency.DependencyResolver
import org.robolectric.pluginapi.Sdk
import org.robolectric.plugins.DefaultSdkProvider
import org.robolectric.util.inject.Supersedes

/**
 * Robolectric's Androids, but Android 16 also where Java 17 runs the tests: Maven's build copies it for that
 * (apk/older_java.py) and says so by `fauxlens.android.java`. With Gradle it needs Java 21, as published.
 */
@Supersedes(DefaultSdkProvider::class)
class Sdks @Inject constructor(resolver: DependencyResolver) : DefaultSdkProvider(resolver) {
    override fun populateSdks(known: TreeMap<Int, Sdk>) {
        super.populateSdks(known)
        val java = Integer.getInteger("fauxlens.android.java") ?: return
        val newest = Build.VERSION_CODES.BAKLAVA
        known[newest] = DefaultSdk(newest, "16", "13921718", "REL", java)
    }
}
