"""layout_of: folders as other programs lay them out are recognised without a card."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError
from train.data.cards.layouts import EXPECTED, layout_of, source_of
from train.data.cards.reader import CardFacts, open_card, usual_layout
from train.data.cards.words import label_of_word, official_splits, split_of_word
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.scan import scan

Expected = dict[str, tuple[str, str, str | None]]
"""Path to label, generator and official split."""

LAYOUTS: dict[str, Expected] = {
    "real and fake": {
        "real/a.jpg": ("real", "camera", None),
        "real/people/a.jpg": ("real", "camera", None),
        "fake/a.jpg": ("fake", "unknown", None),
        "fake/sdxl/b/a.jpg": ("fake", "sdxl", None),
    },
    "capitals": {
        "Real/a.jpg": ("real", "camera", None),
        "Fake/StyleGAN2/a.jpg": ("fake", "StyleGAN2", None),
        "Fake/a.jpg": ("fake", "unknown", None),
    },
    "ciplab": {
        "training_real/a.jpg": ("real", "camera", None),
        "training_fake/easy_1_1111.jpg": ("fake", "unknown", None),
    },
    "numbers": {"0_real/a.png": ("real", "camera", None), "1_fake/a.png": ("fake", "unknown", None)},
    "three splits, below a folder": {
        "set/train/real/a.jpg": ("real", "camera", "train"),
        "set/train/fake/a.jpg": ("fake", "unknown", "train"),
        "set/valid/real/a.jpg": ("real", "camera", "val"),
        "set/valid/fake/sdxl/a.jpg": ("fake", "sdxl", "val"),
        "set/test/real/a.jpg": ("real", "camera", "test"),
        "set/test/fake/a.jpg": ("fake", "unknown", "test"),
    },
    "validation": {
        "train/real/a.jpg": ("real", "camera", "train"),
        "train/fake/a.jpg": ("fake", "unknown", "train"),
        "validation/REAL/a.jpg": ("real", "camera", "val"),
        "validation/FAKE/a.jpg": ("fake", "unknown", "val"),
        "Testing/0_real/a.jpg": ("real", "camera", "test"),
        "Testing/1_fake/a.jpg": ("fake", "unknown", "test"),
    },
    "one set held out": {
        "train/REAL/a.jpg": ("real", "camera", "train+val"),
        "train/FAKE/a.jpg": ("fake", "unknown", "train+val"),
        "val/REAL/a.jpg": ("real", "camera", "test"),
        "val/FAKE/a.jpg": ("fake", "unknown", "test"),
    },
    "only a training folder": {
        "train/real/a.jpg": ("real", "camera", None),
        "train/fake/a.jpg": ("fake", "unknown", None),
    },
    "splits below the classes": {
        "real/train/a.jpg": ("real", "camera", "train"),
        "real/val/a.jpg": ("real", "camera", "val"),
        "real/test/a.jpg": ("real", "camera", "test"),
        "fake/train/ddpm/a.jpg": ("fake", "ddpm", "train"),
        "fake/val/a.jpg": ("fake", "unknown", "val"),
        "fake/test/a.jpg": ("fake", "unknown", "test"),
    },
    "split and class in one name": {
        "real_train/1/a.png": ("real", "camera", "train+val"),
        "fake_train/1/a.png": ("fake", "1", "train+val"),
        "real_test/1/a.png": ("real", "camera", "test"),
        "fake_test/a.png": ("fake", "unknown", "test"),
    },
    "a generator above the classes": {
        "test/progan/airplane/0_real/a.png": ("real", "camera", None),
        "test/progan/airplane/1_fake/a.png": ("fake", "progan", None),
        "test/biggan/1_fake/n01/a.png": ("fake", "biggan", None),
    },
    "nature and ai": {
        "Midjourney/train/nature/a.png": ("real", "camera", "train+val"),
        "Midjourney/train/ai/a.png": ("fake", "Midjourney", "train+val"),
        "ADM/val/nature/a.png": ("real", "camera", "test"),
        "ADM/val/ai/a.png": ("fake", "ADM", "test"),
    },
    "names that a glob would understand": {
        "a{b}*/real/a.png": ("real", "camera", None),
        "a{b}*/fake/a.png": ("fake", "a{b}*", None),
        "[c]?/fake/a.png": ("fake", "[c]?", None),
    },
}


def grow(root: Path, paths: Expected) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_usual_layout_is_recognised(name: str, tmp_path: Path) -> None:
    root = tmp_path / "My set"
    grow(root, LAYOUTS[name])
    (root / "unrelated").mkdir(exist_ok=True)
    card = open_card(layout_of(root), root)
    for path, (label, generator, split) in LAYOUTS[name].items():
        facts = card.facts(path)
        assert facts is not None, path
        assert (facts.label, facts.generator, facts.split, facts.source) == (label, generator, split, "My set"), path
    assert card.facts("unrelated/a.jpg") is None


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_imagefolder_is_recognised_by_its_table(suffix: str, tmp_path: Path) -> None:
    rows = [
        {"file_name": "0001.png", "label": "real", "Model": "", "prompt": "", "Skin Tone": "3", "split": "train"},
        {"file_name": "b/0002.png", "label": "Fake", "Model": "SDXL", "prompt": 'a "b", c', "split": "train"},
        {"file_name": "0003.png", "label": "fake", "Model": "", "prompt": "p", "split": "validation"},
        {"file_name": "0004.png", "label": "?", "Model": "", "prompt": "p", "split": "validation"},
    ]
    if suffix == "csv":
        pl.DataFrame(rows).write_csv(tmp_path / "metadata.csv")
    else:
        text = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / "metadata.jsonl").write_text(text + "\n", encoding="utf-8")
    card = open_card(layout_of(tmp_path, name="mine"), tmp_path)
    assert card.facts("0001.png") == CardFacts(
        "real", "camera", "camera", "mine", "train+val", None, (("prompt", ""), ("skin_tone", "3"))
    )
    fake = card.facts("b/0002.png")
    assert fake is not None
    assert (fake.label, fake.generator, fake.family, fake.split) == ("fake", "SDXL", "diffusion", "train+val")
    assert dict(fake.attributes)["prompt"] == 'a "b", c'
    unknown = card.facts("0003.png")
    assert unknown is not None
    assert (unknown.generator, unknown.split) == ("unknown", "test")
    assert card.facts("0004.png") is None
    assert card.facts("9.png") is None


def test_tables_of_each_split_are_read_with_their_folders(tmp_path: Path) -> None:
    for folder in ("train", "validation", "test"):
        (tmp_path / folder).mkdir()
        table = "file_name,is_fake,sex\na.png,0,woman\nb.png,1,man\n"
        (tmp_path / folder / "metadata.csv").write_text(table, encoding="utf-8")
    card = open_card(layout_of(tmp_path, name="mine"), tmp_path)
    for folder, split in (("train", "train"), ("validation", "val"), ("test", "test")):
        assert card.facts(f"{folder}/a.png") == CardFacts(
            "real", "camera", "camera", "mine", split, None, (("sex", "woman"),)
        )
        fake = card.facts(f"{folder}/b.png")
        assert fake is not None
        assert (fake.label, fake.split) == ("fake", split)


def test_a_table_without_labels_gives_attributes_to_folders_of_classes(tmp_path: Path) -> None:
    paths: Expected = {
        f"{split}/{name}": ("", "", None)
        for split in ("train", "validation", "test")
        for name in ("real/a.png", "real/b.png", "fake/sdxl/x/c.png", "fake/d.png")
    }
    grow(tmp_path, paths)
    table = "file_name,sex,Age\nreal/a.png,woman,30\nfake/sdxl/x/c.png,man,\nfake/d.png,man,9\n"
    (tmp_path / "train" / "metadata.csv").write_text(table, encoding="utf-8")
    card = open_card(layout_of(tmp_path, name="mine"), tmp_path)
    told = {path: card.facts(path) for path in paths}
    assert {path: facts and (facts.generator, facts.split, dict(facts.attributes)) for path, facts in told.items()} == {
        "train/real/a.png": ("camera", "train", {"sex": "woman", "age": "30"}),
        "train/real/b.png": ("camera", "train", {}),
        "train/fake/sdxl/x/c.png": ("sdxl", "train", {"sex": "man", "age": ""}),
        "train/fake/d.png": ("unknown", "train", {"sex": "man", "age": "9"}),
        **{
            f"{folder}/{name}": (generator, split, {})
            for folder, split in (("validation", "val"), ("test", "test"))
            for name, generator in (
                ("real/a.png", "camera"),
                ("real/b.png", "camera"),
                ("fake/sdxl/x/c.png", "sdxl"),
                ("fake/d.png", "unknown"),
            )
        },
    }


def test_numbers_without_names_are_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,label\na.png,0\nb.png,1\n", encoding="utf-8")
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    with pytest.raises(DataError) as caught:
        layout_of(tmp_path)
    assert "metadata.csv" in str(caught.value)
    assert "'0', '1'" in str(caught.value)


@pytest.mark.parametrize("table", ["", "a;b\n1;2\n", "file_name,label\na.png,0\n", "\xff\n", "prompt\nx\n"])
def test_a_table_of_another_kind_does_not_stop_folders_that_say_it_all(table: str, tmp_path: Path) -> None:
    grow(tmp_path, LAYOUTS["real and fake"])
    (tmp_path / "metadata.csv").write_bytes(table.encode("latin-1"))
    card = open_card(layout_of(tmp_path), tmp_path)
    assert card.facts("fake/sdxl/b/a.jpg") is not None
    assert card.facts("real/a.jpg") is not None


def test_a_folder_that_fits_none_is_told_what_was_expected_and_found(tmp_path: Path) -> None:
    for name in ("people", "machines", "real"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (32, 32)).save(tmp_path / name / "a.png")
    card = layout_of(tmp_path)
    assert card.rules == usual_layout().rules
    with pytest.raises(DataError) as caught:
        scan(tmp_path, card, manifest_path=tmp_path / "m.csv", workers=1)
    assert f"expected {EXPECTED}; found machines/, people/, real/" in str(caught.value)


def test_two_folders_are_two_sources_and_an_old_manifest_keeps_its_own(tree: Path) -> None:
    card = layout_of(tree)
    assert card.name == source_of(tree) == "faces"
    path = tree.parent / "m.csv"
    frame = scan(tree, card, manifest_path=path, workers=1)[0].frame
    assert set(frame["source"]) == {"faces"}
    old = Manifest(frame.with_columns(source=pl.lit("usual-layout")), path.parent)
    write_manifest(old, path)
    again = scan(tree, layout_of(tree, old), manifest_path=path, previous=old, workers=1)[0]
    assert again.frame.equals(read_manifest(path).frame)


def test_train_and_val_are_shared_out_where_only_one_set_is_held_out(tree: Path) -> None:
    root = tree.parent / "split"
    for folder, words in (("train", ("real", "fake")), ("test", ("real", "fake"))):
        for word in words:
            (root / folder).mkdir(parents=True, exist_ok=True)
            pictures = sorted((tree / word).rglob("*.jpg"))
            (root / folder / word).mkdir()
            for number, picture in enumerate(pictures):
                if (number % 5 == 0) == (folder == "test"):
                    (root / folder / word / f"{number}.jpg").write_bytes(picture.read_bytes())
    frame = scan(root, layout_of(root), manifest_path=tree.parent / "m.csv", workers=1)[0].frame
    by_folder = {
        folder: set(frame.filter(pl.col("path").str.contains(f"/{folder}/"))["split"]) for folder in ("train", "test")
    }
    assert by_folder == {"train": {"train", "val"}, "test": {"test"}}


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (["train", "valid", "test"], {"train": "train", "valid": "val", "test": "test"}),
        (["Training", "dev"], {"Training": "train+val", "dev": "test"}),
        (["test", "val"], {}),
        (["train"], {}),
        (
            ["train-00000-of-00002", "test-00000-of-00001"],
            {"train-00000-of-00002": "train+val", "test-00000-of-00001": "test"},
        ),
    ],
)
def test_official_splits(words: list[str], meaning: dict[str, str]) -> None:
    assert official_splits(words) == meaning


@given(st.text(max_size=20))
def test_words_of_any_text_are_real_fake_or_nothing(text: str) -> None:
    assert label_of_word(text) in ("real", "fake", None)
    assert split_of_word(text) in ("train", "val", "test", None)


@pytest.mark.parametrize("word", ["0", "1", "realistic", "fakery", "surreal", "", "camera", "training"])
def test_other_words_are_no_class(word: str) -> None:
    assert label_of_word(word) is None
