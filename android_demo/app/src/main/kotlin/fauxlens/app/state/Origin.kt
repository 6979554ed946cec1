package fauxlens.app.state

import android.net.Uri
import android.os.Bundle

/** Where the picture on the screen came from: enough to open it again after the process has died. */
sealed interface Origin {
    /** Another app offers it; it may be read for as long as the screen that it was given to. */
    data class Address(val uri: Uri) : Origin

    /** Several pictures that were offered together. */
    data class Addresses(val uris: List<Uri>) : Origin

    /** An entry of the history. */
    data class Entry(val id: Long) : Origin

    companion object {
        private const val ADDRESS = "origin_address"
        private const val ADDRESSES = "origin_addresses"
        private const val ENTRY = "origin_entry"

        /** Puts an origin among what a screen saves. */
        fun save(origin: Origin?, into: Bundle) {
            when (origin) {
                is Address -> into.putString(ADDRESS, origin.uri.toString())
                is Addresses -> into.putStringArrayList(ADDRESSES, ArrayList(origin.uris.map { it.toString() }))
                is Entry -> into.putLong(ENTRY, origin.id)
                null -> Unit
            }
        }

        /** The origin among what a screen has saved, or null. */
        fun of(saved: Bundle): Origin? {
            saved.getString(ADDRESS)?.let { return Address(Uri.parse(it)) }
            saved.getStringArrayList(ADDRESSES)?.let { uris -> return Addresses(uris.map { Uri.parse(it) }) }
            return if (saved.containsKey(ENTRY)) Entry(saved.getLong(ENTRY)) else null
        }
    }
}
