"""The audit's page asks for nothing from elsewhere, escapes hostile names, and says what the JSON says."""

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.train.parsed_page import ParsedPage
from train.common.own_files import AUDIT, foreign_file, in_folder
from train.data.audit.audit import Audit, audit
from train.data.audit.contact_sheets import SIDE, contact_sheet, thumbnailer
from train.data.audit.findings import Finding
from train.data.audit.html import AuditPaths, write_audit
from train.data.manifest import COLUMNS, SCHEMA, SPLITS, Manifest, check_frame
from train.data.scan.measure import Measured, measure_file
from train.data.scan.skipped import Skipped

Chromium = Callable[[Path, Path], tuple[set[str], str]]

HOSTILE = """x" onerror="alert(1)<script>alert('$2$')</script> &amp;"""
TITLE = 'Audit <of> "mine" & theirs'


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """24 wide reals, 24 square fakes of a source with a hostile name; two files are the same, one is named <b>&."""
    folder = tmp_path_factory.mktemp("pictures")
    rows = []
    for number in range(48):
        is_fake = number % 2
        name = f"{'<b>&' if number == 7 else ''}{number:02}.{'png' if is_fake else 'jpg'}"
        pixels = np.random.default_rng(number).integers(0, 256, (9, 9, 3)).astype(np.uint8)
        size = (64 if is_fake else 128, 64)
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(folder / name)
        if number == 3:
            shutil.copy(folder / "01.png", folder / name)
        measured = measure_file(folder / name)
        assert isinstance(measured, Measured)
        rows.append(
            dict.fromkeys(COLUMNS)
            | asdict(measured)
            | {
                "path": name,
                "label": "fake" if is_fake else "real",
                "generator": f"$gan$ {HOSTILE}" if is_fake else "camera",
                "family": "gan" if is_fake else "camera",
                "source": HOSTILE if is_fake else "album",
                "group": measured.sha256[:16],
                "split": SPLITS[number // 2 % 3],
                "faces": 0 if number < 4 else None,
            }
        )
    frame = pl.DataFrame(rows, schema=SCHEMA)
    check_frame(frame, "test")
    return Manifest(frame, folder)


@pytest.fixture(scope="module")
def found(manifest: Manifest) -> Audit:
    skipped = [Skipped(f"{HOSTILE}{number}.jpg", "is <damaged>: get it again.") for number in range(30)]
    extra = [Finding("warning", "copies", f"`{HOSTILE}` is turned.", "Look.", (("00.jpg", "no such picture.jpg"),))]
    return audit(manifest, skipped, extra=extra)


@pytest.fixture(scope="module")
def written(found: Audit, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> AuditPaths:
    return write_audit(found, manifest, tmp_path_factory.mktemp("audit"), title=TITLE)


@pytest.fixture(scope="module")
def page(written: AuditPaths) -> ParsedPage:
    return ParsedPage(written.html.read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_hostile_names_are_text(page: ParsedPage) -> None:
    assert page.open == []
    assert TITLE in page.texts
    allowed = {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "b", "i", "div", "span"),
        *("section", "figure", "figcaption", "img", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"),
        *("small", "br", "code", "svg", "defs", "g", "path", "use", "text", "rect", "clippath", "style"),
    }
    assert {tag for tag, _ in page.tags} <= allowed
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in page.text
    assert "<b>&07.png" in [attributes.get("alt") for _, attributes in page.tags]


def test_the_page_asks_for_nothing_from_elsewhere(written: AuditPaths, page: ParsedPage) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/jpeg;base64,")), (tag, name, value)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", written.html.read_text(encoding="utf-8"))
    policy = [attributes for _, attributes in page.tags if attributes.get("http-equiv")]
    assert "default-src 'none'" in (policy[0]["content"] or "")


def test_no_id_comes_twice_and_figures_follow_the_theme(written: AuditPaths, page: ParsedPage) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {value[1:] for _, found in page.tags for value in [found.get("xlink:href")] if value}
    assert used <= set(ids)
    html = written.html.read_text(encoding="utf-8")
    figures = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert html.count("<svg") == 7
    assert set(re.findall(r"#[0-9a-f]{6}\b", figures)) == set()
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", figures)) <= set(re.findall(r"(--[a-z0-9-]+):", html))


def test_numbers_on_the_page_are_those_of_the_json(written: AuditPaths, page: ParsedPage, found: Audit) -> None:
    document = json.loads(written.json.read_text(encoding="utf-8"))
    assert document["format"] == 1
    assert document["passed"] is False
    assert document == json.loads(json.dumps(found.document))
    assert document["verdict"] in page.text
    for finding in document["found"]:
        assert " ".join(finding["sentence"].replace("`", " ").split()) in page.text.replace("`", " ")
    assert f"{sum(count['pictures'] for count in document['counts'])} pictures from 2 sources" in page.text
    for pair in document["pairs"]:
        files = pair["files"]
        assert f"{files['auc']:.3f} {files['low']:.3f}–{files['high']:.3f} {pair['verdict']}" in page.text
    texts = "".join(re.findall(r"<svg.*?</svg>", written.html.read_text(encoding="utf-8"), re.DOTALL))
    for one in document["features_alone"]:
        assert f">{one['model']['auc']:.2f}</text>" in texts
    medians = {(one["name"], one["measure"]): one["median"] for one in document["spreads"]}
    assert medians["album", "width"] == 128
    assert f"{medians['album', 'bytes_per_pixel']:.3g}" in page.text


def test_examples_stand_side_by_side_and_gaps_are_labelled(page: ParsedPage) -> None:
    gaps = [attributes for _, attributes in page.tags if attributes.get("class") == "none"]
    assert [gap["aria-label"] for gap in gaps] == ["no such picture.jpg cannot be read"]
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert all(attributes.get("alt") for attributes in pictures)
    shown = [attributes["alt"] for attributes in pictures]
    # The same content twice: told as a duplicate, as a leak, and perhaps drawn for the sheet.
    assert "01.png, 03.png" in page.text
    assert shown.count("03.png") >= 2
    assert "No face found 4 of 4" in page.text


def test_tables_hold_the_whole_lists(written: AuditPaths) -> None:
    def rows(path: Path) -> list[dict[str, str]]:
        return list(csv.DictReader(path.open(encoding="utf-8", newline="")))

    assert len(rows(written.skipped)) == 30
    assert rows(written.skipped)[0]["path"] == f"{HOSTILE}0.jpg"
    assert [row["path"] for row in rows(written.duplicates)] == ["01.png", "03.png"]
    assert [row["path"] for row in rows(written.leaks)] == ["01.png", "03.png"]
    assert {row["cluster"] for row in rows(written.leaks)} == {"1"}


def test_writing_twice_gives_the_same_bytes(
    found: Audit, manifest: Manifest, written: AuditPaths, tmp_path: Path
) -> None:
    again = write_audit(found, manifest, tmp_path, title=TITLE)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in asdict(again).values())
    assert foreign_file(in_folder(tmp_path, AUDIT)) is None
    for name, path in asdict(again).items():
        assert path.read_bytes() == getattr(written, name).read_bytes()


def test_a_manifest_that_can_hardly_be_evaluated_makes_a_page_too(manifest: Manifest, tmp_path: Path) -> None:
    tiny = Manifest(manifest.frame.filter(label="real").head(2).with_columns(jpeg_quality=None, faces=None), tmp_path)
    page = ParsedPage(write_audit(audit(tiny), tiny, tmp_path / "page").html.read_text(encoding="utf-8"))
    assert page.open == []
    assert "No picture is fake." in page.text
    assert page.text.count("cannot be read") == 2


def test_a_thumbnail_is_the_whole_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (0, 0, 200, 200))
    picture.save(tmp_path / "turned.jpg", exif=exif)
    thumbnail = thumbnailer(Manifest(pl.DataFrame(), tmp_path))("turned.jpg")
    assert thumbnail.uri is not None
    with Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.split(",")[1]))) as shown:
        assert shown.size == (SIDE // 2, SIDE)
        # Turned by a quarter to the right: what was left is on top.
        top, bottom = shown.convert("RGB").getpixel((24, 20)), shown.convert("RGB").getpixel((24, 76))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[2] > 200 > bottom[2]


def test_a_sheet_is_drawn_by_its_seed(manifest: Manifest) -> None:
    def drawn(seed: int, frame: pl.DataFrame) -> list[str]:
        thumbnail = thumbnailer(manifest)
        sheet = contact_sheet("t", frame, thumbnail, count=10, seed=seed)
        assert sheet.pictures == frame.height
        return [one.path for one in sheet.thumbnails]

    assert len(drawn(1, manifest.frame)) == 10
    assert drawn(1, manifest.frame) == drawn(1, manifest.frame.reverse())
    assert drawn(1, manifest.frame) != drawn(2, manifest.frame)
    assert len(drawn(1, manifest.frame.head(3))) == 3


def test_chromium_shows_the_page_and_makes_no_request(written: AuditPaths, tmp_path: Path, chromium: Chromium) -> None:
    asked, dom = chromium(written.html, tmp_path)
    assert "<title>Audit &lt;of&gt;" in dom
    assert dom.count("<svg") == 7
    assert "<script" not in dom
    assert asked == set()
