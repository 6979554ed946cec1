"""Cards: which file is what, and errors that name the key."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.common.errors import DataError
from train.data.cards.generators import family_of
from train.data.cards.globs import compile_glob, literal_start, words_of
from train.data.cards.reader import CardFacts, open_card, read_card, usual_layout

ROOT = Path(__file__).parents[4]
RULE = '[[rule]]\nglob = "real/**"\nlabel = "real"\n'
SKIP = '[[rule]]\nglob = "**"\nskip = "Why."\n'
TABLE = RULE + 'table = "t.csv"\n'
FIND = 'find = { name = "x" }\n'


def card_of(folder: Path, text: str) -> Path:
    path = folder / "my-set.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_usual_layout() -> None:
    card = usual_layout("mine")
    assert card.facts("real/a/b.jpg") == CardFacts("real", "camera", "camera", "mine", None, None)
    assert card.facts("fake/stylegan2/x/b.jpg") == CardFacts("fake", "stylegan2", "gan", "mine", None, None)
    assert card.facts("fake/My SDXL/b.jpg") == CardFacts("fake", "My SDXL", "diffusion", "mine", None, None)
    assert card.facts("fake/b.jpg") == CardFacts("fake", "unknown", "unknown", "mine", None, None)
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
    assert card.facts("test/faceswap/p17_2.png") == CardFacts(
        "fake", "faceswap", "edit", "set-faceswap", "test", "set-faceswap:17"
    )
    assert card.facts("test/faceswap/x17_2.png") == CardFacts("fake", "ddpm", "diffusion", "my-set", None, None)
    assert card.facts("a.png") == CardFacts("fake", "ddpm", "diffusion", "my-set", None, None)
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
        ('title = "T"\n' + RULE + 'group = "{"\n', "key 'group' has braces that are not a {word}"),
        ('title = "T"\n' + RULE.replace("real/**", "{a}/{a}"), "key 'glob' uses a {word} twice"),
        ('title = "T"\n' + RULE + 'group = ""\n', "key 'group' must be a text and not empty"),
        ('title = "T"\n' + RULE + 'group = "{a.b}"\n', "key 'group' has braces that are not a {word}"),
        ('title = "T"\n' + SKIP + 'label = "real"\n', "rule 1: unknown key 'label'; allowed are glob, skip"),
        ('title = "T"\n' + SKIP.replace("Why.", ""), "key 'skip' must be a text and not empty"),
        ('title = "T"\n' + RULE + FIND, "key 'find' needs a key 'table'"),
        ('title = "T"\n' + RULE + 'where = { a = "1" }\n', "key 'where' needs a key 'table'"),
        ('title = "T"\n' + TABLE, "key 'find' must say where"),
        ('title = "T"\n' + TABLE + 'find = { a = "1", b = "2" }\n', "key 'find' must say where"),
        ('title = "T"\n' + TABLE + 'find = { a = "{b}" }\n', "key 'find' has a {word} that its glob"),
        ('title = "T"\n' + TABLE.replace("t.csv", "{b}.csv") + FIND, "key 'table' has a {word} that its glob"),
        ('title = "T"\n' + TABLE + FIND + "where = { a = 1 }\n", "key 'where' needs a text or a list of texts for"),
        ('title = "T"\n' + TABLE + FIND + "where = { a = [] }\n", "key 'where' needs a text or a list of texts for"),
        ('title = "T"\n[expected]\nreal = 0\n' + RULE, "[expected] must give whole numbers from 1"),
        ('title = "T"\n[expected]\nreal = true\n' + RULE, "[expected] must give whole numbers from 1"),
        ('title = "T"\n[expected]\nfake = 1\n' + RULE, "[expected]: no rule gives 'fake' pictures"),
        ('title = "T"\n[expected]\nsdxl = 1\n' + RULE, "[expected]: no rule gives 'sdxl' pictures"),
        ('title = "T"\n[generators]\nA = 1\n' + RULE, "[generators] must give a name"),
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
     ("Midjourney v6", "diffusion"), ("FaceSwap", "edit"), ("foo", "unknown"), ("sd-1.5", "diffusion"),
     ("sd-inpainting", "edit"), ("dalle-3", "diffusion"), ("dalle-mini", "unknown"), ("flux.1-dev", "diffusion"),
     ("inswapper", "edit"), ("cips", "gan"), ("mat", "edit"), ("lama", "edit"), ("matisse", "unknown")],
)  # fmt: skip
def test_families(generator: str, family: str) -> None:
    assert family_of(generator, "fake") == family
    assert family_of(generator, "real") == "camera"


def test_skip_rules_leave_out_and_say_why(tmp_path: Path) -> None:
    skip = '[[rule]]\nglob = "real/drafts/**"\nskip = "Drafts."\n'
    card = read_card(card_of(tmp_path, 'title = "T"\n' + skip + RULE))
    assert (card.facts("real/drafts/a.jpg"), card.skip_reason("real/drafts/a.jpg")) == (None, "Drafts.")
    assert (card.facts("other/a.jpg"), card.skip_reason("other/a.jpg")) == (None, None)
    assert card.facts("real/a.jpg") is not None
    assert card.skip_reason("real/a.jpg") is None


def test_a_table_tells_what_the_path_does_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "t.csv").write_text(
        'file,kind,by,prompt\nx/1.jpg,0,,\nx/2.jpg,1,SDXL_base,"a hat, red"\nx/3.jpg,2,other,p\nx/4.jpg,9,other,p\n'
    )
    lookup = 'glob = "{set}/{picture**}"\ntable = "{set}/t.csv"\nfind = { file = "{picture}" }\n'
    card = open_card(
        read_card(
            card_of(
                tmp_path,
                'title = "T"\n[expected]\nsdxl = 1\n[generators]\nSDXL_base = "sdxl"\n'
                "[[rule]]\n" + lookup + 'where = { kind = "0" }\nlabel = "real"\n'
                "[[rule]]\n" + lookup + 'where = { kind = ["1", "2"] }\nlabel = "fake"\ngenerator = "{by}"\n'
                'source = "{set}"\ngroup = "{prompt}"\n'
                '[[rule]]\nglob = "**/5.jpg"\nlabel = "real"\nsource = "rest"\n',
            )
        ),
        tmp_path,
    )
    assert card.facts("a/x/1.jpg") == CardFacts("real", "camera", "camera", "my-set", None, None)
    assert card.facts("a/x/2.jpg") == CardFacts("fake", "sdxl", "diffusion", "a", None, "a:a hat, red")
    assert card.facts("a/x/3.jpg") == CardFacts("fake", "other", "unknown", "a", None, "a:p")
    assert card.facts("a/x/4.jpg") is None
    assert card.facts("a/x/5.jpg") == CardFacts("real", "camera", "camera", "rest", None, None)


def matches(glob: str, path: str) -> bool:
    """A glob without words, by its definition, one character after the other."""
    if not glob:
        return not path
    if glob.startswith("**/"):
        return matches(glob[3:], path) or any(matches(glob[3:], path[i + 1 :]) for i, c in enumerate(path) if c == "/")
    if glob.startswith("**"):
        return any(matches(glob[2:], path[i:]) for i in range(len(path) + 1))
    if glob.startswith("*"):
        return any(matches(glob[1:], path[i:]) for i in range(len(path) + 1) if "/" not in path[:i])
    if glob.startswith("?"):
        return bool(path) and path[0] != "/" and matches(glob[1:], path[1:])
    return bool(path) and path[0] == glob[0] and matches(glob[1:], path[1:])


GLOBS = st.lists(st.sampled_from(["**/", "**", "*", "?", "a", "b", "/", ".", "+", "("]), max_size=7).map("".join)
PATHS = st.text("ab/.+(\n", max_size=8)


@given(GLOBS, PATHS)
def test_globs_match_by_their_definition(glob: str, path: str) -> None:
    assert (compile_glob(glob).fullmatch(path) is not None) == matches(glob, path)


@given(GLOBS, PATHS)
def test_what_matches_starts_with_the_literal_start(glob: str, path: str) -> None:
    if compile_glob(glob).fullmatch(path):
        assert path.startswith(literal_start(glob))


NAMES = st.text("abc_.", min_size=1, max_size=4)


@given(NAMES, st.lists(NAMES, min_size=1, max_size=3).map("/".join), NAMES)
def test_words_put_back_into_the_glob_give_the_path(folder: str, inner: str, name: str) -> None:
    path = f"{folder}/{inner}/p_{name}.jpg"
    match = compile_glob("{folder}/{inner**}/p_{name}.jpg").fullmatch(path)
    assert match is not None
    words = match.groupdict()
    assert "{folder}/{inner}/p_{name}.jpg".format_map(words) == path
    assert "/" not in words["folder"] + words["name"]


@given(st.text("ab{}!:.[0", max_size=8))
def test_the_words_of_a_text_are_just_those_that_it_needs(text: str) -> None:
    try:
        words = words_of(text)
    except ValueError:
        return
    text.format_map(dict.fromkeys(words, "x"))
    for word in words:
        with pytest.raises(KeyError):
            text.format_map(dict.fromkeys(words - {word}, "x"))


@pytest.mark.parametrize("text", ["{", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:3}"])
def test_what_is_no_word_in_braces_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        words_of(text)


def test_attributes_are_words_of_the_path_and_of_the_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,tone\n1.jpg,V\n2.jpg,\n")
    text = (
        'title = "T"\n[[rule]]\nglob = "{camera}/{name}"\nlabel = "real"\ntable = "t.csv"\nfind = { file = "{name}" }\n'
        'attributes = { skin_tone = "{tone}", camera = "{camera}", year = "2024" }\n'
        '[[rule]]\nglob = "**"\nlabel = "real"\n'
    )
    (tmp_path / "card.toml").write_text(text)
    card = open_card(read_card(tmp_path / "card.toml"), tmp_path)
    first, second, other = (card.facts(f"leica/{name}") for name in ("1.jpg", "2.jpg", "3.jpg"))
    assert first is not None
    assert second is not None
    assert other is not None
    assert dict(first.attributes) == {"skin_tone": "V", "camera": "leica", "year": "2024"}
    assert dict(second.attributes)["skin_tone"] == ""
    assert other.attributes == ()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ('"tall"', "key 'attributes' must give names and texts"),
        ("{ age = 3 }", "key 'attributes' must give names and texts"),
        ('{ Age = "3" }', "'Age', which is not a valid attribute name"),
        ('{ label = "3" }', "'label', which is a name that the tables here use"),
        ('{ age = "{years}" }', "key 'attributes.age' has a {word} that its glob"),
    ],
)
def test_wrong_attributes_are_refused(tmp_path: Path, value: str, complaint: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(f'title = "T"\n[[rule]]\nglob = "**"\nlabel = "real"\nattributes = {value}\n')
    with pytest.raises(DataError) as caught:
        read_card(path)
    assert complaint in str(caught.value)
