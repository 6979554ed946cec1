"""What files say about themselves is read right, in bounded time and memory, whatever their bytes are."""

import io
import json
import struct
import tracemalloc
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from train.image.decode import decode_bytes
from train.image.marks.cbor import CborError, read_cbor
from train.image.marks.jumbf import JumbfError, read_jumbf
from train.image.marks.read import NO_MARK, Marks, read_marks
from train.image.marks.rows import EvidenceRow, shown
from train.image.marks.thumbnail import thumbnail_row

GOLDEN = Path(__file__).parents[2] / "golden" / "marks"
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "rows.json").read_text(encoding="utf-8"))["files"]
FILES = {name: (GOLDEN / name).read_bytes() for name in sorted(EXPECTED)}


def marks(name: str) -> Marks:
    return read_marks(FILES[name], check=False, hidden=True)


@pytest.mark.parametrize("name", FILES)
def test_rows_of_the_golden_files(name: str) -> None:
    found = marks(name)
    expected = EXPECTED[name]
    assert found.container == expected["container"]
    assert [asdict(row) for row in found.rows] == expected["rows"]
    seen = thumbnail_row(found.thumbnail, decode_bytes(FILES[name], name).pixels) if found.thumbnail else None
    assert ([asdict(seen)] if seen else []) == expected.get("pixel_rows", [])


def test_a_thumbnail_of_another_picture_is_noticed_and_its_own_is_not() -> None:
    base = np.asarray(Image.linear_gradient("L").resize((160, 120)).convert("RGB"))
    for turned in (0, 1):
        small = io.BytesIO()
        Image.fromarray(np.rot90(base, turned)).resize((64, 48)).save(small, "JPEG", quality=50)
        assert thumbnail_row(small.getvalue(), base) is None
    other = io.BytesIO()
    Image.radial_gradient("L").resize((64, 48)).save(other, "JPEG")
    row = thumbnail_row(other.getvalue(), base)
    assert row is not None
    assert row.says == "edited"
    assert thumbnail_row(b"\xff\xd8\xff\xda" * 30, base) is None
    assert thumbnail_row(b"no picture", base) is None


# Written by hand, beside rows.json, which the code under test wrote: what each tool's file must say first.
@pytest.mark.parametrize(
    ("name", "says", "strength", "words"),
    [
        ("a1111.png", "ai", "medium", "Stable Diffusion WebUI, model sd_xl_base_1.0"),
        ("a1111.jpg", "ai", "medium", "Stable Diffusion WebUI, model sd_xl_base_1.0"),
        ("a1111.webp", "ai", "medium", "Stable Diffusion WebUI, model sd_xl_base_1.0"),
        ("forge.png", "ai", "medium", "Stable Diffusion WebUI Forge, model sd_xl_base_1.0"),
        ("comfyui.png", "ai", "medium", "ComfyUI, model flux1-dev-fp8"),
        ("comfyui.webp", "ai", "medium", "ComfyUI"),
        ("invokeai.png", "ai", "medium", "InvokeAI, model juggernaut-xl-v9"),
        ("fooocus.png", "ai", "medium", "Fooocus"),
        ("swarmui.png", "ai", "medium", "SwarmUI, model OfficialStableDiffusion/sd_xl_base_1.0"),
        ("novelai.png", "ai", "medium", "NovelAI"),
        ("midjourney.png", "ai", "medium", "Midjourney"),
        ("openai.png", "ai", "medium", "OpenAI"),
        ("aigc-label.png", "ai", "medium", "China"),
        ("google-credit.jpg", "ai", "medium", "trainedAlgorithmicMedia"),
        ("google-credit-iptc.jpg", "ai", "medium", "Google AI"),
        ("source-type-element.png", "edited", "medium", "compositeWithTrainedAlgorithmicMedia"),
        ("source-type-text.webp", "camera", "weak", "digitalCapture"),
        ("source-type.avif", "ai", "medium", "trainedAlgorithmicMedia"),
        ("camera.jpg", "camera", "weak", "Canon EOS R6, and the date 2026:05:17 10:11:12"),
        ("camera.avif", "camera", "weak", "Google Pixel 9"),
        ("edited.jpg", "edited", "weak", "Adobe Photoshop"),
        ("c2pa.jpg", "ai", "medium", "Fauxlens test generator, signed by Fauxlens tests"),
        ("c2pa.png", "ai", "medium", "Fauxlens test generator, signed by Fauxlens tests"),
        ("c2pa.webp", "ai", "medium", "Fauxlens test generator, signed by Fauxlens tests"),
        ("c2pa.avif", "ai", "medium", "Fauxlens test generator, signed by Fauxlens tests"),
        ("c2pa.heic", "ai", "medium", "Fauxlens test generator, signed by Fauxlens tests"),
        ("c2pa-camera.jpg", "camera", "medium", "taken by a camera"),
        ("c2pa-ai-parent.jpg", "ai", "medium", "made by AI"),
        ("c2pa-edited-with-ai.jpg", "edited", "medium", "edited or composed with AI"),
        ("c2pa-ai-component.png", "edited", "medium", "composed with a picture that AI made"),
        ("c2pa-changed.jpg", "edited", "weak", "does not match: the file was changed after signing"),
        ("c2pa-forged.jpg", "edited", "weak", "does not match: the file was changed after signing"),
        ("manifest-elsewhere.jpg", "nothing", "none", "manifests.example.com"),
        ("nested-boxes.png", "nothing", "none", "damaged"),
        ("xmp-entities.jpg", "nothing", "none", "declares entities"),
        ("exif-loop.jpg", "nothing", "none", "point in a circle"),
        ("extended-xmp.jpg", "ai", "medium", "trainedAlgorithmicMedia"),
        ("extended-xmp-unnamed.jpg", "nothing", "none", "No mark"),
        ("xmp-bad-bytes.jpg", "ai", "medium", "trainedAlgorithmicMedia"),
        ("comment.gif", "ai", "medium", "GIF comment names a generator of pictures: Stable Diffusion WebUI"),
        ("packet.gif", "ai", "medium", "trainedAlgorithmicMedia"),
        ("workflow-cut.png", "ai", "medium", "ComfyUI"),
        ("damaged-text.png", "nothing", "none", "A compressed text is damaged"),
        ("hidden-novelai.png", "ai", "medium", "NovelAI"),
        ("hidden-novelai-low.png", "ai", "medium", "NovelAI"),
        ("hidden-novelai.webp", "ai", "medium", "NovelAI"),
        ("hidden-webui.png", "ai", "medium", "sd_xl_base_1.0"),
        ("hidden-interlaced.png", "ai", "medium", "sd_xl_base_1.0"),
        ("hidden-broken.png", "nothing", "none", "No mark"),
        ("hidden-nothing.png", "nothing", "none", "No mark"),
        ("lying-length.png", "nothing", "none", "cut short, or a length in it is wrong"),
    ],
)
def test_what_a_file_says_first(name: str, says: str, strength: str, words: str) -> None:
    first = marks(name).rows[0]
    assert (first.says, first.strength) == (says, strength)
    assert words in first.text


