package fauxlens.app.store

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.graphics.Bitmap
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.FileNotFoundException

/**
 * Lends files of the app to another one, to which the app grants it: the self-test's result and a verdict drawn as a
 * picture, to be read, and the place where a camera app puts the photo that was asked for.
 *
 * The manifest says that it is not exported and grants addresses one by one. There is no other address than these,
 * so none can lead to another file.
 */
class FilesProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val file = fileOf(uri) ?: throw FileNotFoundException("There is no such file.")
        if (uri != cameraUri && mode != "r") throw FileNotFoundException("This file is for reading only.")
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.parseMode(mode))
    }

    override fun query(
        uri: Uri,
        projection: Array<out String>?,
        selection: String?,
        selectionArgs: Array<out String>?,
        sortOrder: String?,
    ): Cursor? {
        val file = fileOf(uri) ?: return null
        val columns = (projection ?: arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE))
            .filter { it == OpenableColumns.DISPLAY_NAME || it == OpenableColumns.SIZE }
        val cursor = MatrixCursor(columns.toTypedArray(), 1)
        cursor.addRow(columns.map<String, Any> { if (it == OpenableColumns.SIZE) file.length() else file.name })
        return cursor
    }

    override fun getType(uri: Uri): String? = when (uri) {
        cameraUri -> "image/jpeg"
        selfTestUri -> "application/json"
        verdictUri -> "image/png"
        else -> null
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun update(
        uri: Uri,
        values: ContentValues?,
        selection: String?,
        selectionArgs: Array<out String>?,
    ): Int = 0

    override fun delete(uri: Uri, selection: String?, selectionArgs: Array<out String>?): Int = 0

    private fun fileOf(uri: Uri): File? = context?.let {
        when (uri) {
            cameraUri -> cameraFile(it)
            selfTestUri -> selfTestFile(it)
            verdictUri -> verdictFile(it)
            else -> null
        }
    }

    companion object {
        private const val AUTHORITY = "fauxlens.app.files"

        /** Where a camera app is to put its photo. Always the same, so nothing has to be remembered meanwhile. */
        val cameraUri: Uri = Uri.parse("content://$AUTHORITY/photo.jpg")

        /** The result of the last self-test. */
        val selfTestUri: Uri = Uri.parse("content://$AUTHORITY/selftest.json")

        /** The verdict that was drawn last, to be handed on. */
        val verdictUri: Uri = Uri.parse("content://$AUTHORITY/verdict.png")

        /** The file behind `cameraUri`. */
        fun cameraFile(context: Context): File = File(context.cacheDir, "photo.jpg")

        /** The file behind `selfTestUri`. */
        fun selfTestFile(context: Context): File = File(context.filesDir, "selftest.json")

        /** The file behind `verdictUri`. */
        fun verdictFile(context: Context): File = File(context.cacheDir, "verdict.png")

        /** Writes a drawn verdict to be handed on. Throws IOException where the disk is full. */
        fun writeVerdict(context: Context, draw: () -> Bitmap) {
            val bitmap = draw()
            val bytes = ByteArrayOutputStream()
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, bytes)
            bitmap.recycle()
            verdictFile(context).writeBytes(bytes.toByteArray())
        }

        /** Takes away what an earlier photo may have left; to be called before the camera is asked. */
        fun prepareCamera(context: Context) {
            cameraFile(context).delete()
        }
    }
}
