package fauxlens.app.picture

import android.content.ContentResolver
import android.net.Uri
import android.os.CancellationSignal
import android.os.OperationCanceledException
import fauxlens.app.R
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import java.io.Closeable
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.util.concurrent.Callable
import java.util.concurrent.CancellationException
import java.util.concurrent.ExecutionException
import java.util.concurrent.FutureTask
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicReference

/**
 * Reads the bytes of a picture that another app offers. One thread reads; any may `abandon`.
 *
 * The other app is asked on a thread of its own, which is left behind where that app does not answer: a picture in a
 * cloud is fetched while the address is opened, and nothing in Android limits how long that takes.
 */
class PictureReader(
    private val resolver: ContentResolver,
    private val mostBytes: Int = MOST_BYTES,
    private val mostMilliseconds: Long = MOST_MILLISECONDS,
) {
    private val reading = AtomicReference<Reading?>()

    /**
     * The whole content. Throws Trouble where it is gone, kept from us, empty, of more than `mostBytes`, or not there in
     * time; also where `abandon` was called meanwhile, or `isWanted` says no once that can be called.
     */
    fun read(uri: Uri, isWanted: () -> Boolean = { true }): ByteArray {
        // A file: address from another app could name a file of our own.
        if (uri.scheme != ContentResolver.SCHEME_CONTENT) throw Trouble(R.string.trouble_address)
        val mine = Reading(resolver, uri, mostBytes)
        reading.set(mine)
        try {
            if (!isWanted()) throw Trouble(R.string.trouble_interrupted)
            return mine.bytes(mostMilliseconds)
        } catch (error: TimeoutException) {
            throw Trouble(Sentence.of(R.string.trouble_slow, mostMilliseconds / 1000), error)
        } catch (error: CancellationException) {
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } finally {
            reading.compareAndSet(mine, null)
            mine.end()
        }
    }

    /** Ends a reading that is under way, which may hang for as long as the other app likes. */
    fun abandon() {
        reading.getAndSet(null)?.end()
    }

    companion object {
        /** 64 MB: twice the largest pictures of phones. */
        const val MOST_BYTES: Int = 64 shl 20

        /** A minute: long enough for a large picture out of a cloud. */
        const val MOST_MILLISECONDS: Long = 60_000
    }
}

/** One reading; `end` may be called at any time and by any thread. */
private class Reading(resolver: ContentResolver, uri: Uri, most: Int) {
    private val signal = CancellationSignal()
    private val stream = AtomicReference<Closeable?>()
    private val task = FutureTask(Callable { readFrom(resolver, uri, most) })

    fun bytes(mostMilliseconds: Long): ByteArray {
        Thread(task, "reading").apply { isDaemon = true }.start()
        try {
            return task.get(mostMilliseconds, TimeUnit.MILLISECONDS)
        } catch (error: ExecutionException) {
            throw error.cause ?: error
        }
    }

    fun end() {
        task.cancel(false)
        signal.cancel()
        try {
            stream.getAndSet(null)?.close()
        } catch (_: IOException) {
            // Nothing is lost: the picture is not wanted any more.
        }
    }

    private fun readFrom(resolver: ContentResolver, uri: Uri, most: Int): ByteArray {
        try {
            val file = resolver.openAssetFileDescriptor(uri, "r", signal) ?: throw Trouble(R.string.trouble_gone)
            return file.use { open ->
                open.createInputStream().use { input ->
                    stream.set(input)
                    readAtMost(input, most)
                }
            }
        } catch (error: FileNotFoundException) {
            throw Trouble(Sentence.of(R.string.trouble_gone), error)
        } catch (error: SecurityException) {
            throw Trouble(Sentence.of(R.string.trouble_no_permission), error)
        } catch (error: IOException) {
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } catch (error: OperationCanceledException) {
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } catch (error: RuntimeException) {
            // What another app's provider throws comes through to us as it is, whatever it may be.
            throw Trouble(Sentence.of(R.string.trouble_interrupted), error)
        } catch (error: OutOfMemoryError) {
            throw Trouble(Sentence.of(R.string.trouble_memory), error)
        }
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