@pytest.mark.parametrize("name", ["no-mark.jpg", "no-mark.png", "no-mark.avif", "xmp-entities.jpg"])
def test_no_mark_is_said_to_say_nothing(name: str) -> None:
    assert marks(name).rows[-1] == NO_MARK


def test_unsigned_manifest_is_never_strong() -> None:
    assert all(row.strength != "strong" for name in FILES for row in marks(name).rows)


def test_every_turned_bit_of_a_signed_picture_is_noticed() -> None:
    whole = FILES["c2pa.jpg"]
    scan = whole.rindex(b"\xff\xda") + 14
    for at in range(scan, len(whole) - 2, 7):
        changed = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        assert "changed after signing" in read_marks(changed, check=False).rows[0].text


def test_foreign_text_cannot_move_the_cursor_or_turn_the_line() -> None:
    texts = [row.text for row in marks("escape-codes.png").rows]
    assert not any(one in text for text in texts for one in ("\x1b", "\u202e", "\n"))
    assert shown("a\r\n\tb\u2028c") == "a b c"
    assert shown("\x1b[31m\u202eabc\x07") == "\ufffd[31m\ufffdabc\ufffd"
    assert shown("x" * 500) == "x" * 80 + "…"


def test_fifty_megabytes_of_text_take_little_memory() -> None:
    tracemalloc.start()
    rows = marks("bomb.png").rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows[0].says == "ai"
    assert any("only its beginning was read" in row.text for row in rows)
    assert peak < 32 << 20


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(FILES)), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=24)), max_size=4), st.data()
)
def test_mutated_files_give_rows_and_no_error(name: str, edits: list[tuple[float, bytes]], data: st.DataObject) -> None:
    content = FILES[name]
    for place, inserted in edits:
        at = int(place * len(content))
        removed = data.draw(st.integers(0, 64))
        content = content[:at] + inserted + content[at + removed :]
    rows = read_marks(content, check=False).rows
    assert rows
    assert all(isinstance(row, EvidenceRow) and len(row.text) < 700 and "\x1b" not in row.text for row in rows)


# RFC 8949, appendix A.
@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("00", 0),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f6", None),
        ("c11a514b67b0", 1363896240),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ],
)
def test_cbor_of_the_standard(encoded: str, value: Any) -> None:
    assert read_cbor(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81" * 10_000,
        b"\xd8\x20" * 10_000,
        b"\x9f" * 10_000,
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xff",
        b"\x1c",
        b"\xbf\x01\xff",
        b"\x5f\x01\xff",
        b"\x9a\x00\x0f\x00\x00" + b"\0" * 0xF0000,
    ],
    ids=["empty", "lists", "tags", "endless", "lying list", "lying bytes", "break", "reserved", "odd", "kind", "many"],
)
def test_cbor_refuses(data: bytes) -> None:
    with pytest.raises(CborError):
        read_cbor(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0\x08abcd", b"\0\0\0\x04jumb", b"\0\0\0\x01jumb" + struct.pack(">Q", 1 << 63), b"\0\0\0\x09jumb\0"],
)
def test_jumbf_refuses(data: bytes) -> None:
    with pytest.raises(JumbfError):
        read_jumbf(data)
