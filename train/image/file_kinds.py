"""What a file is that is no picture in a format read here, whatever its name says: for the sentence that refuses it."""

_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_STARTS = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the picture itself: run `git lfs pull` where it is from"),
    (b"\xff\x0a", "is a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "is a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "is a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "is a JPEG 2000 picture"),
    (b"8BPS", "is a Photoshop file"),
    (b"gimp xcf", "is a GIMP file"),
    (b"%PDF", "is a PDF"),
    (b"PK\x03\x04", "is a zip archive"),
    (b"\x1f\x8b", "is a gzip archive"),
    (b"7z\xbc\xaf", "is a 7-Zip archive"),
    (b"Rar!", "is a RAR archive"),
    (b"\x1aE\xdf\xa3", "is a video"),
    (b"FUJIFILMCCD-RAW", "is a camera's raw file"),
    (b"P5", "is a PGM picture"),
    (b"P6", "is a PPM picture"),
)

_PICTURES = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"\x00\x00\x00\x0cjP  ", ".jp2"),
    (b"\xff\x0a", ".jxl"),
    (b"\x00\x00\x00\x0cJXL ", ".jxl"),
)


def picture_suffix(data: bytes) -> str:
    """How the name of a picture with these bytes ends, told by its first bytes; empty for what begins as no picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:8] == b"ftyp" and data[8:12] in (*_HEIF, b"avif", b"avis"):
        return ".avif" if data[8:11] == b"avi" else ".heic"
    return next((suffix for start, suffix in _PICTURES if data.startswith(start)), "")


def file_kind(data: bytes) -> str | None:
    """What a file is, as the rest of a sentence about it, told by its first bytes; None where they say nothing."""
    if data[4:8] == b"ftyp":
        return _container(data[8:12])
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is a web page, not a picture: what was to be downloaded was answered by a page; open it to see why"
    if head.startswith((b"<svg", b"<?xml")):
        return "is a drawing in SVG or another XML file, not a photograph"
    return None


def _container(brand: bytes) -> str:
    if brand in (b"avif", b"avis"):
        return "is an AVIF picture that is damaged or that this Pillow cannot read: save it as JPEG or PNG"
    if brand in _HEIF:
        return "is a HEIC picture, as iPhones save them: install the extra heif where it is missing, or save it as JPEG"
    return "is a video" if brand[:2] not in (b"cr", b"CR") else "is a camera's raw file"
