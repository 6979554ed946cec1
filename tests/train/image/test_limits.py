"""What a picture may cost, and what is said of files that are no pictures."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from train.common.errors import DataError
from train.image.decode import Picture, decode_bytes, sketch_bytes
from train.image.limits import MAX_SCANS, check_file_cost
from train.image.to_rgb import strips
from train.image.view import apply_view, parse_view

HEIC = bytes.fromhex("00000018667479706865696300000000") + b"mif1heic" + b"\0" * 2000
JPEG_2_SCANS = b"\xff\xd8\xff\xe1\0\x06\xff\xda\xff\xda" + b"\xff\xda\0\x02\1\xff\0\xff\xd0\2" * 2 + b"\xff\xd9"


def png(width: int, height: int, kind: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    parts = [
        struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))
        for tag, body in (head, *chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        decode_bytes(data, "x.jpg")
    with pytest.raises(DataError) as again:
        sketch_bytes(data, "x.jpg", 32)
    assert str(caught.value) == str(again.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (HEIC, "x.jpg is a HEIC picture, as iPhones save them: install the extra heif"),
        (
            HEIC.replace(b"heic", b"avif"),
            "x.jpg is an AVIF picture that is damaged",
        ),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "x.jpg is a Git LFS pointer, not the picture"),
        (b" <!DOCTYPE html><html>403 Forbidden</html>", "x.jpg is a web page, not a picture"),
        (b"<svg xmlns='x'/>", "drawing in SVG"),
        (b"%PDF-1.7", "x.jpg is a PDF, which is not read"),
        (b"words", "x.jpg is not a picture that can be read"),
    ],
)
def test_a_file_that_is_no_picture_is_called_what_it_is(data: bytes, sentence: str) -> None:
    assert sentence in refusal(data)


def test_a_palette_picture_without_its_palette_is_damaged() -> None:
    assert "damaged" in refusal(png(4, 4, 3, (b"IDAT", zlib.compress(bytes(20)))))


def test_pictures_that_cost_too_much_are_refused_by_their_headers() -> None:
    webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0\x2f" + struct.pack("<I", 10_899 | 10_899 << 14) + bytes(9)
    assert "10900 x 10900 pixels, more than the 50,000,000 in all that a WebP may have" in refusal(webp)
    assert "1 x 4000000 pixels, more than 1,000,000 on one side" in refusal(png(1, 4_000_000, 2, (b"IDAT", b"")))
    progressive = b"\xff\xd8\xff\xc2\0\x11\x08" + struct.pack(">HH", 10_000, 9_000) + b"\3" + bytes(9)
    assert "9000 x 10000 pixels, more than the 80,000,000 in all that a progressive JPEG" in refusal(progressive)


def test_scans_of_a_jpeg_are_counted_and_what_looks_like_one_is_not() -> None:
    check_file_cost(JPEG_2_SCANS, "x")
    one = b"\xff\xda\0\x02\1\xff\0\xff\xd0\2"
    check_file_cost(b"\xff\xd8" + one * MAX_SCANS + b"\xff\xd9" + one * MAX_SCANS, "x")
    with pytest.raises(DataError, match="more than 100 scans"):
        check_file_cost(b"\xff\xd8" + one * (MAX_SCANS + 1), "x")
    for end in range(len(JPEG_2_SCANS)):
        check_file_cost(JPEG_2_SCANS[:end], "x")
    picture = Image.effect_noise((64, 64), 80).convert("RGB")
    decode_bytes(encoded(picture, "JPEG", progressive=True), "x")


def test_much_metadata_is_no_damage() -> None:
    picture = Image.new("RGB", (8, 8), (1, 2, 3))
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "<li>uuid</li>" * 150_000, zip=True)
    texts.add_text("workflow", '{"id":1}' * 250_000, zip=True)
    data = encoded(picture, "PNG", pnginfo=texts, icc_profile=bytes(2_000_000))
    assert (decode_bytes(data, "x").pixels == (1, 2, 3)).all()


def test_an_empty_alpha_channel_of_a_bmp_is_left_out_and_any_other_shows_nothing() -> None:
    pixels = np.dstack([np.full((4, 6), 90, np.uint8)] * 3 + [np.zeros((4, 6), np.uint8)])
    pixels[..., 0] = np.arange(6)
    head = struct.pack("<IiiHHIIiiII", 124, 6, 4, 1, 32, 3, 96, 0, 0, 0, 0)
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(64)
    rows = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    bmp = b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, 14 + len(head)) + head + rows
    picture = decode_bytes(bmp, "x")
    assert (picture.pixels == pixels[..., :3]).all()
    assert picture.notes == ()
    assert "is fully transparent" in refusal(encoded(Image.fromarray(pixels), "PNG"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "I;16", "CMYK", "1"])
def test_strips_change_nothing(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.effect_noise((31, 40), 90).convert("RGB")
    image.putalpha(Image.effect_noise((31, 40), 90))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 250)
    else:
        image = (
            image.convert("RGB").quantize(16)
            if mode == "P"
            else image.convert("RGB").convert(mode)
            if mode in ("CMYK", "1")
            else image.convert(mode)
        )
    options = {"transparency": 3} if mode == "P" else {}
    data = encoded(image, "TIFF" if mode == "CMYK" else "PNG", **options)
    whole = decode_bytes(data, "x")
    monkeypatch.setattr("train.image.to_rgb._STRIP", 31 * 7)
    assert sum(1 for _ in strips(image)) == 6
    cut = decode_bytes(data, "x")
    assert np.array_equal(whole.pixels, cut.pixels)
    assert whole.notes == cut.notes
    sketch = sketch_bytes(data, "x", 512)
    assert np.array_equal(np.asarray(sketch.luma), np.asarray(Image.fromarray(whole.pixels).convert("L")))


def test_a_narrow_picture_is_refused_before_it_is_stretched() -> None:
    pixels = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (900_000, 1, 3))
    with pytest.raises(DataError, match="too narrow"):
        apply_view(parse_view("resize(160)"), Picture(pixels, 1, "PNG", None, ()))
    assert apply_view(parse_view("square|resize(8)"), Picture(pixels, 1, "PNG", None, ())).shape == (8, 8, 3)


def test_a_turned_picture_is_taken_over_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 31, 3), np.uint8)
    view, picture = parse_view("upright|resize(16)"), Picture(pixels, 6, "PNG", None, ())
    whole = apply_view(view, picture)
    monkeypatch.setattr("train.image.to_pillow._STRIP", 40 * 7)
    assert np.array_equal(apply_view(view, picture), whole)
