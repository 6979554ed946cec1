"""The few properties of an XMP packet that say how a picture was made, read without resolving anything."""

from collections.abc import Callable
from xml.parsers import expat

REFUSED = "The XMP packet declares entities or a document type: it was not read."
DAMAGED = "The XMP packet is damaged: only its beginning was read."
MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE = 64, 50_000, 100_000

_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"
# Name here -> namespace and local name, as the specifications of XMP, IPTC and C2PA have them. TC260 is the label that
# China's GB 45438-2025 asks of generators.
PROPERTIES = {
    "DigitalSourceType": f"{_IPTC} DigitalSourceType",
    "AISystemUsed": f"{_IPTC} AISystemUsed",
    "CreatorTool": f"{_XMP} CreatorTool",
    "Credit": "http://ns.adobe.com/photoshop/1.0/ Credit",
    "Description": "http://purl.org/dc/elements/1.1/ description",
    "UserComment": "http://ns.adobe.com/exif/1.0/ UserComment",
    "provenance": "http://purl.org/dc/terms/ provenance",
    "AIGC": "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC",
}
_WANTED = {place: name for name, place in PROPERTIES.items()}
_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"


class _Refused(Exception):
    """Not for anyone outside: the packet has what no packet needs."""


def read_xmp(packet: bytes, fault: Callable[[str], None]) -> dict[str, str]:
    """Return the first value of each of PROPERTIES that the packet has, as attribute, element or rdf:resource.

    A document type or entity declaration ends the reading before anything is expanded; `fault` hears of it.
    """
    found: dict[str, str] = {}
    open_names: list[str | None] = []
    value: list[str] = []
    elements = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if len(open_names) >= MAX_DEPTH or elements > MAX_ELEMENTS:
            raise _Refused
        for place, text in attributes.items():
            if place in _WANTED:
                found.setdefault(_WANTED[place], text[:MAX_VALUE])
        open_names.append(_WANTED.get(name))
        if name in _WANTED:
            value.clear()
            if _RESOURCE in attributes:
                found.setdefault(_WANTED[name], attributes[_RESOURCE][:MAX_VALUE])

    def text(characters: str) -> None:
        if any(open_names) and sum(map(len, value[-1:])) < MAX_VALUE and len(value) < 1_000:
            value.append(characters)

    def end(_: str) -> None:
        name = open_names.pop()
        content = "".join(value).strip()[:MAX_VALUE]
        if name and content:
            found.setdefault(name, content)
        if name:
            value.clear()

    def refuse(*_: object) -> None:
        raise _Refused

    # A packet may be padded by NUL bytes (JPEG writers) and stand in UTF-16 (XMP, part 3).
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except _Refused:
        fault(REFUSED)
        return {}
    except (expat.ExpatError, ValueError, LookupError):
        fault(DAMAGED)
    return found
