package fauxlens.app

import fauxlens.app.common.Sentence
import fauxlens.app.common.sentenceOf
import fauxlens.core.Message
import fauxlens.core.Refusal
import fauxlens.core.Refused
import fauxlens.core.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** Whatever `core` refuses is told in the person's language, with all that the sentence is about. */
@RunWith(RobolectricTestRunner::class)
class RefusalTest {
    private val placeholder = Regex("""%(\d)\$([sd])""")

    private fun messageOf(kind: Refusal): Message {
        val places = placeholder.findAll(kind.english).map { it.groupValues[1].toInt() to it.groupValues[2] }.toMap()
        return Message(kind, (1..places.size).map { if (places.getValue(it) == "s") "file$it" else 1000 + it })
    }

    @Test
    fun `English is what core says`() {
        for (kind in Refusal.values()) {
            val message = messageOf(kind)
            assertEquals(kind.name, message.english, sentenceOf(message).text(app.resources))
        }
    }

    @Test
    fun `each kind has its own sentence in every language, with all its names and numbers`() {
        for (language in listOf("de", "es", "fr")) {
            RuntimeEnvironment.setQualifiers("+$language")
            val texts = Refusal.values().filter { it != Refusal.SAID }.associateWith { sentenceOf(messageOf(it)).text(app.resources) }
            for ((kind, text) in texts) {
                val message = messageOf(kind)
                assertTrue("$language: $kind: $text", text != message.english && '%' !in text)
                val named = if (kind in FOR_DEVELOPERS) message.arguments.dropLast(1) else message.arguments
                assertEquals("$language: $kind: $text", named, message.arguments.filter { "$it" in text })
            }
            assertEquals(language, texts.size, texts.values.toSet().size)
        }
    }

    @Test
    fun `a refusal within a refusal is told whole`() {
        val inner = assertThrows(Refused::class.java) { View.parse("upright|warp(3)|resize(8)") }
        val outer = Refused(Refusal.VIEW_UNKNOWN, "it.tflite", inner.said)
        assertEquals(outer.message, Sentence.of(outer).text(app.resources))
        RuntimeEnvironment.setQualifiers("+de")
        assertEquals(
            "it.tflite hat eine Ansicht, die diese App nicht ausführen kann: Ansicht „upright|warp(3)|resize(8)“: " +
                "„warp(3)“ ist kein Schritt; erlaubt sind upright, square, face(K), resize(S).",
            Sentence.of(outer).text(app.resources),
        )
    }

    private companion object {
        /** What these have in brackets exists in English only, so other languages leave it out. */
        val FOR_DEVELOPERS = setOf(Refusal.NOT_JSON, Refusal.GRAPH, Refusal.GRAPH_BROKEN, Refusal.NOT_RUN)
    }
}
