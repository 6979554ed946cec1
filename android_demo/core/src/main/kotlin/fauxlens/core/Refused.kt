package fauxlens.core

/** A sentence for the person: what is wrong and what to do. Everything foreseeable that goes wrong is one. */
class Refused(message: String, cause: Throwable? = null) : Exception(message, cause)
