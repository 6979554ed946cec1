"""Groups and splits: near-duplicates stay together, and nothing known ever moves."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from train.data.groups import MAX_DISTANCE, assign_groups, components, near_pairs, perceptual_hash
from train.data.splits import assign_splits, split_of

Draw = Callable[..., Image.Image]
BALANCED = 0x00000000FFFFFFFF


def flip(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


@given(
    seeds=st.lists(st.integers(0, 3), min_size=2, max_size=30),
    flips=st.lists(st.lists(st.integers(0, 63), max_size=6), min_size=30, max_size=30),
    distance=st.integers(0, 8),
)
def test_near_pairs_are_those_of_comparing_all(seeds: list[int], flips: list[list[int]], distance: int) -> None:
    values = [flip(BALANCED << (8 * seed), bits) for seed, bits in zip(seeds, flips, strict=False)]
    expected = [
        [a, b]
        for a in range(len(values))
        for b in range(a + 1, len(values))
        if (values[a] ^ values[b]).bit_count() <= distance
    ]
    assert near_pairs([f"{value:016x}" for value in values], distance).tolist() == expected


def test_flat_pictures_pair_with_nothing() -> None:
    hashes = [perceptual_hash(np.full((50, 50, 3), grey, np.uint8)) for grey in (0, 0, 128, 255)]
    assert near_pairs(hashes).tolist() == []


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
    pairs = near_pairs([perceptual_hash(np.asarray(picture)) for picture in pictures])
    assert pairs.tolist() == [[row, row + 20] for row in range(20)]


def test_components_join_pairs_and_keys() -> None:
    number = components(6, np.array([[0, 1]]), (["a", "b", "b", "c", "d", "d"], [None, None, None, None, "x", None]))
    assert number.tolist() == [0, 0, 0, 1, 2, 2]


def sha(number: int) -> str:
    return f"{number:064x}"


def test_groups_join_contents_near_duplicates_and_card_groups() -> None:
    far = [f"{flip(BALANCED, list(range(start, start + 8))):016x}" for start in (0, 16, 40)]
    near = f"{flip(int(far[0], 16), [60]):016x}"
    groups = assign_groups([sha(5), sha(9), sha(7), sha(8), sha(7)], [far[0], near, far[1], far[2], far[1]],
                           ["s:p", None, None, "s:p", None])  # fmt: skip
    assert groups == ["s:p", "s:p", sha(7)[:16], "s:p", sha(7)[:16]]


@given(order=st.permutations(range(12)), known=st.integers(0, 12))
def test_adding_pictures_never_moves_the_old_ones(order: list[int], known: int) -> None:
    # Chains of near-duplicates: picture n differs from n-1 in 3 bits, so a new one may bridge two old groups.
    hashes = [f"{flip(BALANCED, list(range(3 * n))):016x}" for n in range(12)]
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
    near = f"{flip(BALANCED, list(range(MAX_DISTANCE))):016x}"
    assert assign_groups([sha(9), sha(1)], [first, near], [None, None], {sha(9): "old"}) == ["old", "old"]


def test_split_shares_and_their_stability() -> None:
    found = [split_of(f"group {number}") for number in range(20_000)]
    for split, share in (("train", 0.70), ("val", 0.15), ("test", 0.15)):
        assert found.count(split) / 20_000 == pytest.approx(share, abs=0.01)
    # The rule itself is a promise: a manifest of last year must come out the same (printf split:NAME | sha256sum).
    names = ("a", "g", "ffhq:17", "p7", "p9", "p12")
    assert [split_of(name) for name in names] == ["train", "val", "train", "train", "train", "val"]


def test_official_splits_are_honoured_and_followed_by_their_group() -> None:
    splits = assign_splits(["g", "g", "h", "k"], ["test", None, None, "val"], {"h": "val"})
    assert splits == ["test", "test", "val", "val"]
