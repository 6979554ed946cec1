package fauxlens.litert;

/** One sentence: what LiteRT refused, or why a model is no detector. */
public final class LiteRtException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LiteRtException(String sentence) {
        super(sentence);
    }
}
