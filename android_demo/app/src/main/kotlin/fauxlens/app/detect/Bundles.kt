package fauxlens.app.detect

import android.content.res.AssetManager
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.picture.readAtMost
import fauxlens.core.Bundle
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException

/** Where bundles come from. Both throw Refused for what is not a whole bundle, and Trouble. */
interface Bundles {
    /** The bundle in the app itself. */
    fun own(): Bundle

    /** A bundle that lies in the app's `files` folder. */
    fun named(name: String): Bundle
}

/** Bundles among the app's assets and in its private storage. */
class StoredBundles(private val assets: AssetManager, private val folder: File) : Bundles {
    override fun own(): Bundle {
        val bytes = try {
            assets.open(OWN).use { readAtMost(it, MOST_BYTES) }
        } catch (error: IOException) {
            throw Trouble(Sentence.of(R.string.trouble_asset), error)
        }
        return Bundle.read(bytes, OWN)
    }

    override fun named(name: String): Bundle {
        // A name alone, so that it cannot lead out of the folder.
        if (!NAME.matches(name)) throw Trouble(R.string.trouble_bundle_name, name)
        val bytes = try {
            File(folder, name).inputStream().use { readAtMost(it, MOST_BYTES) }
        } catch (error: FileNotFoundException) {
            throw Trouble(Sentence.of(R.string.trouble_bundle_missing, name), error)
        } catch (error: IOException) {
            throw Trouble(Sentence.of(R.string.trouble_bundle_missing, name), error)
        }
        return Bundle.read(bytes, name)
    }

    private companion object {
        const val OWN = "bundle.zip"

        // A full bundle with five variants has about 30 MB.
        const val MOST_BYTES = 64 shl 20
        val NAME = Regex("[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
    }
}
