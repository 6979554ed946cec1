"""Cards: which file is what, and errors that name the key."""

from pathlib import Path

import pytest

from train.data.cards import Facts, read_card, usual_layout
from train.data.errors import DataError
from train.data.generators import family_of

ROOT = Path(__file__).parents[3]
RULE = '[[rule]]\nglob = "real/**"\nlabel = "real"\n'


def card_of(folder: Path, text: str) -> Path:
    path = folder / "my-set.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_usual_layout() -> None:
    card = usual_layout("mine")
    assert card.facts("real/a/b.jpg") == Facts("real", "camera", "camera", "mine", None, None)
    assert card.facts("fake/stylegan2/x/b.jpg") == Facts("fake", "stylegan2", "gan", "mine", None, None)
    assert card.facts("fake/My SDXL/b.jpg") == Facts("fake", "My SDXL", "diffusion", "mine", None, None)
    assert card.facts("fake/b.jpg") == Facts("fake", "unknown", "unknown", "mine", None, None)
    assert card.facts("other/b.jpg") is None


def test_the_first_rule_that_matches_wins_and_words_are_put_in(tmp_path: Path) -> None:
    card = read_card(
        card_of(
            tmp_path,
            'title = "T"\n'
            '[[rule]]\nglob = "test/{model}/p{person}_*.png"\nlabel = "fake"\ngenerator = "{model}"\n'
            'split = "test"\ngroup = "{person}"\nsource = "set-{model}"\n'
            '[[rule]]\nglob = "**/*.p?g"\nlabel = "fake"\ngenerator = "ddpm"\n',
        )
    )
    assert card.facts("test/faceswap/p17_2.png") == Facts(
        "fake", "faceswap", "edit", "set-faceswap", "test", "set-faceswap:17"
    )
    assert card.facts("test/faceswap/x17_2.png") == Facts("fake", "ddpm", "diffusion", "my-set", None, None)
    assert card.facts("a.png") == Facts("fake", "ddpm", "diffusion", "my-set", None, None)
    assert card.facts("a.jpeg") is None
    assert card.facts("a.p/g") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "is not TOML"),
        ('title = "T"\n', "has no rule"),
        (RULE, "key 'title' must be a text and not empty"),
        ('titel = "T"\n' + RULE, "unknown key 'titel'"),
        ('title = "T"\n' + RULE + 'colour = "red"\n', "rule 1: unknown key 'colour'"),
        ('title = "T"\n' + RULE + RULE.replace('"real"', '"maybe"'), "rule 2: key 'label' must be one of real, fake"),
        ('title = "T"\n' + RULE.replace('"real"', '"fake"'), "key 'generator' is missing"),
        ('title = "T"\n[[rule]]\nlabel = "real"\n', "key 'glob'"),
        ('title = "T"\n' + RULE + 'family = "robot"\n', "key 'family' must be one of"),
        ('title = "T"\n' + RULE + 'split = "dev"\n', "key 'split' must be one of"),
        ('title = "T"\n' + RULE + 'group = "{person}"\n', "key 'group' has a {word} that its glob"),
        ('title = "T"\n' + RULE + 'group = "{"\n', "key 'group'"),
        ('title = "T"\n' + RULE.replace("real/**", "{a}/{a}"), "key 'glob' uses a {word} twice"),
        ('title = "T"\n' + RULE + '[get]\nkind = "ftp"\n', "[get]: key 'kind' must be one of kaggle"),
        ('title = "T"\n' + RULE + '[get]\nkind = "kaggle"\n', "[get]: key 'handle'"),
        ('title = "T"\n' + RULE + '[get]\nkind = "archive"\nurl = "https://x"\nsha256 = "1"\n', "key 'sha256' must"),
        ('title = "T"\n' + RULE + '[get]\nkind = "by-hand"\nmirror = "x"\n', "[get]: unknown key 'mirror'"),
    ],
)
def test_a_wrong_card_names_the_file_and_the_key(tmp_path: Path, text: str, complaint: str) -> None:
    path = card_of(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_card(path)
    assert str(caught.value).startswith(str(path))
    assert complaint in str(caught.value)


def test_missing_card_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(DataError, match=str(path)):
            read_card(path)


@pytest.mark.parametrize("path", sorted([*(ROOT / "datasets").glob("*.toml"), *(ROOT / "tests/cards").glob("*.toml")]))
def test_every_card_of_the_project_reads(path: Path) -> None:
    card = read_card(path)
    assert card.name == path.stem
    assert card.licence


@pytest.mark.parametrize(
    ("generator", "family"),
    [("StyleGAN2", "gan"), ("gan-like", "gan"), ("sd-2.1", "diffusion"), ("diffusion-like", "diffusion"),
     ("Midjourney v6", "diffusion"), ("FaceSwap", "edit"), ("foo", "unknown")],
)  # fmt: skip
def test_families(generator: str, family: str) -> None:
    assert family_of(generator, "fake") == family
    assert family_of(generator, "real") == "camera"
