package fauxlens.core

import java.util.Locale

/** A sentence or a part of one that is said in several languages; each constant has its English as a format of Java's. */
interface Wording {
    /** The constant's name, by which other languages know it. */
    val name: String

    /** As Python says it, with `%1$s` where something is put in. */
    val english: String
}

/** What is to be said: a wording, and what stands in it: texts, whole numbers or other messages. */
data class Message(val wording: Wording, val arguments: List<Any> = emptyList()) {
    constructor(wording: Wording, vararg arguments: Any) : this(wording, arguments.toList())

    /** In English. */
    val english: String
        get() {
            val said = arguments.map { if (it is Message) it.english else it }
            // ENGLISH groups the digits of numbers as Python's "{:,}" does.
            return String.format(Locale.ENGLISH, wording.english, *said.toTypedArray())
        }
}
