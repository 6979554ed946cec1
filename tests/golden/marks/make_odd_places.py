"""Writes the pictures of this folder whose marks stand in odd places: extended XMP, GIF blocks, cut texts, hidden bits.

PYTHONPATH=. python tests/golden/marks/make_odd_places.py
"""

import gzip
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

HERE = Path(__file__).parent
INFOTEXT = "a face\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model: sd_xl_base_1.0, Version: v1.9.4"
NOVELAI = {"Description": "a face", "Software": "NovelAI", "Source": "NovelAI Diffusion V4 37442FCA", "Comment": "{}"}
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:n="http://ns.adobe.com/xmp/note/" {}/></rdf:RDF></x:xmpmeta>'
)
# Column, row, and their steps in each pass of Adam7 (W3C PNG, 8.2).
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def saved(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(stream, kind, **options)
    return stream.getvalue()


def with_extension(named: bool) -> bytes:
    """A JPEG whose packet overflowed into segments, the last piece first; XMP, part 3, 1.1.3.1."""
    rest = PACKET.format(f'e:DigitalSourceType="{AI}"').encode()
    digest = hashlib.md5(rest).hexdigest().upper()
    first = PACKET.format(f'n:HasExtendedXMP="{digest if named else "0" * 32}"')
    pieces = [(offset, rest[offset : offset + 100]) for offset in range(0, len(rest), 100)][::-1]
    segments = [b"http://ns.adobe.com/xap/1.0/\0" + first.encode()]
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest.encode()
    segments += [head + struct.pack(">II", len(rest), offset) + piece for offset, piece in pieces]
    jpeg = saved("JPEG", quality=60)
    return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in segments) + jpeg[2:]


def with_bad_bytes() -> bytes:
    """A JPEG whose packet is no UTF-8 behind what it says."""
    packet = PACKET.format(f'e:DigitalSourceType="{AI}"').encode().replace(b"</rdf:RDF>", b"<a>\xff\xc3</a></rdf:RDF>")
    return saved("JPEG", quality=60, xmp=packet)


def gif_with_packet() -> bytes:
    """A GIF with XMP in an application block: the packet as it is, then a trailer (XMP, part 3, 1.1.2)."""
    plain = saved("GIF", comment=b"made on a Tuesday")
    packet = PACKET.format(f'e:DigitalSourceType="{AI}"').encode()
    block = b"!\xff\x0bXMP DataXMP" + packet + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    at = plain.index(b"!\xfe")
    return plain[:at] + block + plain[at:]


def hidden(message: bytes, mark: bytes, width: int, height: int) -> np.ndarray:
    """Pixels with a message as nai_meta.py writes it: column by column, into the lowest bit of each alpha."""
    down, across = np.mgrid[:height, :width]
    pixels = np.stack([across % 256, down % 256, (across + down) % 256, 254 - 2 * (across % 3)], -1).astype(np.uint8)
    bits = np.unpackbits(np.frombuffer(mark + struct.pack(">I", 8 * len(message)) + message, np.uint8))
    flat = pixels[..., 3].T.reshape(-1).copy()
    flat[: len(bits)] |= bits
    pixels[..., 3] = flat.reshape(width, height).T
    return pixels


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def rgba_png(pixels: np.ndarray, woven: bool = False) -> bytes:
    """A PNG whose rows take every filter in turn, its data in chunks of 100 bytes."""
    height, width = pixels.shape[:2]
    passes = ADAM7 if woven else ((0, 0, 1, 1),)
    rows = b"".join(_filtered(pixels[y::down, x::across]) for x, y, across, down in passes)
    packed = zlib.compress(rows, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, woven)
    data = b"".join(chunk(b"IDAT", packed[at : at + 100]) for at in range(0, len(packed), 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _filtered(pixels: np.ndarray) -> bytes:
    """W3C PNG, 9.2: None, Sub, Up, Average and Paeth by turns."""
    if not pixels.size:
        return b""
    here = np.pad(pixels.astype(np.int32), ((1, 0), (1, 0), (0, 0)))
    left, up, corner, value = here[1:, :-1], here[:-1, 1:], here[:-1, :-1], here[1:, 1:]
    a, b, c = np.abs(up - corner), np.abs(left - corner), np.abs(left + up - 2 * corner)
    paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
    predicted = np.stack([np.zeros_like(value), left, up, (left + up) // 2, paeth])
    kinds = np.arange(len(value)) % 5
    rows = ((value - predicted[kinds, np.arange(len(value))]) & 255).astype(np.uint8)
    return b"".join(bytes([kind]) + row.tobytes() for kind, row in zip(kinds, rows, strict=True))


def webp(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, exact=True)
    return stream.getvalue()


def png_with_workflow() -> bytes:
    info = PngInfo()
    info.add_text("workflow", '{"nodes":[' + '{"id":1,"type":"KSampler"},' * 65_000 + "1]}", zip=True)
    return saved("PNG", pnginfo=info)


def png_with_damaged_text() -> bytes:
    plain = saved("PNG")
    packed = zlib.compress(b"Steps: 20, Sampler: Euler a, Model: m, Version: v1")
    return plain[:33] + chunk(b"zTXt", b"parameters\0\0" + packed[:-9]) + plain[33:]


def files() -> dict[str, bytes]:
    novelai = gzip.compress(json.dumps(NOVELAI).encode(), mtime=0)
    zipped, plain = b"stealth_pngcomp", b"stealth_pnginfo"
    broken = novelai[:40] + bytes([novelai[40] ^ 255]) + novelai[41:]
    return {
        "extended-xmp.jpg": with_extension(True),
        "extended-xmp-unnamed.jpg": with_extension(False),
        "xmp-bad-bytes.jpg": with_bad_bytes(),
        "comment.gif": saved("GIF", comment=INFOTEXT.encode()),
        "packet.gif": gif_with_packet(),
        "cut-short.gif": saved("GIF", comment=INFOTEXT.encode())[:-400],
        "workflow-cut.png": png_with_workflow(),
        "damaged-text.png": png_with_damaged_text(),
        "hidden-novelai.png": rgba_png(hidden(novelai, zipped, 40, 200)),
        "hidden-novelai-low.png": rgba_png(hidden(novelai, zipped, 300, 7)),
        "hidden-webui.png": rgba_png(hidden(INFOTEXT.encode(), plain, 80, 96)),
        "hidden-interlaced.png": rgba_png(hidden(INFOTEXT.encode(), plain, 45, 161), woven=True),
        "hidden-novelai.webp": webp(hidden(novelai, zipped, 40, 200)),
        "hidden-broken.png": rgba_png(hidden(broken, zipped, 40, 200)),
        "hidden-cut.png": rgba_png(hidden(novelai, zipped, 40, 200))[:-300],
        "hidden-nothing.png": rgba_png(hidden(b"", b"stealth_pngxxxx", 40, 200)),
    }


if __name__ == "__main__":
    for name, content in files().items():
        (HERE / name).write_bytes(content)
