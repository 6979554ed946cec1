package fauxlens.app

import android.content.Intent
import android.os.BadParcelableException
import android.os.Parcelable
import fauxlens.app.common.Sentence
import fauxlens.app.common.Trouble
import fauxlens.app.detect.Bundles
import fauxlens.app.main.Incoming
import fauxlens.app.main.incomingOf
import fauxlens.app.model.SelfTestState
import fauxlens.app.picture.PictureReader
import fauxlens.core.Bundle
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Other apps that do not answer, or answer with what they should not. */
@RunWith(RobolectricTestRunner::class)
class HangingAppTest {
    @Test
    fun `an app that never hands over its picture is waited for so long and no longer`() {
        val address = OfferedPictures.address(OfferedPictures.HANGING)
        val reader = PictureReader(app.contentResolver, mostMilliseconds = 1)
        val trouble = assertThrows(Trouble::class.java) { reader.read(address) }
        assertEquals(R.string.trouble_slow, (trouble.sentence as Sentence.Of).id)
        // And the next one is read.
        val good = Golden.picture("pictures/420.jpg").bytes
        assertTrue(good.contentEquals(PictureReader(app.contentResolver).read(OfferedPictures.offer(good))))
    }

    @Test
    fun `a picture that is put away while the other app is asked is not waited for`() {
        val address = OfferedPictures.address(OfferedPictures.HANGING)
        val reader = PictureReader(app.contentResolver)
        // The person closes it in the very moment in which reading begins.
        val closed = { reader.abandon().let { true } }
        assertThrows(Trouble::class.java) { reader.read(address, closed) }
        assertThrows(Trouble::class.java) { reader.read(address) { false } }
    }

    @Test
    fun `something of a class that only the other app knows`() {
        val intent = object : Intent(ACTION_SEND) {
            @Deprecated("Deprecated in Java")
            override fun <T : Parcelable> getParcelableExtra(name: String?): T? = throw BadParcelableException("theirs")
        }
        assertEquals(Incoming.Unusable, incomingOf(intent))
    }

    @Test
    fun `a self-test in which Android throws what it likes is a sentence`() {
        app.bundles = object : Bundles {
            override fun own(): Bundle = Golden.bundle

            override fun named(name: String): Bundle = throw IllegalStateException("a bug of the platform")
        }
        app.selfTest.run(fauxlens.app.model.SelfTestRequest(bundle = "any.zip"))
        app.settle()
        val failed = app.selfTest.state as SelfTestState.Failed
        assertEquals(R.string.trouble_test, (failed.sentence as Sentence.Of).id)
    }
}
