"""IPTC's older records (IIM): who is credited, and the program."""

MAX_RECORDS = 1_000
# IPTC-NAA Information Interchange Model 4.2, record 2.
NAMES = {65: "Originating Program", 80: "By-line", 110: "Credit", 115: "Source", 120: "Caption"}


def read_iptc(record: bytes) -> dict[str, str]:
    """Return the first value of each of NAMES (UTF-8, else Latin-1), each of at most 32,767 bytes."""
    found: dict[str, str] = {}
    at = 0
    for _ in range(MAX_RECORDS):
        if at + 5 > len(record) or record[at] != 0x1C:
            break
        length = int.from_bytes(record[at + 3 : at + 5], "big")
        if length & 0x8000:
            break
        raw = record[at + 5 : at + 5 + length]
        if record[at + 1] == 2 and record[at + 2] in NAMES:
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = raw.decode("latin-1")
            found.setdefault(NAMES[record[at + 2]], text)
        at += 5 + length
    return found
