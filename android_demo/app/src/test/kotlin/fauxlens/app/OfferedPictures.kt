package fauxlens.app

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File
import java.io.FileNotFoundException
import java.util.concurrent.CountDownLatch
import org.robolectric.Robolectric

/** Another app, which offers pictures by content addresses, and some that it cannot hand out after all. */
class OfferedPictures : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor = when (uri.lastPathSegment) {
        GONE -> throw FileNotFoundException("it was deleted")
        FORBIDDEN -> throw SecurityException("the grant has ended")
        HANGING -> throw stuck()
        BROKEN -> throw IllegalStateException("a bug of the other app")
        else -> ParcelFileDescriptor.open(File(uri.path.orEmpty()), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    /** Waits for what never comes. */
    private fun stuck(): Nothing {
        CountDownLatch(1).await()
        error("unreachable")
    }

    override fun getType(uri: Uri): String = "image/jpeg"

    override fun query(uri: Uri, p: Array<out String>?, s: String?, a: Array<out String>?, o: String?): Cursor? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun update(uri: Uri, values: ContentValues?, s: String?, a: Array<out String>?): Int = 0

    override fun delete(uri: Uri, s: String?, a: Array<out String>?): Int = 0

    companion object {
        private const val AUTHORITY = "org.example.pictures"
        const val GONE = "gone"
        const val FORBIDDEN = "forbidden"
        const val BROKEN = "broken"
        const val HANGING = "hanging"

        /** The address of a picture with this content, or of one that fails as its name says. */
        fun offer(bytes: ByteArray): Uri {
            val file = File.createTempFile("offered", null, app.cacheDir)
            file.writeBytes(bytes)
            return address(file.path)
        }

        fun address(path: String): Uri {
            Robolectric.buildContentProvider(OfferedPictures::class.java).create(AUTHORITY)
            return Uri.Builder().scheme("content").authority(AUTHORITY).path(path).build()
        }
    }
}
