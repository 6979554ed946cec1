"""Every shipped card against a miniature of its dataset, laid out as its source publishes it."""

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from rich.console import Console

from tests.train.data.cards.face_set_layouts import FACE_SETS, Layout, fake, real
from train.common.errors import DataError
from train.data.cards.expected_counts import compare_counts
from train.data.cards.reader import Rule, open_card, read_card
from train.data.cards.registry import card_rows, card_table, find_card, shipped_cards
from train.data.manifest import LABELS
from train.data.scan.scan import scan

DATASETS = Path(__file__).parents[4] / "datasets"
NAMES = sorted(path.stem for path in DATASETS.glob("*.toml"))


ARTIFACT_HEADER = ["", "filename", "image_path", "target", "category"]
SFHQ_HEADER = ["image_filename", "model_used", "text_prompt", "configs"]
LONG_PROMPT = 'A photo of a person, "laughing", at dusk,\n' + "with very long hair, " * 10

LAYOUTS = {
    "xhlulu-140k": Layout(
        {
            "real_vs_fake/real-vs-fake/train/real/31355.jpg": real("xhlulu-140k", "train"),
            "real_vs_fake/real-vs-fake/train/fake/0A0IAK9X2W.jpg": fake("xhlulu-140k", "stylegan", "gan", "train"),
            "real_vs_fake/real-vs-fake/valid/real/33286.jpg": real("xhlulu-140k", "val"),
            "real_vs_fake/real-vs-fake/valid/fake/007SMMOPYB.jpg": fake("xhlulu-140k", "stylegan", "gan", "val"),
            "real_vs_fake/real-vs-fake/test/real/00001.jpg": real("xhlulu-140k", "test"),
            "real_vs_fake/real-vs-fake/test/fake/0BI6V9VNPK.jpg": fake("xhlulu-140k", "stylegan", "gan", "test"),
        },
        {"train.csv": [["", "original_path", "id", "label", "label_str", "path"]]},
        unnamed=("real_vs_fake/real-vs-fake/real/1.jpg", "train/real/1.jpg"),
    ),
    "tobecwb-sd-faces": Layout(
        {
            "512/man/man_0001.jpg": fake("tobecwb-sd-faces", "sd-1.5", "diffusion"),
            "768/woman/woman_0001.jpg": fake("tobecwb-sd-faces", "sd-2.1", "diffusion"),
            "stable-diffusion-face-dataset/1024/man/man_0002.jpg": fake("tobecwb-sd-faces", "sdxl", "diffusion"),
        },
        skipped=("sample.jpg",),
        unnamed=("256/man/man_0001.jpg",),
    ),
    "bwandowando-sd14": Layout(
        {
            "Training/Female/0001.jpg": fake("bwandowando-sd14", "sd-1.4", "diffusion"),
            "Training/Male/0001.png": fake("bwandowando-sd14", "sd-1.4", "diffusion"),
        }
    ),
    "lfw-people": Layout(
        {
            "lfw_funneled/Aaron_Eckhart/Aaron_Eckhart_0001.jpg": real("lfw-people", group="lfw-people:Aaron_Eckhart"),
            "lfw_funneled/Abdullah/Abdullah_0001.jpg": real("lfw-people", group="lfw-people:Abdullah"),
            "lfw-funneled/lfw_funneled/Abdullah/Abdullah_0002.jpg": real("lfw-people", group="lfw-people:Abdullah"),
        },
        unnamed=("lfw_funneled/stray.jpg",),
    ),
    "ciplab-real-fake": Layout(
        {
            "real_and_fake_face/training_real/real_00001.jpg": real("ciplab-real-fake"),
            "real_and_fake_face/training_fake/easy_100_1111.jpg": fake("ciplab-real-fake", "photoshop-easy", "edit"),
            "real_and_fake_face/training_fake/mid_473_0011.jpg": fake("ciplab-real-fake", "photoshop-mid", "edit"),
            "real_and_fake_face/training_fake/hard_7_1010.jpg": fake("ciplab-real-fake", "photoshop-hard", "edit"),
        },
        skipped=(
            "real_and_fake_face_detection/real_and_fake_face/training_real/real_00001.jpg",
            "real_and_fake_face_detection/real_and_fake_face/training_fake/easy_100_1111.jpg",
        ),
        unnamed=("real_and_fake_face/training_fake/easy_100.jpg", "real_and_fake_face/training_real/easy_1_1111.jpg"),
    ),
    "mattop-dalle-mini": Layout(
        {
            "cats/cat1.jpg": fake("mattop-dalle-mini", "dalle-mini", "unknown"),
            "dogs/dog1.jpg": fake("mattop-dalle-mini", "dalle-mini", "unknown"),
        }
    ),
    "undersc0re-fake-real": Layout(
        {
            "train/real/1.jpg": real("undersc0re-fake-real"),
            "train/fake/1.jpg": fake("undersc0re-fake-real", "unknown-gan", "gan"),
        },
        {"test/y_labels.csv": [["labels"], ["0"]]},
        skipped=("test/1.jpg",),
        unnamed=("train/1.jpg",),
    ),
    "hard-fake-real": Layout(
        {
            "real/real_1.jpg": real("hard-fake-real"),
            "fake/fake_1.jpg": fake("hard-fake-real", "stylegan2", "gan"),
        },
        {"data.csv": [["images_id", "label"], ["real_1", "real"], ["fake_1", "fake"]]},
        unnamed=("other/1.jpg",),
    ),
    "artifact": Layout(
        {
            "celebahq/celebahq/data/img000001.jpg": real("artifact-celebahq"),
            "ffhq/ffhq/images/img000002.jpg": real("artifact-ffhq"),
            "cycle_gan/st/apple/img000001.jpg": fake("artifact-cycle_gan", "cyclegan", "gan"),
            "cycle_gan/st/photo/img000002.jpg": real("artifact-cycle_gan"),
            "stylegan1/sg1/img000001.jpg": fake("artifact-stylegan1", "stylegan", "gan"),
            "stylegan2/ffhq-part1/img000001.jpg": fake("artifact-stylegan2", "stylegan2", "gan"),
            "cips/cips/img000001.jpg": fake("artifact-cips", "cips", "gan"),
            "stable_diffusion/stable-face/Male/img000001.jpg": fake(
                "artifact-stable_diffusion", "stable-diffusion", "diffusion"
            ),
            "palette/palette/img000001.jpg": fake("artifact-palette", "palette", "diffusion"),
            "ddpm/ddpm/img000001.jpg": fake("artifact-ddpm", "ddpm", "diffusion"),
            "generative_inpainting/gc-in/img000001.jpg": fake(
                "artifact-generative_inpainting", "generative-inpainting", "edit"
            ),
            "lama/lama/img000001.jpg": fake("artifact-lama", "lama", "edit"),
            "mat/mat/img000001.jpg": fake("artifact-mat", "mat", "edit"),
            "sfhq/sfhq/img000001.jpg": fake("artifact-sfhq", "stylegan2-e4e", "gan"),
            "taming_transformer/tt-ffhq/img000001.jpg": fake(
                "artifact-taming_transformer", "taming-transformer", "unknown"
            ),
            "face_synthetics/facesyn/img000001.jpg": fake("artifact-face_synthetics", "face-synthetics", "unknown"),
        },
        {
            f"{folder}/metadata.csv": [ARTIFACT_HEADER, *rows]
            for folder, rows in {
                "celebahq": [["0", "img000001.jpg", "celebahq/data/img000001.jpg", "0", "human"]],
                "ffhq": [
                    ["0", "img000002.jpg", "ffhq/images/img000002.jpg", "0", "human"],
                    ["1", "img000009.jpg", "ffhq/images/img000009.jpg", "9", "human"],
                ],
                "cycle_gan": [
                    ["0", "img000001.jpg", "st/apple/img000001.jpg", "1", "apple"],
                    ["1", "img000002.jpg", "st/photo/img000002.jpg", "0", "photo"],
                ],
                "stylegan1": [["0", "img000001.jpg", "sg1/img000001.jpg", "1", "human"]],
                "stylegan2": [["0", "img000001.jpg", "ffhq-part1/img000001.jpg", "2", "human"]],
                "cips": [["0", "img000001.jpg", "cips/img000001.jpg", "3", "human"]],
                "stable_diffusion": [["0", "img000001.jpg", "stable-face/Male/img000001.jpg", "4", "human"]],
                "palette": [["0", "img000001.jpg", "palette/img000001.jpg", "5", "place"]],
                "ddpm": [["0", "img000001.jpg", "ddpm/img000001.jpg", "6", "bedroom"]],
                "generative_inpainting": [["0", "img000001.jpg", "gc-in/img000001.jpg", "6", "place"]],
                "lama": [["0", "img000001.jpg", "lama/img000001.jpg", "6", "place"]],
                "mat": [["0", "img000001.jpg", "mat/img000001.jpg", "6", "human"]],
                "sfhq": [["0", "img000001.jpg", "sfhq/img000001.jpg", "6", "human"]],
                "taming_transformer": [["0", "img000001.jpg", "tt-ffhq/img000001.jpg", "6", "human"]],
                "face_synthetics": [["0", "img000001.jpg", "facesyn/img000001.jpg", "6", "human"]],
            }.items()
        },
        unnamed=("ffhq/ffhq/images/not-in-the-table.jpg", "ffhq/ffhq/images/img000009.jpg"),
    ),
    "ffhq-thumbnails": Layout(
        {
            "thumbnails128x128/00000.png": real("ffhq-thumbnails"),
            "thumbnails128x128/00000/00007.png": real("ffhq-thumbnails"),
            "ffhq/thumbnails128x128/69000/69999.png": real("ffhq-thumbnails"),
        },
        unnamed=("images1024x1024/00000.png",),
    ),
    "deepfakeface": Layout(
        {
            "wiki/00/10049200_1891-09-16_1958.jpg": real("deepfakeface", group="deepfakeface:10049200"),
            "wiki/wiki/00/10049200_1891-09-16_1960.jpg": real("deepfakeface", group="deepfakeface:10049200"),
            "inpainting/00/10049200_1891-09-16_1958.jpg": fake(
                "deepfakeface", "sd-inpainting", "edit", group="deepfakeface:10049200"
            ),
            "insight/01/20_1990-05-05_2015.jpg": fake("deepfakeface", "inswapper", "edit", group="deepfakeface:20"),
            "text2img/01/20_1990-05-05_2015.jpg": fake("deepfakeface", "sd-1.5", "diffusion", group="deepfakeface:20"),
        },
        skipped=("docs/images/compare.jpg",),
        unnamed=("00/10049200_1891-09-16_1958.jpg",),
    ),
    "sfhq-t2i": Layout(
        {
            "images/images/FLUX1_pro_image_0000001.jpg": fake(
                "sfhq-t2i", "flux.1-pro", "diffusion", group="sfhq-t2i:a man, smiling"
            ),
            "images/images/FLUX1_dev_image_0000001.jpg": fake(
                "sfhq-t2i", "flux.1-dev", "diffusion", group="sfhq-t2i:a man, smiling"
            ),
            "images/images/FLUX1_schnell_image_0000001.jpg": fake(
                "sfhq-t2i", "flux.1-schnell", "diffusion", group="sfhq-t2i:a child"
            ),
            # sha256 of LONG_PROMPT, by sha256sum.
            "images/images/SDXL_image_0000001.jpg": fake(
                "sfhq-t2i", "sdxl", "diffusion", group="sfhq-t2i:b613971446b4bc76"
            ),
            "DALLE3_image_0000001.jpg": fake("sfhq-t2i", "dalle-3", "diffusion", group="sfhq-t2i:a woman"),
        },
        {
            "SFHQ_T2I_dataset.csv": [
                SFHQ_HEADER,
                ["FLUX1_pro_image_0000001.jpg", "FLUX1_pro", "a man, smiling", "{}"],
                ["FLUX1_dev_image_0000001.jpg", "FLUX1_dev", "a man, smiling", "{}"],
                ["FLUX1_schnell_image_0000001.jpg", "FLUX1_schnell", "a child", "{}"],
                ["SDXL_image_0000001.jpg", "SDXL", LONG_PROMPT, "{}"],
                ["DALLE3_image_0000001.jpg", "DALLE3", "a woman", "{}"],
            ]
        },
        unnamed=("images/images/SDXL_image_9999999.jpg",),
    ),
    "sdfd": Layout(
        {
            "allImages/anB-107,3.jpg": fake("sdfd", "sd-2.1", "diffusion"),
            "SDFD/allImages/anM-109,13.jpg": fake("sdfd", "sd-2.1", "diffusion"),
        },
        {"finalPrompts.csv": [["anB-107,3", "Black, wearing cap, androgynous person", "4.78", "3"]]},
        skipped=("examplesSDFD.png",),
        unnamed=("anB-107,3.jpg",),
    ),
    "drawn-sample": Layout(
        {
            "real/0000.jpg": real("drawn-sample"),
            "fake/gan-like/0000.jpg": fake("drawn-sample", "gan-like", "gan"),
            "fake/diffusion-like/0000.jpg": fake("drawn-sample", "diffusion-like", "diffusion"),
        },
        unnamed=("fake/0000.jpg",),
    ),
    **FACE_SETS,
}


