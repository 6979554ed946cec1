package fauxlens.app.model

/** Remembers over the end of the process that a GPU is being tried. */
interface TrialMark {
    /** Whether it was left: the process ended while a GPU was tried. */
    fun isLeft(): Boolean

    /** Makes the mark, on the disk before this returns. */
    fun make()

    /** Takes the mark away. */
    fun remove()
}
