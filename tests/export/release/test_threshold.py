"""The verb `threshold`, on drawn pictures: the copy decides by the new table, and all else stays as it was."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from export.artifacts.bundle import parse_bundle, read_bundle
from export.artifacts.metadata import read_description
from export.artifacts.new_points import CHOSEN, bundle_with
from export.artifacts.seal import read_sealed
from export.inference.detector import detect, load_detector
from export.parity.verify import verify_bundle
from export.release.threshold import rechoose
from export.runtimes.registry import RUNTIMES
from fauxlens import app
from tests.export.conftest import SIZE, Tiny, draw
from train.common.errors import ExportError, TrainError
from train.common.own_files import BUNDLE, foreign_file
from train.data.manifest import COLUMNS, Manifest, write_manifest
from train.evaluate.thresholds import Conformal, FalseAlarms
from train.image.decode import decode

TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 120 drawn pictures that the tiny detector never saw, of both classes."""
    folder = tmp_path_factory.mktemp("own")
    pixels, fake = draw(120, seed=91)
    rows = []
    for index, (one, is_fake) in enumerate(zip(pixels, fake, strict=True)):
        path = f"{index:03d}.png"
        Image.fromarray(one).save(folder / path)
        rows.append({"path": path, "label": "fake" if is_fake else "real"})
    write_own(folder / "own.csv", rows)
    return folder / "own.csv"


def write_own(path: Path, rows: list[dict[str, str]]) -> None:
    import hashlib

    frame = pl.DataFrame(rows).with_columns(
        sha256=pl.Series([hashlib.sha256((path.parent / row["path"]).read_bytes()).hexdigest() for row in rows]),
        phash=pl.Series([f"{index:016x}" for index in range(len(rows))]),
        group=pl.Series([f"g{index}" for index in range(len(rows))]),
        width=pl.lit(2 * SIZE, pl.Int64),
        height=pl.lit(2 * SIZE, pl.Int64),
        bytes=pl.lit(1000, pl.Int64),
        format=pl.lit("PNG"),
        family=pl.when(pl.col("label") == "real").then(pl.lit("camera")).otherwise(pl.lit("gan")),
        generator=pl.when(pl.col("label") == "real").then(pl.lit("camera")).otherwise(pl.lit("other")),
        source=pl.lit("own"),
        split=pl.Series(["val" if index % 4 < 2 else "test" for index in range(len(rows))]),
        **{name: pl.lit(None, pl.Int64) for name in ("jpeg_quality", "faces")},
        **{name: pl.lit(None, pl.Float64) for name in ("eye_x", "eye_y", "eye_distance")},
    )
    write_manifest(Manifest(frame.select(COLUMNS), path.parent), path)


@pytest.fixture(scope="module")
def bundle(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "tiny.zip"
    path.write_bytes(tiny.bundle_bytes)
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["threshold", *map(str, words)])


