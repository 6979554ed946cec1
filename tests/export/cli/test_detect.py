"""`detect` with the shipped detector: what people name is found, evidence first, one bad file stops nothing."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner, Result

from export.cli.detect import MANY
from fauxlens import app

GOLDEN = Path(__file__).parents[2] / "golden" / "marks"
NO_FACE = 1


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def detect(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["detect", *map(str, arguments)], input=stdin)


def document(*arguments: object, stdin: bytes = b"") -> dict[str, Any]:
    done = detect(*arguments, "--json", stdin=stdin)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def draw(path: Path, shade: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").point([(shade + value) % 256 for value in range(256)]).convert("RGB").save(path)
    return path


def test_evidence_comes_first_and_a_sentence_sums_up() -> None:
    done = detect(GOLDEN / "a1111.png")
    # The shipped detector evaluates faces, and there is none in a drawn gradient.
    assert done.exit_code == NO_FACE
    kinds = [line.split()[0] for line in done.stdout.splitlines()[1:6]]
    assert kinds == ["file", "metadata", "faces", "detector", "caution"]
    assert "model sd_xl_base_1.0. [medium]" in done.stdout
    assert "In short: AI likely made this picture: its metadata says so (not verified)." in done.stdout
    assert Path("a1111.png.heatmap.png").exists()


def test_no_mark_is_said_to_say_nothing() -> None:
    assert "That says nothing: marks are easily lost." in detect(GOLDEN / "no-mark.jpg", "--no-overlay").stdout
    assert not list(Path().iterdir())


def test_what_a_file_says_is_told_even_where_its_pixels_cannot_be_read() -> None:
    broken = Path("broken.png")
    broken.write_bytes((GOLDEN / "comfyui.png").read_bytes()[:-60])
    done = detect(broken)
    assert done.exit_code == 2
    assert "broken.png" in done.stderr
    assert "ComfyUI, model flux1-dev-fp8" in done.stdout


def test_files_folders_patterns_and_standard_input() -> None:
    one, deep = draw(Path("folder/one.png")), draw(Path("folder/below/two.jpg"))
    draw(Path("folder/one.png.heatmap.png"))
    bracket = draw(Path("a[1].png"))
    data = one.read_bytes()
    for named, expected in (
        (["folder"], [str(deep), str(one)]),
        (["folder", str(one)], [str(deep), str(one)]),
        (["folder/*.png"], [str(one), "folder/one.png.heatmap.png"]),
        (["folder/**/*.jpg"], [str(deep)]),
        (["a[1].png"], [str(bracket)]),
        (["-"], ["standard input"]),
    ):
        pictures = document(*named, "--no-overlay", stdin=data)["pictures"]
        assert [picture["file"] for picture in pictures] == expected
        assert all("error" not in picture for picture in pictures)


def test_a_bad_file_stops_nothing() -> None:
    good = draw(Path("good.png"))
    Path("empty.jpg").write_bytes(b"")
    done = detect("empty.jpg", "gone.png", "*.webp", "https://example.com/a.jpg", good)
    assert done.exit_code == 2
    assert "good.png" in done.stdout
    assert [line.split()[0] for line in done.stderr.splitlines()] == [
        "empty.jpg",
        "gone.png",
        "*.webp",
        "https://example.com/a.jpg",
    ]
    assert "add --fetch" in done.stderr


def test_overlays_never_meet_each_other_nor_an_input() -> None:
    for name in ("x/a.png", "y/a.png", "y/A.png", "a.png.1", "a.png"):
        draw(Path("in") / name if name != "a.png.1" else Path("in/z/a.png.1.png"))
    mine = draw(Path("a.png.heatmap.png"))
    before = mine.read_bytes()
    pictures = document("in/x/a.png", "in/y/a.png", "in/y/A.png", "in/z/a.png.1.png", "in/a.png", mine)["pictures"]
    overlays = [picture["overlay"].casefold() for picture in pictures]
    assert len(set(overlays)) == len(pictures)
    assert mine.read_bytes() == before


def test_an_overlay_of_somebody_else_is_kept_and_one_of_ours_replaced() -> None:
    draw(Path("a.png"))
    yours = draw(Path("a.png.heatmap.png"), 7)
    before = yours.read_bytes()
    for _ in range(2):
        done = detect("a.png")
        assert done.stderr == (
            "a.png.heatmap.png is there already and does not say that Fauxlens drew it: a.png.1.heatmap.png is written "
            "instead.\n"
        )
        assert sorted(path.name for path in Path().iterdir()) == ["a.png", "a.png.1.heatmap.png", "a.png.heatmap.png"]
    assert yours.read_bytes() == before
    yours.unlink()
    assert detect("a.png").stderr == detect("a.png").stderr == ""
    assert yours.read_bytes() != before


def test_tables_of_ours_make_room() -> None:
    draw(Path("a.png"))
    words = ("a.png", "--no-overlay", "--csv", "out.csv", "--jsonl", "out.jsonl")
    for _ in range(2):
        assert detect(*words).exit_code == NO_FACE
        assert detect("a.png", "--report", "out.html").exit_code == NO_FACE
    Path("out.jsonl").write_text('{"day": 1}\n')
    assert "out.jsonl is there already and not of Fauxlens" in detect(*words).stderr
    assert Path("out.jsonl").read_text() == '{"day": 1}\n'


def test_a_long_name_gets_an_overlay_all_the_same() -> None:
    long = draw(Path("ü" * 120 + ".png"))
    (picture,) = document(long)["pictures"]
    assert Path(picture["overlay"]).exists()


def test_an_unwritable_folder_is_refused_before_the_work_where_it_was_named() -> None:
    draw(Path("a.png"))
    Path("file").write_text("")
    done = detect("a.png", "--out", "file/below")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "file/below cannot be written" in done.stderr


def test_many_pictures_get_a_line_each_and_no_overlays() -> None:
    for number in range(MANY + 1):
        draw(Path(f"folder/{number:02}.png"), number)
    done = detect("folder", "--csv", "out.csv", "--jsonl", "out.jsonl", "--workers", 2)
    assert done.exit_code == NO_FACE
    assert len(done.stdout.splitlines()) == MANY + 1
    assert not list(Path().glob("*.heatmap.png"))
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    table = list(csv.DictReader(io.StringIO(Path("out.csv").read_text())))
    assert [row["file"] for row in table] == [line["file"] for line in lines] == sorted(row["file"] for row in table)
    assert [f"{line['probability']:.6f}" for line in lines] == [row["probability"] for row in table]


def test_cells_that_a_spreadsheet_would_compute_are_text() -> None:
    draw(Path("=1+1.png"))
    detect("=1+1.png", "--csv", "out.csv", "--no-overlay")
    assert "'=1+1.png" in Path("out.csv").read_text()


def test_names_cannot_break_lines_or_move_the_cursor() -> None:
    draw(Path("a\n\x1b[2Jb\u202e.png"))
    done = detect("a\n\x1b[2Jb\u202e.png", "--no-overlay")
    assert done.stdout.splitlines()[0] == "a\\n\\x1b[2Jb\\u202e.png"


def test_the_report_is_one_page_with_hashes_and_without_foreign_markup() -> None:
    picture = Path("<script>alert(1)</script>.png".replace("/", "_"))
    picture.write_bytes((GOLDEN / "a1111.png").read_bytes())
    done = detect(picture, "--report", "out.html")
    page = Path("out.html").read_text(encoding="utf-8")
    (evaluated,) = document(picture, "--no-overlay")["pictures"]
    assert done.exit_code == NO_FACE
    assert "<script" not in page
    assert evaluated["sha256"] in page
    assert all(row["source"].split('"')[0].split()[0] in page for row in evaluated["rows"])
    assert "http" not in page.replace('http-equiv="', "")
    assert detect(picture, GOLDEN / "a1111.jpg", "--report", "two.html").exit_code == 2


def test_traces_of_an_earlier_save_are_told_where_they_are_asked_for() -> None:
    noise = np.random.default_rng(1).normal(128, 40, (328, 328))
    image = Image.fromarray(noise.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1)).convert("RGB")
    image.save("first.jpg", quality=60)
    with Image.open("first.jpg") as first:
        first.crop((4, 4, 324, 324)).save("cut.png")
    kinds = [row["kind"] for row in document("cut.png", "--no-overlay")["pictures"][0]["rows"]]
    assert "traces" not in kinds
    (picture,) = document("cut.png", "--no-overlay", "--traces")["pictures"]
    (row,) = [row for row in picture["rows"] if row["kind"] == "traces"]
    assert "earlier JPEG (quality about 60)" in row["text"]
    assert picture["summary"].startswith("There are weak signs") or picture["verdict"] == "fake"


def test_the_document_has_every_row() -> None:
    found = document(GOLDEN / "c2pa.jpg", "--no-overlay")
    assert found["format"] == 2
    (picture,) = found["pictures"]
    assert [row["kind"] for row in picture["rows"]] == ["file", "provenance", "faces", "detector", "caution"]
    assert all(set(row) == {"kind", "strength", "says", "text", "source"} for row in picture["rows"])
    assert picture["size"] == (GOLDEN / "c2pa.jpg").stat().st_size


def test_faces_that_are_all_too_small_are_said_and_found_wanting() -> None:
    group = GOLDEN.parent / "face_finder" / "group.png"
    done = detect(group, "--json")
    (picture,) = json.loads(done.stdout)["pictures"]
    assert (done.exit_code, picture["face_found"], picture["verdict"]) == (1, True, None)
    assert [face["note"] for face in picture["faces"]] == [
        f"Face {n} is too small to classify: use the original or a larger copy, not one that was enlarged."
        for n in (1, 2)
    ]
