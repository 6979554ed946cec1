"""The name in an X.509 certificate: no more of it than a person is shown."""

_CONTEXT_0 = 0xA0
# X.520: common name and organisation.
_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_WIDE = 0x1E


def subject_of(certificate: bytes) -> str:
    """The organisation of a certificate's subject (DER), else its common name, else ""."""
    try:
        fields = _children(_children(_children(certificate)[0][1])[0][1])
        # RFC 5280, 4.1: version [0] where it is not 1, serial number, algorithm, issuer, validity, subject.
        subject = fields[5 if fields[0][0] == _CONTEXT_0 else 4][1]
        names: dict[bytes, str] = {}
        for _, relative in _children(subject):
            for _, pair in _children(relative):
                (_, kind), (encoding, value) = _children(pair)[:2]
                names.setdefault(kind, value.decode("utf-16-be" if encoding == _WIDE else "utf-8", "replace"))
    except (IndexError, ValueError):
        return ""
    return names.get(_ORGANISATION) or names.get(_COMMON_NAME, "")


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements of a DER sequence or set: (tag, content) of at most 64."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data) and len(found) < 64:
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if size > 4 or at + size > len(data):
                raise IndexError
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise IndexError
        found.append((tag, data[at : at + length]))
        at += length
    return found
