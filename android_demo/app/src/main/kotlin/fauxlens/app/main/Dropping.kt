package fauxlens.app.main

import android.app.Activity
import android.content.ClipData
import android.content.ClipDescription
import android.view.DragAndDropPermissions
import android.view.DragEvent
import android.view.View

/**
 * Takes pictures that are dragged from another app onto a view.
 *
 * Android lends what was dropped for as long as the activity lives, or until the next drop.
 */
class Dropping(private val activity: Activity, private val onDrop: (ClipData) -> Unit) : View.OnDragListener {
    private var lent: DragAndDropPermissions? = null

    override fun onDrag(view: View, event: DragEvent): Boolean = when (event.action) {
        DragEvent.ACTION_DRAG_STARTED -> event.clipDescription.offersPicture()
        DragEvent.ACTION_DROP -> {
            val clip = event.clipData
            if (clip != null) {
                lent?.release()
                // Null where the picture comes from this app itself, or needs no permission.
                lent = activity.requestDragAndDropPermissions(event)
                onDrop(clip)
            }
            clip != null
        }
        else -> true
    }
}

/** Whether a clip says that it has a picture; its address alone is not asked. */
fun ClipDescription?.offersPicture(): Boolean = this != null && hasMimeType("image/*")
