package fauxlens.core.marks

import fauxlens.core.Wording

/** What rows of marks say; the English is that of train/image/marks, word for word. */
enum class MarkWording(override val english: String) : Wording {
    NO_MARK("No mark of a generator, an editor or a camera was found. That says nothing: marks are easily lost."),

    // The file does not hold together.
    CUT_SHORT("The file ends in the middle of a part: it was cut short, or a length in it is wrong."),
    TOO_MANY("The file has more than %1\$,d parts: what follows them was not read."),
    LONG_TEXT("A text is longer than %1\$,d characters: only its beginning was read."),
    MANY_TEXTS("The file has more than %1\$d texts or very long ones: the others were not read."),
    LARGE_MANIFEST("The C2PA manifest has %1\$,d bytes, more than %2\$,d: it was not read."),
    LARGE_XMP("The XMP packet has %1\$,d bytes, more than %2\$,d: it was not read."),
    LARGE_EXTENDED_XMP("The extended XMP packet has %1\$,d bytes, more than %2\$,d: it was not read."),
    LONG_UNPACKED("A text is longer than %1\$,d bytes unpacked: only its beginning was read."),
    DAMAGED_TEXT("A compressed text is damaged: it was not read."),
    EXIF_LOOPS("The EXIF directories point in a circle or out of the file: the rest of them was not read."),
    EXIF_ORDER("The EXIF block has no byte order mark: it was not read."),
    XMP_REFUSED("The XMP packet declares entities or a document type: it was not read."),
    XMP_DAMAGED("The XMP packet is damaged: only its beginning was read."),

    // A C2PA manifest: who, what, and how far it can be believed.
    MANIFEST_DAMAGED("Carries a C2PA manifest that is damaged: it was not read."),
    MANIFEST("Carries a C2PA manifest%1\$s%2\$s, %3\$s%4\$s"),
    MANIFEST_OF(" of %1\$s"),
    MANIFEST_SIGNER(", signed by %1\$s"),
    MANIFEST_SAYS("that says: %1\$s"),
    MANIFEST_SILENT("that does not say how the picture was made"),
    MANIFEST_MISMATCH(". It does not match: the file was changed after signing."),
    MANIFEST_UNCHECKED("; not checked."),
    MANIFEST_ELSEWHERE("XMP says that a C2PA manifest is kept elsewhere (%1\$s); it was not fetched."),
    NO_ADDRESS("no readable address"),
    TYPE("%1\$s (%2\$s)"),
    TYPE_EDITED("%1\$s (%2\$s) and edited"),
    COMPOSED("composed with a picture that AI made"),
    XMP_SAYS("XMP says: %1\$s (%2\$s)."),

    // Who is named.
    AIGC("%1\$s carries the label that China asks of AI-made pictures."),
    AIGC_PRODUCER("%1\$s carries the label that China asks of AI-made pictures, producer %2\$s."),
    GENERATOR("%1\$s names a generator of pictures: %2\$s."),
    GENERATOR_MODEL("%1\$s names a generator of pictures: %2\$s, model %3\$s."),
    EDITOR("%1\$s names an editor: %2\$s."),
    CAMERA("EXIF names a camera: %1\$s. Anyone can write that."),
    CAMERA_DATE("EXIF names a camera: %1\$s, and the date %2\$s. Anyone can write that."),
    SOFTWARE("EXIF names the software %1\$s."),

    // Digital source types, as train/image/marks/tables.json words them.
    MADE_BY_AI("made by AI"),
    MADE_BY_A_PROGRAM("made by a program"),
    EDITED_WITH_AI("edited or composed with AI"),
    COMPOSED_SYNTHETIC("composed with synthetic parts"),
    COMPOSED_PHOTOGRAPHS("composed of several photographs"),
    COMPOSED_PICTURES("composed of several pictures"),
    ENHANCED("enhanced by a program"),
    EDITED_BY_PERSON("edited by a person"),
    EDITED_A_LITTLE("edited a little by a person"),
    TAKEN_BY_CAMERA("taken by a camera"),
    FROM_FILM("scanned from film"),
    FROM_PRINT("scanned from a print"),
    DRAWN("drawn by a person"),
    FROM_DATA("made from data"),
    FROM_SCREEN("taken from a screen"),
    VIRTUAL("recorded in a virtual scene"),
    BEGUN_EMPTY("begun empty"),
    UNKNOWN_WAY("made in an unknown way"),
}
