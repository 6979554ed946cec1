package fauxlens.app.main

import android.content.ClipData
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import fauxlens.app.store.FilesProvider

/** What a picture comes in by: shared, opened, picked or taken. */
sealed interface Incoming {
    /** A picture to judge. */
    data class Picture(val uri: Uri) : Incoming

    /** Several pictures to judge. */
    data class Several(val uris: List<Uri>) : Incoming

    /** A shortcut: the person wants to choose a picture. */
    data object Choose : Incoming

    /** A shortcut: the person wants to see earlier verdicts. */
    data object History : Incoming

    /** Something was shared that is no picture. */
    data object Unusable : Incoming

    /** Nothing was shared; the person opened the app. */
    data object Nothing : Incoming
}

// MediaStore's constant, which is newer than Android 11. Where no app answers it, the next picker is asked.
private const val ACTION_PICK_IMAGES = "android.provider.action.PICK_IMAGES"

// Of res/xml/shortcuts.xml.
private const val ACTION_CHOOSE = "fauxlens.app.action.CHOOSE"
private const val ACTION_HISTORY = "fauxlens.app.action.HISTORY"

/** What a clip brings that was pasted or dropped: the addresses in it, whatever they lead to. */
fun incomingOf(clip: ClipData?): Incoming {
    val uris = (0 until (clip?.itemCount ?: 0)).mapNotNull { clip?.getItemAt(it)?.uri }
    return incomingOf(uris)
}

private fun incomingOf(uris: List<Uri>): Incoming = when (uris.size) {
    0 -> Incoming.Unusable
    1 -> Incoming.Picture(uris[0])
    else -> Incoming.Several(uris)
}

/** What an intent brings. */
fun incomingOf(intent: Intent): Incoming {
    // Brought back from the list of recent apps: the picture was judged then, and may no longer be read.
    if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return Incoming.Nothing
    if (intent.action == Intent.ACTION_SEND_MULTIPLE) return severalOf(intent)
    if (intent.action == ACTION_CHOOSE) return Incoming.Choose
    if (intent.action == ACTION_HISTORY) return Incoming.History
    val uri = when (intent.action) {
        Intent.ACTION_SEND -> streamOf(intent)
        Intent.ACTION_VIEW -> intent.data
        else -> return Incoming.Nothing
    }
    return if (uri == null) Incoming.Unusable else Incoming.Picture(uri)
}

@Suppress("DEPRECATION") // The typed getParcelableExtra of Android 13 has a bug there (issue 240585930), so not that.
private fun streamOf(intent: Intent): Uri? = try {
    intent.getParcelableExtra<android.os.Parcelable>(Intent.EXTRA_STREAM) as? Uri
} catch (_: RuntimeException) {
    // BadParcelableException and others: what another app has put there need not be of a class that exists here.
    null
}

private fun severalOf(intent: Intent): Incoming {
    val uris = try {
        @Suppress("DEPRECATION")
        intent.getParcelableArrayListExtra<android.os.Parcelable>(Intent.EXTRA_STREAM).orEmpty().filterIsInstance<Uri>()
    } catch (_: RuntimeException) {
        emptyList()
    }
    return incomingOf(uris)
}

/**
 * The system's own picture picker, which needs no permission and which Google's updates have brought to Android 11; then
 * the document picker.
 */
fun pickers(): List<Intent> = listOfNotNull(
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) Intent(ACTION_PICK_IMAGES) else null,
    Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE),
).onEach { it.type = "image/*" }

/** Whether there is an app that takes photos for others. */
fun hasCamera(context: Context): Boolean =
    Intent(MediaStore.ACTION_IMAGE_CAPTURE).resolveActivity(context.packageManager) != null

/** Asks a camera app for one photo, written into this app's own file. */
fun cameraIntent(): Intent = Intent(MediaStore.ACTION_IMAGE_CAPTURE).apply {
    putExtra(MediaStore.EXTRA_OUTPUT, FilesProvider.cameraUri)
    clipData = ClipData.newRawUri("", FilesProvider.cameraUri)
    addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION or Intent.FLAG_GRANT_READ_URI_PERMISSION)
}
