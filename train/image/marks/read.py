"""The entry: the bytes of a picture file in, rows of evidence out."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from train.image.marks import exif, isobmff
from train.image.marks.alpha import hidden_texts
from train.image.marks.c2pa import Claim, ManifestError, read_claim
from train.image.marks.generators import Text, generator_rows
from train.image.marks.gif import SIGNATURES as GIF
from train.image.marks.gif import walk_gif
from train.image.marks.iptc import read_iptc
from train.image.marks.jpeg import walk_jpeg
from train.image.marks.parts import MAX_MANIFEST, MAX_XMP, FileParts
from train.image.marks.png import SIGNATURE, walk_png
from train.image.marks.riff import walk_webp
from train.image.marks.rows import EvidenceRow, Says, Strength, shown
from train.image.marks.signatures import Signature, check_signature
from train.image.marks.tables import mark_tables, source_type
from train.image.marks.xmp import read_xmp

NO_MARK = EvidenceRow(
    "metadata",
    "none",
    "nothing",
    "No mark of a generator, an editor or a camera was found. That says nothing: marks are easily lost.",
    "file",
)
# Metadata is easily written, and more easily lost: nobody gains by calling a photograph AI-made, many by the contrary.
_STRENGTH: dict[Says, Strength] = {"ai": "medium", "edited": "medium", "camera": "weak", "nothing": "none"}


@dataclass(frozen=True)
class Marks:
    """What a file says about itself: its container, rows in the order to show them, and its thumbnail (a JPEG)."""

    container: str
    rows: tuple[EvidenceRow, ...]
    thumbnail: bytes | None = None


@dataclass
class _Fields:
    """The texts of a file, whatever block they stood in."""

    exif: dict[str, bytes] = field(default_factory=dict)
    xmp: dict[str, str] = field(default_factory=dict)
    texts: list[Text] = field(default_factory=list)


def read_marks(data: bytes, *, check: bool = True, hidden: bool = False) -> Marks:
    """Read the marks in the bytes of a picture file. Never raises for what the bytes are.

    `check` has the signature of a C2PA manifest checked where the extra `provenance` is installed. There is always one
    row at least: `NO_MARK` where nothing was found. `hidden` also decodes pictures with transparency, whose lowest bits
    may hide a generator's settings.
    """
    parts = read_parts(data)
    fields = _fields(parts)
    if hidden:
        fields.texts += [Text(key, text, f"alpha channel, {shown(key)}") for key, text in hidden_texts(data)]
    rows = [*_manifest_rows(parts, data, check), *_source_type_rows(fields), *generator_rows(fields.texts)]
    rows += [*_camera_rows(fields), *_elsewhere_rows(fields)]
    faults = [EvidenceRow("file", "none", "nothing", sentence, parts.container or "file") for sentence in parts.faults]
    marked = any(row.says != "nothing" or row.kind == "provenance" for row in rows)
    return Marks(parts.container, (*rows, *faults, *(() if marked else (NO_MARK,))), fields.exif.get("thumbnail"))


def read_parts(data: bytes) -> FileParts:
    """Walk through the container that the first bytes name; other files give empty Parts."""
    if data[:2] == b"\xff\xd8":
        parts = FileParts("JPEG")
        walk_jpeg(data, parts)
    elif data[:8] == SIGNATURE:
        parts = FileParts("PNG")
        walk_png(data, parts)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        parts = FileParts("WebP")
        walk_webp(data, parts)
    elif data[:6] in GIF:
        parts = FileParts("GIF")
        walk_gif(data, parts)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        parts = FileParts("TIFF", exif=data)
    else:
        parts = FileParts(isobmff.container_of(data))
        if parts.container:
            isobmff.walk_bmff(data, parts)
    return parts


def _fields(parts: FileParts) -> _Fields:
    fields = _Fields()
    if parts.exif is not None:
        fields.exif = exif.read_exif(parts.exif, parts.fault)
        # In TIFF the packets stand among the tags.
        parts.xmp = parts.xmp or fields.exif.get("XMP", b"")[:MAX_XMP] or None
        parts.iptc = parts.iptc or fields.exif.get("IPTC")
        parts.manifest = parts.manifest or fields.exif.get("C2PA", b"")[:MAX_MANIFEST] or None
    if parts.xmp is not None:
        fields.xmp = read_xmp(parts.xmp, parts.fault)
        if parts.extended_xmp is not None:
            fields.xmp = read_xmp(parts.extended_xmp, parts.fault) | fields.xmp
    container = parts.container
    for key, text in parts.texts:
        place = f"{container} comment" if container in ("JPEG", "GIF") else f'{container} text "{shown(key)}"'
        fields.texts.append(Text(key, text, place))
    for name, value in fields.exif.items():
        if name in ("thumbnail", "XMP", "IPTC", "C2PA"):
            continue
        if name == "UserComment":
            text = exif.comment_of(value)
        elif name == "XPComment":
            text = value.decode("utf-16-le", "replace").strip("\0 ")
        else:
            text = exif.text_of(value)
        fields.texts.append(Text(name, text, f"EXIF {name}"))
    fields.texts += [Text(name, text, f"XMP {name}") for name, text in fields.xmp.items()]
    if parts.iptc is not None:
        fields.texts += [Text(name, text, f"IPTC {name}") for name, text in read_iptc(parts.iptc).items()]
    return fields


def _manifest_rows(parts: FileParts, data: bytes, check: bool) -> list[EvidenceRow]:
    if parts.manifest is None:
        return []
    try:
        claim = read_claim(parts.manifest, data)
    except ManifestError:
        text = "Carries a C2PA manifest that is damaged: it was not read."
        return [EvidenceRow("provenance", "none", "nothing", text, "C2PA manifest")]
    return [manifest_row(claim, check_signature(data, parts.container) if check else None)]


def manifest_row(claim: Claim, signature: Signature | None) -> EvidenceRow:
    """The row of a C2PA manifest; `signature` is None where nobody checked it.

    Without a check a manifest is believed as other metadata is: anyone can copy or forge one. A manifest whose hashes
    or signature do not fit only says that the file was changed.
    """
    says, words = _made(claim)
    of = f" of {claim.generator}" if claim.generator else ""
    signer = f", signed by {claim.signer}" if claim.signer else ""
    content = f"that says: {words}" if words else "that does not say how the picture was made"
    text = f"Carries a C2PA manifest{of}{signer}, {content}"
    if claim.fits is False or (signature is not None and "ismatch" in signature.code):
        text = f"{text}. It does not match: the file was changed after signing."
        return EvidenceRow("provenance", "weak", "edited", text, "C2PA manifest")
    if signature is not None and not signature.valid:
        text = f"{text}. Its signature is not valid ({shown(signature.code) or 'no reason given'})."
        return EvidenceRow("provenance", "none", "nothing", text, "C2PA manifest")
    strength: Strength = "medium"
    if signature is None:
        text += "; not checked."
    elif signature.trusted:
        strength = "strong"
        text += f". The signature is valid, and its certificate is on the trust list of {signature.list_date}."
    else:
        text += ". The signature is valid, but nobody on the trust list vouches for the signer."
    return EvidenceRow("provenance", strength if says != "nothing" else "none", says, text, "C2PA manifest")


def _made(claim: Claim) -> tuple[Says, str]:
    """What a manifest says of the making, and in which words: the most telling of its source types."""
    order: tuple[Says, ...] = ("ai", "edited", "camera", "nothing")
    types = [source_type(one) for one in claim.source_types]
    best = min(types, key=lambda one: order.index(one[0]), default=None)
    if best is not None and best[0] in ("ai", "edited"):
        return best[0], f"{best[1]} ({best[2]})"
    if any(source_type(one)[0] == "ai" for one in claim.ingredient_types):
        return "edited", "composed with a picture that AI made"
    if best is None:
        return "nothing", ""
    if best[0] == "camera" and mark_tables().changing_actions.intersection(claim.actions):
        return "edited", f"{best[1]} ({best[2]}) and edited"
    return best[0], f"{best[1]} ({best[2]})"


def _source_type_rows(fields: _Fields) -> list[EvidenceRow]:
    address = fields.xmp.get("DigitalSourceType")
    if address is None:
        return []
    says, words, name = source_type(address)
    return [
        EvidenceRow("metadata", _STRENGTH[says], says, f"XMP says: {words} ({shown(name)}).", "XMP DigitalSourceType")
    ]


def _camera_rows(fields: _Fields) -> list[EvidenceRow]:
    make, model, software, taken = (
        shown(exif.text_of(fields.exif.get(name, b""))) for name in ("Make", "Model", "Software", "DateTimeOriginal")
    )
    # ComfyUI stores JSON under these tags.
    make, model = ("" if ":{" in one else one for one in (make, model))
    rows = []
    if make or model:
        name = model if model.startswith(make) else f"{make} {model}".strip()
        date = f", and the date {taken}" if taken else ""
        text = f"EXIF names a camera: {name}{date}. Anyone can write that."
        rows.append(EvidenceRow("metadata", "weak", "camera", text, "EXIF Make, Model"))
    if software and not generator_rows([Text("Software", software, "")]):
        rows.append(EvidenceRow("metadata", "none", "nothing", f"EXIF names the software {software}.", "EXIF Software"))
    return rows


def _elsewhere_rows(fields: _Fields) -> list[EvidenceRow]:
    address = fields.xmp.get("provenance")
    if address is None:
        return []
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    text = (
        f"XMP says that a C2PA manifest is kept elsewhere ({shown(host) or 'no readable address'}); it was not fetched."
    )
    return [EvidenceRow("provenance", "none", "nothing", text, "XMP provenance")]
