"""Marks that stand in odd places: a GIF's comment and packet, XMP that overflowed its segment, the alpha's lowest bits.

tests/golden/marks has files of each, which the readers of the app and the page know as well.
"""

import gzip
import hashlib
import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from train.image.marks.alpha import hidden_texts
from train.image.marks.read import NO_MARK, read_marks

INFOTEXT = "a face\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model: sd_xl_base_1.0, Version: v1.9.4"
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:DigitalSourceType="{}"/>'
    "</rdf:RDF></x:xmpmeta>"
)
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def with_hidden(message: bytes, mark: bytes, kind: str = "PNG") -> bytes:
    """As NovelAI's nai_meta.py writes it: column by column, into the lowest bit of each alpha."""
    pixels = np.full((96, 80, 4), 254, np.uint8)
    bits = np.unpackbits(np.frombuffer(mark + struct.pack(">I", 8 * len(message)) + message, np.uint8))
    flat = pixels[..., 3].T.reshape(-1).copy()
    flat[: len(bits)] |= bits
    pixels[..., 3] = flat.reshape(80, 96).T
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    return stream.getvalue()


def said(data: bytes, **options: bool) -> list[tuple[str, str, str]]:
    return [(row.says, row.strength, row.text) for row in read_marks(data, check=False, **options).rows]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_novelai_s_hidden_settings_are_read(kind: str) -> None:
    plain = {"Software": "NovelAI", "Source": "NovelAI Diffusion V4 37442FCA", "Comment": "{}", "Steps": 28}
    data = with_hidden(gzip.compress(json.dumps(plain).encode(), mtime=0), b"stealth_pngcomp", kind)
    (row,) = [row for row in read_marks(data, check=False, hidden=True).rows if row.says == "ai"]
    assert (row.strength, row.source) == ("medium", "alpha channel, Software")
    assert "NovelAI" in row.text
    assert read_marks(data, check=False).rows == (NO_MARK,)


def test_hidden_settings_of_the_webui_are_read() -> None:
    data = with_hidden(INFOTEXT.encode(), b"stealth_pnginfo")
    assert any(says == "ai" and "sd_xl_base_1.0" in text for says, _, text in said(data, hidden=True))


@pytest.mark.parametrize(
    "data",
    [
        saved("PNG"),
        saved("PNG", "RGBA"),
        saved("PNG", "LA"),
        saved("WEBP", "RGBA"),
        with_hidden(b"\0" * 40, b"stealth_pngcomp"),
        with_hidden(b"", b"stealth_pnginfo"),
        with_hidden(b"[" * 900, b"stealth_pnginfo"),
        with_hidden(gzip.compress(bytes(50_000_000), mtime=0)[:700], b"stealth_pngcomp"),
        saved("PNG", "RGBA")[:300],
        saved("PNG", "RGBA")[:20],
    ],
)
def test_what_hides_nothing_says_nothing(data: bytes) -> None:
    assert all(says == "nothing" for says, _, _ in said(data, hidden=True))


@settings(max_examples=150)
@given(st.data())
def test_a_broken_picture_hides_nothing_and_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(with_hidden(gzip.compress(b'{"Software": "NovelAI"}', mtime=0), b"stealth_pngcomp"))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(hidden_texts(bytes(whole)), list)


def test_a_picture_without_the_mark_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most transparent pictures hide nothing; decoding each a second time would take as long as its verdict."""
    tall = io.BytesIO()
    Image.linear_gradient("L").resize((300, 400)).convert("RGBA").save(tall, "PNG")
    data = with_hidden(INFOTEXT.encode(), b"stealth_pnginfo")
    assert hidden_texts(data)
    monkeypatch.delattr(Image, "open")
    assert hidden_texts(tall.getvalue()) == []


def test_a_gif_of_very_many_blocks_ends_soon() -> None:
    data = b"GIF89a\1\0\1\0\0\0\0!\xf9" + b"\1a" * 1_100_000
    (fault,) = [row.text for row in read_marks(data, check=False).rows if row.kind == "file"]
    assert fault == "The file has more than 1,000,000 parts: what follows them was not read."


def test_only_the_first_extensions_of_a_packet_are_kept() -> None:
    head = b"http://ns.adobe.com/xmp/extension/\0"
    digests = [b"%032d" % number for number in range(17)]
    rest = PACKET.format(AI).encode()

    def said_of(named: bytes) -> list[tuple[str, str, str]]:
        packet = b"http://ns.adobe.com/xap/1.0/\0" + f'<a n="{named.decode()}"/>'.encode()
        segments = [packet, *(head + digest + struct.pack(">II", len(rest), 0) + rest for digest in digests)]
        return said(b"\xff\xd8" + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in segments))

    assert any(says == "ai" for says, _, _ in said_of(digests[15]))
    assert not any(says == "ai" for says, _, _ in said_of(digests[16]))


def test_a_gif_s_comment_and_packet_are_read() -> None:
    commented = saved("GIF", comment=INFOTEXT.encode())
    assert read_marks(commented, check=False).container == "GIF"
    assert any("sd_xl_base_1.0" in text and text.startswith("GIF comment") for _, _, text in said(commented))
    # Pillow writes XMP into a GIF by the specification, with the trailer.
    block = b"!\xff\x0bXMP DataXMP" + PACKET.format(AI).encode() + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    at = commented.index(b"!\xfe")
    assert ("ai", "medium") in [row[:2] for row in said(commented[:at] + block + commented[at:])]
    for cut in range(6, len(commented), 11):
        assert said(commented[:cut])


def test_xmp_that_overflowed_its_segment_is_read() -> None:
    rest = PACKET.format(AI).encode()
    digest = hashlib.md5(rest).hexdigest().upper().encode()
    first = PACKET.format("http://cv.iptc.org/newscodes/digitalsourcetype/x").replace(
        'e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/x"',
        f'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="{digest.decode()}"',
    )
    head = b"http://ns.adobe.com/xmp/extension/\0"
    pieces = [(offset, rest[offset : offset + 100]) for offset in range(0, len(rest), 100)][::-1]
    segments = [b"http://ns.adobe.com/xap/1.0/\0" + first.encode()]
    segments += [head + digest + struct.pack(">II", len(rest), offset) + piece for offset, piece in pieces]
    jpeg = saved("JPEG")
    whole = jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in segments) + jpeg[2:]
    assert ("ai", "medium") in [row[:2] for row in said(whole)]
    # An extension that the packet does not name is not its own.
    assert ("ai", "medium") not in [row[:2] for row in said(whole.replace(digest, b"0" * 32, 1))]


def test_a_workflow_that_is_too_long_to_be_read_is_one_all_the_same() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"nodes":[' + '{"id":1,"type":"KSampler"},' * 65_000 + "1]}", zip=True)
    found = said(saved("PNG", pnginfo=info))
    assert any(says == "ai" and "ComfyUI" in text for says, _, text in found)
    assert any("only its beginning was read" in text for _, _, text in found)
