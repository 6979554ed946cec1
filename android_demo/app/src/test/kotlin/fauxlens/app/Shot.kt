package fauxlens.app

import android.app.Activity
import android.graphics.Bitmap
import android.os.Handler
import android.os.Looper
import android.view.PixelCopy
import java.io.File
import org.junit.Assert.assertEquals
import org.robolectric.Shadows.shadowOf

/** What is on an activity's window, drawn by Android's own renderer. */
fun shotOf(activity: Activity): Bitmap {
    val decor = activity.window.decorView
    val bitmap = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
    var status = -1
    PixelCopy.request(activity.window, bitmap, { status = it }, Handler(Looper.getMainLooper()))
    shadowOf(Looper.getMainLooper()).idle()
    assertEquals("the window was drawn", PixelCopy.SUCCESS, status)
    return bitmap
}

/** Writes the picture as NAME.png into the folder of the system property fauxlens.screens, if there is one. */
fun Bitmap.keep(name: String) {
    val folder = System.getProperty("fauxlens.screens").orEmpty()
    if (folder.isEmpty()) return
    File(folder).mkdirs()
    File(folder, "$name.png").outputStream().use { compress(Bitmap.CompressFormat.PNG, 100, it) }
}
