package fauxlens.core

/**
 * Everything foreseeable that goes wrong; `said` tells in any language what is wrong, where, and what to do.
 *
 * The exception's own message is the English.
 */
class Refused(val said: Message, cause: Throwable? = null) : Exception(said.english, cause) {
    constructor(kind: Refusal, vararg arguments: Any) : this(Message(kind, arguments.toList()))
}
