"""The manifest: what is written is read, what is wrong is named."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.manifest import (
    COLUMNS,
    SCHEMA,
    Manifest,
    attributes_of,
    check_frame,
    moved,
    read_manifest,
    relative_path,
    rows_frame,
    write_manifest,
)
from train.data.resplit import merge

ROW: dict[str, Any] = {
    "path": "real/a.jpg", "sha256": "a" * 64, "phash": "0123456789abcdef", "width": 4, "height": 3, "format": "JPEG",
    "jpeg_quality": 75, "bytes": 99, "label": "real", "generator": "camera", "family": "camera", "source": "s",
    "group": "g", "split": "train", "faces": None, "eye_x": None, "eye_y": None, "eye_distance": None,
}  # fmt: skip


def manifest(folder: Path, *rows: dict[str, Any]) -> Manifest:
    return Manifest(pl.DataFrame([ROW | row for row in rows], schema=SCHEMA), folder)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
EYE = st.floats(0.001, 1e9)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "path": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
            "generator": TEXT,
            "source": TEXT,
            "group": TEXT,
            "jpeg_quality": st.one_of(st.none(), st.integers(1, 100)),
            "bytes": st.integers(1, 2**40),
            "label": st.sampled_from(["real", "fake"]),
            "split": st.sampled_from(["train", "val", "test"]),
            "eyes": st.one_of(st.just((None, None, None)), st.tuples(EYE, EYE, EYE)),
        }
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: str(row["path"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS)
def test_what_is_written_is_read(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    flat = [row | dict(zip(("eye_x", "eye_y", "eye_distance"), row["eyes"], strict=True)) for row in rows]
    written = manifest(tmp_path, *({key: row[key] for key in row if key != "eyes"} for row in flat))
    write_manifest(written, tmp_path / "m.csv")
    read = read_manifest(tmp_path / "m.csv")
    assert read.frame.equals(written.frame)
    assert read.sha256 == written.sha256
    assert read.folder == tmp_path


def test_the_hash_changes_with_a_value(tmp_path: Path) -> None:
    assert manifest(tmp_path, {}).sha256 != manifest(tmp_path, {"split": "test"}).sha256


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"label": "maybe"}, "column 'label' (maybe) must be one of real, fake"),
        ({"split": "dev"}, "column 'split' (dev) must be one of train, val, test"),
        ({"family": "robot"}, "column 'family' (robot) must be one of"),
        ({"sha256": "A" * 64}, "column 'sha256'"),
        ({"phash": "12"}, "column 'phash' (12) must be 16"),
        ({"width": 0}, "column 'width' (0) must be at least 1"),
        ({"jpeg_quality": 101}, "column 'jpeg_quality' (101)"),
        ({"group": ""}, "column 'group' is empty"),
        ({"source": None}, "column 'source' is empty"),
        ({"faces": -1}, "column 'faces' (-1) must be at least 0"),
        ({"faces": 1}, "column 'faces' (1) says that there is a face, yet no eyes"),
        (
            {"faces": 0, "eye_x": 1.0, "eye_y": 1.0, "eye_distance": 1.0},
            "column 'faces' (0) says that there is no face",
        ),
        ({"eye_x": 1.0}, "column 'eye_x' (1.0) needs eye_y and eye_distance"),
        ({"eye_x": 1.0, "eye_y": 1.0, "eye_distance": 0.0}, "column 'eye_distance' (0.0) must be more than 0"),
        ({"eye_x": 1.0, "eye_y": float("nan"), "eye_distance": 1.0}, "column 'eye_y'"),
        ({"path": "real/a.jpg"}, "row 1: column 'path' (real/a.jpg) occurs in more than one row"),
    ],
)
def test_a_wrong_value_names_file_row_and_column(tmp_path: Path, row: dict[str, Any], complaint: str) -> None:
    wrong = manifest(tmp_path, {}, {"path": "b.jpg"} | row)
    with pytest.raises(DataError) as on_writing:
        write_manifest(wrong, tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()
    (tmp_path / "m.csv").write_bytes(wrong.csv)
    with pytest.raises(DataError) as on_reading:
        read_manifest(tmp_path / "m.csv")
    for caught in (on_writing, on_reading):
        assert complaint in str(caught.value)
        assert str(tmp_path / "m.csv") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty: make it"),
        ("a,b\n1,2\n", "has no column 'path'"),
        (",".join((*COLUMNS, "Skin tone")) + "\n", "column 'Skin tone', which is not a valid attribute name"),
        (",".join((*COLUMNS, "part")) + "\n", "column 'part', which is a name that the tables here use"),
        (",".join(COLUMNS) + "\n" + ",".join(["x"] * len(COLUMNS)) + "\n", "row 1: column 'width' (x) must be a whole"),
        ("a\n1,2,3\n", "is not a CSV table"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_manifest(tmp_path / "m.csv")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)))
    for name in ("missing.csv", ".", "picture.csv"):
        with pytest.raises(DataError):
            read_manifest(tmp_path / name)


def test_a_manifest_is_written_only_where_its_paths_start(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is outside"):
        write_manifest(manifest(tmp_path, {}), tmp_path / "elsewhere" / "m.csv")


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    row_path = relative_path(tmp_path / "data" / "a.jpg", tmp_path / "runs")
    assert row_path == "../data/a.jpg"
    found = manifest(tmp_path / "runs", {}).picture_path(row_path)
    assert found.resolve() == (tmp_path / "data" / "a.jpg").resolve()


@pytest.mark.parametrize("row_path", ["a.jpg", "real/a.jpg", "../a.jpg", "../../other/a.jpg", "../data set/ä.jpg"])
@pytest.mark.parametrize("target", [".", "deeper", "../beside", "../..", "../../x/y", "linked"])
def test_a_moved_manifest_names_the_same_pictures(tmp_path: Path, row_path: str, target: str) -> None:
    folder = tmp_path / "here" / "there"
    (tmp_path / "far" / "away" / "real").mkdir(parents=True)
    folder.mkdir(parents=True)
    (folder / "linked").symlink_to(tmp_path / "far" / "away", target_is_directory=True)
    picture = folder / row_path
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text("a picture")
    (folder / target).mkdir(parents=True, exist_ok=True)
    found = moved(manifest(folder, {"path": row_path}, {"path": "/elsewhere/b.jpg"}), folder / target)
    write_manifest(found, folder / target / "m.csv")
    read = read_manifest(folder / target / "m.csv")
    assert read.picture_path(read.frame["path"][0]).samefile(picture)
    assert read.frame["path"][1] == "/elsewhere/b.jpg"
    back = moved(read, folder)
    assert back.picture_path(back.frame["path"][0]).samefile(picture)
    assert back.frame.drop("path").equals(manifest(folder, {}, {}).frame.drop("path"))


def test_moving_to_a_folder_that_is_reached_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert moved(manifest(Path(), {}), Path("runs")).frame["path"].to_list() == ["../real/a.jpg"]
    assert moved(manifest(Path("data"), {}), Path()).frame["path"].to_list() == ["data/real/a.jpg"]


def test_attributes_travel(tmp_path: Path) -> None:
    row = ROW | {"skin_tone": "V", "age": None, "unknown": "left away"}
    frame = rows_frame([row], ["skin_tone", "age"])
    assert frame.columns == [*COLUMNS, "age", "skin_tone"]
    write_manifest(Manifest(frame, tmp_path), tmp_path / "m.csv")
    read = read_manifest(tmp_path / "m.csv")
    assert read.frame.equals(frame)
    assert attributes_of(read.frame) == ("age", "skin_tone")
    plain = Manifest(rows_frame([row | {"path": "other.jpg", "sha256": "f" * 64, "group": "other"}]), tmp_path)
    merged = merge([read, plain], tmp_path / "elsewhere").frame.sort("path")
    assert merged.columns == [*COLUMNS, "age", "skin_tone"]
    assert sorted(merged["skin_tone"], key=str) == [None, "V"]
    check_frame(merged, "merged")
    with pytest.raises(DataError, match="does not have the columns and types"):
        check_frame(frame.with_columns(age=pl.lit(3)), "numbers")
