"""Groups: near-duplicates stay together, and nothing known is renamed."""

import io
import random
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from train.common.errors import DataError
from train.data.groups import MAX_DISTANCE, assign_groups, components, merge_groups, near_links, near_pairs
from train.data.scan.phash import perceptual_hash
from train.data.splits import assign_splits

Draw = Callable[..., Image.Image]
BALANCED = 0x00000000FFFFFFFF


def flip(value: int, bits: Sequence[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


def hexes(values: Sequence[int]) -> list[str]:
    return [f"{value:016x}" for value in values]


def sha(number: int) -> str:
    return f"{number:064x}"


def all_close(values: Sequence[int], distance: int) -> list[list[int]]:
    return [[a, b] for a, b in combinations(range(len(values)), 2) if (values[a] ^ values[b]).bit_count() <= distance]


def parts(count: int, pairs: Sequence[Sequence[int]]) -> list[int]:
    """The smallest row that each row is connected with, the slow way."""
    found = list(range(count))
    while True:
        before = list(found)
        for a, b in pairs:
            found[a] = found[b] = min(found[a], found[b])
        if found == before:
            return found


CLUSTERS = st.lists(
    st.builds(
        lambda seed, bits: flip(BALANCED << (8 * seed), bits),
        st.integers(0, 3),
        st.lists(st.integers(0, 63), max_size=6),
    ),
    max_size=30,
)


@given(values=CLUSTERS, distance=st.integers(0, 8))
def test_near_pairs_are_those_of_comparing_all(values: list[int], distance: int) -> None:
    assert near_pairs(hexes(values), distance).tolist() == all_close(values, distance)


@given(values=CLUSTERS, distance=st.integers(0, 15))
def test_near_links_connect_the_same_with_fewer(values: list[int], distance: int) -> None:
    links, pairs = near_links(hexes(values), distance).tolist(), all_close(values, distance)
    assert all(link in pairs for link in links)
    assert links == sorted(links)
    assert parts(len(values), links) == parts(len(values), pairs)
    assert len(links) == len(values) - len(set(parts(len(values), pairs)))


def test_near_pairs_of_many_hashes_like_those_of_faces() -> None:
    # Variants of a few hashes, so that many bands are shared by hashes that are not near.
    rng = np.random.default_rng(0)
    parents = [flip(BALANCED, rng.integers(0, 64, 12).tolist()) for _ in range(40)]
    values = [flip(parents[row % 40], rng.integers(0, 64, rng.integers(0, 9)).tolist()) for row in range(3000)]
    values = [value for value in values if 24 <= value.bit_count() <= 40]
    hashes = np.array(values, np.uint64)
    expected = np.argwhere(np.triu(np.bitwise_count(hashes[:, None] ^ hashes) <= MAX_DISTANCE, 1))
    assert len(expected) > 1000
    assert np.array_equal(near_pairs(pl.Series(hexes(values))), expected)


def test_a_dense_cluster_needs_few_links() -> None:
    # 8 million pairs, most of them near.
    rng = random.Random(0)
    values = [flip(BALANCED, rng.sample(range(64), rng.randrange(4))) for _ in range(4000)]
    assert len(near_links(hexes(values))) == 3999


def test_more_pairs_than_memory_should_hold_are_refused() -> None:
    with pytest.raises(DataError, match="remove copies first"):
        near_pairs(hexes([BALANCED] * 6000))


def test_flat_pictures_pair_with_nothing() -> None:
    flat = ["0000000000000000", "0000000000000000", "8000000000000000", "ffffffffffffffff", "ffffffffffffffff"]
    assert near_pairs(flat).tolist() == []
    assert near_links(flat).tolist() == []


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


@pytest.mark.parametrize(
    "change",
    [
        lambda image: jpeg(image, 30),
        lambda image: image.resize((64, 64), Image.Resampling.BILINEAR),
        lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        lambda image: image.convert("L").convert("RGB"),
    ],
    ids=["jpeg", "resize", "blur", "brightness", "grey"],
)
def test_changed_copies_are_near_and_others_are_not(draw: Draw, change: Callable[[Image.Image], Image.Image]) -> None:
    originals = [draw(seed, 160, 160) for seed in range(20)]
    pictures = originals + [change(image) for image in originals]
    hashes = [perceptual_hash(picture.convert("L"), (0, 0, *picture.size), 1) for picture in pictures]
    assert near_pairs(hashes).tolist() == [[row, row + 20] for row in range(20)]


def test_components_join_pairs_and_keys() -> None:
    number = components(6, np.array([[0, 1]]), (["a", "b", "b", "c", "d", "d"], [None, None, None, None, "x", None]))
    assert number.tolist() == [0, 0, 0, 1, 2, 2]


def test_groups_join_contents_near_duplicates_and_card_groups() -> None:
    far = hexes([flip(BALANCED, range(start, start + 8)) for start in (0, 16, 40)])
    near = f"{flip(int(far[0], 16), [60]):016x}"
    groups = assign_groups([sha(5), sha(9), sha(7), sha(8), sha(7)], [far[0], near, far[1], far[2], far[1]],
                           ["s:p", None, None, "s:p", None])  # fmt: skip
    assert groups == ["s:p", "s:p", sha(7)[:16], "s:p", sha(7)[:16]]


@given(
    contents=st.lists(st.integers(0, 20), max_size=25),
    values=st.lists(CLUSTERS.filter(bool).map(lambda values: values[0]), min_size=21, max_size=21),
    cards=st.lists(st.sampled_from([None, None, None, "s:p", "s:q", "Ω:ß"]), min_size=25, max_size=25),
    known=st.dictionaries(st.integers(0, 20), st.sampled_from(["old", "older", "0" * 16]), max_size=5),
)
def test_groups_are_named_as_promised(
    contents: list[int], values: list[int], cards: list[str | None], known: dict[int, str]
) -> None:
    hashes, cards = [values[content] for content in contents], cards[: len(contents)]
    same = [
        (a, b)
        for a, b in combinations(range(len(contents)), 2)
        if contents[a] == contents[b] or (cards[a] is not None and cards[a] == cards[b])
    ]
    number = parts(len(contents), [*all_close(hashes, MAX_DISTANCE), *same])
    expected = []
    for row, content in enumerate(contents):
        rows = [other for other in range(len(contents)) if number[other] == number[row]]
        old = [known[contents[other]] for other in rows if contents[other] in known]
        given = [card for other in rows if (card := cards[other]) is not None]
        own = min(sha(contents[other]) for other in rows)[:16]
        expected.append(known.get(content) or min(old or given or [own]))
    before = {sha(content): group for content, group in known.items()}
    assert assign_groups([sha(content) for content in contents], hexes(hashes), cards, before) == expected


@given(order=st.permutations(range(12)), known=st.integers(0, 12))
def test_adding_pictures_never_moves_the_old_ones(order: list[int], known: int) -> None:
    # Chains of near-duplicates: picture n differs from n-1 in 3 bits, so a new one may bridge two old groups.
    hashes = hexes([flip(BALANCED, range(3 * n)) for n in range(12)])
    old = order[:known]
    groups = assign_groups([sha(n) for n in old], [hashes[n] for n in old], [None] * known)
    splits = assign_splits(groups, [None] * known)
    before = {sha(n): group for n, group in zip(old, groups, strict=True)}
    after = assign_groups([sha(n) for n in order], [hashes[n] for n in order], [None] * 12, before)
    assert after[:known] == groups
    known_splits = dict(zip(groups, splits, strict=True))
    assert assign_splits(after, [None] * 12, known_splits)[:known] == splits
    if known:
        assert set(after) <= set(groups) | {sha(n)[:16] for n in order[known:]}


def test_a_new_near_duplicate_joins_a_known_group() -> None:
    first = f"{BALANCED:016x}"
    near = f"{flip(BALANCED, range(MAX_DISTANCE)):016x}"
    assert assign_groups([sha(9), sha(1)], [first, near], [None, None], {sha(9): "old"}) == ["old", "old"]


def test_a_merged_group_keeps_the_name_that_a_card_gave() -> None:
    groups = ["0" * 16, "s:b", "s:a", "f" * 16, "e" * 16, "s:c"]
    merged = merge_groups(groups, np.array([[0, 1], [1, 2]]), [["1", "2", "3", "4", "4", "6"]])
    assert merged.to_list() == ["s:a", "s:a", "s:a", "e" * 16, "e" * 16, "s:c"]
