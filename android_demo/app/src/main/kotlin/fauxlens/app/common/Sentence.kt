package fauxlens.app.common

import android.content.res.Resources
import fauxlens.core.Refused

/** A sentence for the person; what language it is in is decided when it is shown. */
sealed interface Sentence {
    /** The words. */
    fun text(resources: Resources): String

    /** A sentence from res/values, with what its placeholders stand for: numbers, texts or other sentences. */
    data class Of(val id: Int, val arguments: List<Any> = emptyList()) : Sentence {
        override fun text(resources: Resources): String {
            val said = arguments.map { if (it is Sentence) it.text(resources) else it }
            return resources.getString(id, *said.toTypedArray())
        }
    }

    companion object {
        /** A sentence from res/values/strings.xml. */
        fun of(id: Int, vararg arguments: Any): Sentence = Of(id, arguments.toList())

        /** What a refusal says, in the person's language. */
        fun of(refused: Refused): Sentence = sentenceOf(refused.said)
    }
}

/** Something foreseeable went wrong in the app; the sentence says what, and what to do. */
class Trouble(val sentence: Sentence, cause: Throwable? = null) : Exception(sentence.toString(), cause) {
    constructor(id: Int, vararg arguments: Any) : this(Sentence.Of(id, arguments.toList()))
}