def build(layout: Layout, folder: Path) -> None:
    rng = np.random.default_rng(7)
    for path in (*layout.pictures, *layout.skipped, *layout.unnamed):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (9, 9, 3)).astype(np.uint8))
        small.resize((72, 72), Image.Resampling.BICUBIC).save(folder / path)
    for name, rows in layout.tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def test_every_shipped_card_has_a_layout() -> None:
    assert sorted(LAYOUTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_each_path_of_its_layout_is(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    build(layout, tmp_path)
    card = open_card(find_card(name), tmp_path)
    assert {path: card.facts(path) for path in layout.pictures} == layout.pictures
    for path in layout.skipped:
        assert (card.facts(path), card.skip_reason(path) is None) == (None, False), path
    for path in (*layout.unnamed, *layout.pictures):
        assert card.skip_reason(path) is None, path
    assert [card.facts(path) for path in layout.unnamed] == [None] * len(layout.unnamed)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_and_translation_of_a_card_is_needed_by_its_layout(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    build(layout, tmp_path)
    whole = find_card(name)
    paths = [*layout.pictures, *layout.skipped]
    for number in range(len(whole.rules)):
        card = open_card(replace(whole, rules=whole.rules[:number] + whole.rules[number + 1 :]), tmp_path)
        told = {path: card.facts(path) or card.skip_reason(path) for path in paths}
        before = open_card(whole, tmp_path)
        assert told != {path: before.facts(path) or before.skip_reason(path) for path in paths}, f"rule {number + 1}"


@pytest.mark.parametrize("name", NAMES)
def test_a_scan_of_the_layout_gives_the_rows_and_counts(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    folder = tmp_path / "set"
    build(layout, folder)
    card = find_card(name)
    # A set of one class is scanned beside one picture of the other.
    missing = [label for label in LABELS if all(facts.label != label for facts in layout.pictures.values())]
    for label in missing:
        build(Layout({f"companion/{label}.jpg": real("companion")}), folder)
    companions = tuple(Rule(f"companion/{label}.jpg", label, "none") for label in missing)
    whole = open_card(replace(card, rules=companions + card.rules), folder)
    manifest, _ = scan(folder, whole, manifest_path=folder / "m.csv")
    frame = manifest.frame.filter(~pl.col("path").str.starts_with("companion/"))
    rows = {row["path"]: row for row in frame.iter_rows(named=True)}
    assert sorted(rows) == sorted(layout.pictures)
    for path, facts in layout.pictures.items():
        row = rows[path]
        assert (row["label"], row["generator"], row["family"], row["source"]) == (
            facts.label,
            facts.generator,
            facts.family,
            facts.source,
        )
        assert facts.split in (None, row["split"]) or (facts.split, row["split"] == "test") == ("train+val", False)
        assert facts.group in (None, row["group"])
    alone = [row["group"] for path, row in rows.items() if layout.pictures[path].group is None]
    assert len(set(alone)) == len(alone)

    counts = Counter(facts.label for facts in layout.pictures.values())
    counts += Counter(facts.generator for facts in layout.pictures.values())
    assert compare_counts(card.name, {key: counts[key] for key in card.expected}, frame) == ()
    told = compare_counts(card.name, card.expected, frame)
    assert [sentence.split(" promises ")[0] for sentence in told] == [name] * len(card.expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_tells_what_one_must_know(name: str) -> None:
    card = find_card(name)
    assert card.licence
    assert card.citation
    if name != "drawn-sample":
        assert card.homepage.startswith("http")
        assert card.get.handle or card.get.note
    text = (DATASETS / f"{name}.toml").read_text("utf-8")
    opening = text.split("title =")[0].splitlines()
    assert len(opening) >= 2
    assert all(line.startswith("# ") for line in opening)
    assert "confirmed" in text or "Layout:" in text or "Counts" in text
    assert f"`{name}`" in (DATASETS / "README.md").read_text("utf-8")


def test_promised_counts_are_told_in_sentences() -> None:
    expected = {"real": 3, "fake": 1, "stylegan": 70000}
    frame = pl.DataFrame({"label": ["real", "real", "fake"], "generator": ["camera", "camera", "stylegan"]})
    assert compare_counts("xhlulu-140k", expected, frame) == (
        "xhlulu-140k promises 3 real pictures, the manifest has 2.",
        "xhlulu-140k promises 70,000 stylegan pictures, the manifest has 1.",
    )


def test_a_card_is_found_by_name_or_path_and_a_misspelt_one_gets_near_matches(tmp_path: Path) -> None:
    assert find_card("xhlulu-140k") is find_card("xhlulu-140k")
    assert find_card(DATASETS / "sdfd.toml") == find_card("sdfd")
    for wrong, near in (
        ("xhlulu", "did you mean xhlulu-140k"),
        ("SFHQ-T2", "did you mean sfhq-t2i"),
        ("?", "artifact"),
    ):
        with pytest.raises(DataError, match=f"No dataset card is named .*{near}"):
            find_card(wrong)
    with pytest.raises(DataError, match="does not exist"):
        find_card(str(tmp_path / "mine.toml"))


def test_the_list_has_a_row_for_every_card() -> None:
    rows = {row.name: row for row in card_rows(shipped_cards())}
    assert sorted(rows) == NAMES
    assert (rows["xhlulu-140k"].real, rows["xhlulu-140k"].fake) == (70000, 70000)
    assert (rows["deepfakeface"].real, rows["deepfakeface"].fake) == (30000, 90000)
    assert (rows["lfw-people"].real, rows["lfw-people"].fake) == (13233, 0)
    assert rows["tobecwb-sd-faces"].fake is None
    assert rows["sfhq-t2i"].generators == ("dalle-3", "flux.1-dev", "flux.1-pro", "flux.1-schnell", "sdxl")
    assert rows["artifact"].get == "kaggle awsaf49/artifact-dataset"
    screen = io.StringIO()
    Console(file=screen, width=200).print(card_table(rows.values()))
    for name in NAMES:
        assert name in screen.getvalue()


def test_published_counts_by_generator_add_up() -> None:
    for card in shipped_cards():
        parts = [count for name, count in card.expected.items() if name not in LABELS]
        if parts and "fake" in card.expected:
            assert sum(parts) == card.expected["fake"], card.name


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        (None, "metadata.csv does not exist"),
        ("image_path,goal\na.jpg,0\n", "has no column 'target', only image_path, goal"),
        ("image_path,target\na.jpg,0\na.jpg,1\n", "two rows for 'a.jpg'"),
        ("", "metadata.csv is empty"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(tmp_path: Path, metadata: str | None, complaint: str) -> None:
    (tmp_path / "ffhq").mkdir()
    if metadata is not None:
        (tmp_path / "ffhq" / "metadata.csv").write_text(metadata, "utf-8")
    card = open_card(find_card("artifact"), tmp_path)
    with pytest.raises(DataError) as caught:
        card.facts("ffhq/a.jpg")
    assert complaint in str(caught.value)
    assert str(tmp_path / "ffhq" / "metadata.csv") in str(caught.value)


def test_a_card_with_tables_must_be_opened() -> None:
    with pytest.raises(DataError, match="open it with the dataset's folder"):
        read_card(DATASETS / "artifact.toml").facts("ffhq/a.jpg")


def test_a_table_is_read_once(tmp_path: Path) -> None:
    table = tmp_path / "SFHQ_T2I_dataset.csv"
    table.write_text("image_filename,model_used,text_prompt\na.jpg,SDXL,p\nb.jpg,SDXL,p\n", "utf-8")
    card = open_card(find_card("sfhq-t2i"), tmp_path)
    first = card.facts("images/a.jpg")
    table.unlink()
    assert card.facts("images/images/b.jpg") == first