def test_the_copy_calls_as_many_of_the_reals_fake_as_was_asked(bundle: Path, own: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.zip"
    found = rechoose(bundle, own, target, FalseAlarms(0.1), who="Anna", today=TODAY)
    detector = load_detector(target)
    reals = [detect(detector, decode(path)).label for path in sorted(own.parent.glob("*.png"))[::2]]
    assert found.reals is not None
    assert found.reals.balanced.value == reals.count("fake") / 60 <= 0.1
    assert foreign_file({target: BUNDLE}) is None
    assert detector.description.operating_points == found.after
    assert detector.description.figures["reals_called_fake balanced"] == found.reals.balanced.value
    assert detector.description.figures["validation_auc"] == 0.99
    note = detector.description.created_by[CHOSEN]
    for part in ("Anna", "2026-11-30", "at most 10 % false alarms", "own.csv", "60 real, 60 fake"):
        assert part in note


def test_only_points_card_and_checksums_differ(tiny: Tiny, bundle: Path, own: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.zip"
    found = rechoose(bundle, own, target, FalseAlarms(0.1), who="Anna | <b>", today=TODAY)
    before, after = tiny.bundle, read_bundle(target)
    _, old = read_sealed(tiny.bundle_bytes, "old")
    _, new = read_sealed(target.read_bytes(), "new")
    changed = {name for name in old if old[name] != new[name]}
    assert changed == {"bundle.json", "model_card.md", *(f"detectors/{name}.tflite" for name in before.variants)}
    for name, tflite in after.variants.items():
        assert read_sealed(tflite, name)[0] == read_sealed(before.variants[name], name)[0]
    card = after.card
    assert card.index("## Operating points chosen for a setting") < len(card)
    assert "Anna \\| &lt;b&gt;" in card
    assert all(sentence.split(":")[0] in card for sentence in found.sentences)
    parity = verify_bundle(after, variant=after.default, runtime=RUNTIMES["litert"])
    assert [stage.passed for stage in parity.stages if stage.name != "heatmap"].count(False) == 0


def test_variants_of_one_state_share_points(bundle: Path, own: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.zip"
    rechoose(bundle, own, target, Conformal(0.2), who="A", today=TODAY)
    points = {name: one.operating_points for name, one in read_bundle(target).descriptions.items()}
    assert points["ptq-int8"] != points["float32"]


def test_a_copy_of_a_copy_has_one_section(bundle: Path, own: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    rechoose(bundle, own, first, FalseAlarms(0.1), who="Anna", today=TODAY)
    rechoose(first, own, second, FalseAlarms(0.2), who="Ben", today=TODAY)
    card = read_bundle(second).card
    assert card.count("## Operating points chosen for a setting") == 1
    assert "Ben" in card
    assert "Anna" not in card


def test_a_detector_file_and_the_same_bytes_again(tiny: Tiny, own: Path, tmp_path: Path) -> None:
    source = tmp_path / "tiny.tflite"
    source.write_bytes(tiny.sealed["float32"])
    for name in ("a.tflite", "b.tflite"):
        rechoose(source, own, tmp_path / name, FalseAlarms(0.1), who="Anna", today=TODAY)
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()
    assert CHOSEN in read_description((tmp_path / "a.tflite").read_bytes()).created_by


def test_a_split_is_kept_apart(bundle: Path, own: Path, tmp_path: Path) -> None:
    found = rechoose(bundle, own, tmp_path / "c.zip", FalseAlarms(0.1), who="A", today=TODAY, split="val")
    assert (found.n_real, found.n_fake) == (30, 30)
    assert any("under one picture" in sentence for sentence in found.sentences)


def test_the_verb_in_words_and_as_json(bundle: Path, own: Path, tmp_path: Path) -> None:
    done = run(bundle, own, "--false-alarms", "10%", "--out", tmp_path / "c.zip", "--by", "Anna")
    assert done.exit_code == 0, done.output
    assert "If 1 in 50" in done.output or "if 1 in 50" in done.output
    assert "1 % and 0.5 % of 60 real pictures is under one picture" in " ".join(done.output.split())
    done = run(bundle, own, "--cost", "1:5", "--out", tmp_path / "c.zip", "--json")
    document = json.loads(done.stdout)
    assert (document["format"], document["n_real"]) == (1, 60)
    assert set(document["after"]) == {"balanced", "fpr-1%", "fpr-0.5%"}


def test_duplicates_count_once_and_contradictions_are_named(bundle: Path, own: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(own)["path", "label"].to_dicts()
    for row in rows:
        (tmp_path / row["path"]).write_bytes((own.parent / row["path"]).read_bytes())
    (tmp_path / "again.png").write_bytes((tmp_path / "000.png").read_bytes())
    write_own(tmp_path / "twice.csv", [*rows, {"path": "again.png", "label": rows[0]["label"]}])
    found = rechoose(bundle, tmp_path / "twice.csv", tmp_path / "c.zip", FalseAlarms(0.1), who="A", today=TODAY)
    assert found.n_real + found.n_fake == 120
    assert "1 rows are the same file" in found.sentences[0]
    write_own(tmp_path / "both.csv", [*rows, {"path": "again.png", "label": "fake"}])
    with pytest.raises(TrainError, match=r"as real and as fake"):
        rechoose(bundle, tmp_path / "both.csv", tmp_path / "c.zip", FalseAlarms(0.1), who="A", today=TODAY)


def test_what_cannot_be_is_one_sentence(bundle: Path, own: Path, tmp_path: Path) -> None:
    for words, sentence in (
        ((bundle, own), "0 goals are given"),
        ((bundle, own, "--recall", "90%", "--cost", "1:1"), "2 goals are given"),
        ((bundle, own, "--recall", "9"), "not a rate"),
        (
            (bundle, own, "--recall", "90%", "--out", bundle),
            "is an input of this command: name another place with --out",
        ),
        ((bundle, own, "--recall", "90%", "--out", tmp_path / "x.txt"), "must end in .zip or .tflite"),
        ((bundle, own, "--recall", "90%", "--out", tmp_path / "x.zip", "--split", "no"), "Unknown split"),
        ((bundle, own, "--conformal", "1%", "--out", tmp_path / "x.zip"), "at least 99 real pictures"),
        ((bundle, tmp_path / "none.csv", "--recall", "90%", "--out", tmp_path / "x.zip"), "does not exist"),
    ):
        done = run(*words)
        assert done.exit_code == 2, done.output
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x.zip").exists()


def test_a_damaged_bundle_is_not_copied(tiny: Tiny) -> None:
    data = bytearray(tiny.bundle_bytes)
    data[len(data) // 2] ^= 1
    with pytest.raises(ExportError, match="damaged"):
        bundle_with(bytes(data), {}, "", "it")
    assert parse_bundle(bundle_with(tiny.bundle_bytes, {}, "card", "it"), "it").card == "card"
