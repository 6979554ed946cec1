package fauxlens.core

/** What is wrong in general, which other languages say in their own words; the details are in English. */
enum class RefusalKind {
    /** A file of a detector or bundle is damaged, cut short, or was not made by Fauxlens. */
    FILE,

    /** A file was made by a newer Fauxlens. */
    NEWER,

    /** A face's place does not fit the picture. */
    FACE,

    /** An engine cannot run the detector, or it gives something else than it says. */
    RUN,
}

/** A sentence for the person: what is wrong and what to do. Everything foreseeable that goes wrong is one. */
class Refused(message: String, cause: Throwable? = null, val kind: RefusalKind = RefusalKind.FILE) :
    Exception(message, cause)
