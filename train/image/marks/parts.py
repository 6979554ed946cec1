"""The parts of a picture file that may hold marks, whatever its container."""

from dataclasses import dataclass, field

# What one file may cost: a container has some ten parts, a phone's HEIC some hundred boxes.
MAX_PARTS = 20_000
MAX_TEXT = 1 << 20
MAX_TEXTS = 64
# Of all texts of a file together, also unpacked.
MAX_ALL_TEXT = 8 << 20
MAX_MANIFEST = 16 << 20
MAX_XMP = 4 << 20

CUT_SHORT = "The file ends in the middle of a part: it was cut short, or a length in it is wrong."


def too_many_parts(most: int) -> str:
    """The fault of a file with more than so many parts."""
    return f"The file has more than {most:,} parts: what follows them was not read."


TOO_MANY = too_many_parts(MAX_PARTS)


@dataclass
class FileParts:
    """What a walk through a container found, in the order of the file.

    `container` is "JPEG", "PNG", "WebP", "HEIF", "AVIF", "TIFF", "GIF" or "" for others. `exif` is a TIFF structure
    (with its byte order mark first), `xmp` a packet, `extended_xmp` what did not fit into it, `iptc` the IIM records,
    `manifest` a C2PA manifest store (JUMBF), each None where there is none; `texts` are (key, text) of at most MAX_TEXT
    characters; `faults` are sentences about what does not hold together; `all_text` counts the characters of the texts.
    """

    container: str = ""
    exif: bytes | None = None
    xmp: bytes | None = None
    extended_xmp: bytes | None = None
    iptc: bytes | None = None
    manifest: bytes | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    all_text: int = 0

    def fault(self, sentence: str) -> None:
        """Note a fault once."""
        if sentence not in self.faults:
            self.faults.append(sentence)

    def text(self, key: str, text: str) -> None:
        """Keep a text; the longest are cut, and of very many the first are kept."""
        if len(text) > MAX_TEXT:
            self.fault(f"A text is longer than {MAX_TEXT:,} characters: only its beginning was read.")
        if self.has_room():
            self.texts.append((key, text[:MAX_TEXT]))
            self.all_text += len(text)

    def has_room(self) -> bool:
        """Whether another text is read."""
        if len(self.texts) < MAX_TEXTS and self.all_text < MAX_ALL_TEXT:
            return True
        self.fault(f"The file has more than {MAX_TEXTS} texts or very long ones: the others were not read.")
        return False

    def large(self, what: str, length: int, limit: int) -> bool:
        """Whether a part is beyond `limit` bytes, which is noted as a fault."""
        if length > limit:
            self.fault(f"The {what} has {length:,} bytes, more than {limit:,}: it was not read.")
        return length > limit
