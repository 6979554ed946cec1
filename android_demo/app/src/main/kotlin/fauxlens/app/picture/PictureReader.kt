package fauxlens.app.picture

import android.content.ContentResolver
import android.net.Uri
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import java.io.Closeable
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.util.concurrent.atomic.AtomicReference

/** Reads the bytes of a picture that another app offers. One thread reads; any may `abandon`. */
class PictureReader(private val resolver: ContentResolver, private val mostBytes: Int = MOST_BYTES) {
    private val reading = AtomicReference<Closeable?>()

    /** The whole content. Throws Trouble where it is gone, kept from us, empty or of more than `mostBytes`. */
    fun read(uri: Uri): ByteArray {
        // A file: address from another app could name a file of our own.
        if (uri.scheme != ContentResolver.SCHEME_CONTENT) throw Trouble(R.string.trouble_address)
        try {
            val stream = resolver.openInputStream(uri) ?: throw Trouble(R.string.trouble_gone)
            reading.set(stream)
            return stream.use { readAtMost(it, mostBytes) }
        } catch (error: FileNotFoundException) {
            throw Trouble(Sentence.of(R.string.trouble_gone), error)
        } catch (error: SecurityException) {
            throw Trouble(Sentence.of(R.string.trouble_no_permission), error)
        } catch (error: IOException) {
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } catch (error: RuntimeException) {
            // What another app's provider throws comes through to us as it is, whatever it may be.
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } catch (error: OutOfMemoryError) {
            throw Trouble(Sentence.of(R.string.trouble_memory), error)
        } finally {
            reading.set(null)
        }
    }

    /** Ends a reading that is under way, which may hang for as long as the other app likes. */
    fun abandon() {
        try {
            reading.getAndSet(null)?.close()
        } catch (_: IOException) {
            // Nothing is lost: the picture is not wanted any more.
        }
    }

    companion object {
        /** 64 MB: twice the largest pictures of phones. */
        const val MOST_BYTES: Int = 64 shl 20
    }
}

private const val FIRST = 1 shl 20

/** Grows as it reads, for what providers say of a length may be missing or wrong. */
internal fun readAtMost(stream: InputStream, most: Int): ByteArray {
    var bytes = ByteArray(minOf(most, maxOf(FIRST, stream.available())) + 1)
    var filled = 0
    while (true) {
        val count = stream.read(bytes, filled, bytes.size - filled)
        if (count < 0) break
        filled += count
        if (filled > most) throw Trouble(R.string.trouble_bytes, most shr 20)
        if (filled == bytes.size) bytes = bytes.copyOf(minOf(bytes.size.toLong() * 2, most.toLong() + 1).toInt())
    }
    if (filled == 0) throw Trouble(R.string.trouble_empty)
    return if (filled == bytes.size) bytes else bytes.copyOf(filled)
}
