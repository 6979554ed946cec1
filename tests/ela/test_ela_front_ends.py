"""The one string that names a front end: it round-trips, and nonsense is named."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ela.front_ends import parse_front_end
from ela.reference import error_level
from ela.setting import Ela
from train.common.errors import ElaError


@pytest.mark.parametrize(
    "text, canonical, channels",
    [
        ("rgb", "rgb", 3),
        ("ela", "ela(90,420,x15)", 3),
        ("ela()", "ela(90,420,x15)", 3),
        ("ela(75)", "ela(75,420,x15)", 3),
        ("ela(444)", "ela(90,444,x15)", 3),
        (" ela( x20, 444 , 95 ) ", "ela(95,444,x20)", 3),
        ("rgb+ela", "rgb+ela(90,420,x15)", 6),
        ("npr", "npr(x2)", 3),
        ("srm( x8 )", "srm(x8)", 3),
        ("rgb+npr+srm", "rgb+npr(x2)+srm(x4)", 9),
        ("ela(90)+ela(75)", "ela(90,420,x15)+ela(75,420,x15)", 6),
    ],
)
def test_texts_become_canonical(text: str, canonical: str, channels: int) -> None:
    front = parse_front_end(text)
    assert (front.text, front.channels) == (canonical, channels)
    assert parse_front_end(front.text) == front


@given(
    st.integers(1, 100).map(str),
    st.sampled_from(["420", "444"]),
    st.integers(1, 255).map("x{}".format),
    st.randoms(use_true_random=False),
)
def test_options_may_come_in_any_order(quality: str, sampling: str, gain: str, random: object) -> None:
    options = [quality, sampling, gain]
    random.shuffle(options)  # type: ignore[attr-defined]
    assert parse_front_end(f"ela({','.join(options)})").text == f"ela({quality},{sampling},{gain})"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "Front end '' is not known: give one of rgb, ela, npr, srm"),
        ("dct", "Front end 'dct' is not known"),
        ("ela(90", "is not known"),
        ("rgb+", "is not known"),
        ("rgb(3)", r"rgb takes no options: remove \(3\)"),
        ("ela(0)", "quality 0 is out of range: give a whole number from 1 to 100"),
        ("ela(101)", "quality 101 is out of range"),
        ("ela(x0)", "gain x0 is out of range: give x1 to x255"),
        ("ela(x256)", "gain x256"),
        ("ela(422)", "quality 422 is out of range"),
        ("ela(best)", "option 'best' is not known: write e.g. ela"),
        ("ela(90,)", "option '' is not known"),
        ("ela(90,80)", "option '80' gives the quality twice"),
        ("ela(420,444)", "option '444' gives the sampling twice"),
        ("npr(3)", r"npr takes one option, a gain: write e.g. npr\(x2\)"),
        ("srm(x1,x2)", "srm takes one option"),
        ("srm(x65)", "gain x65 of srm is out of range: give x1 to x64"),
    ],
)
def test_nonsense_is_named(text: str, message: str) -> None:
    with pytest.raises(ElaError, match=message):
        parse_front_end(text)


def test_a_setting_names_an_unknown_sampling() -> None:
    with pytest.raises(ElaError, match="sampling '422' is not known: give 420 or 444"):
        Ela(sampling="422")


@pytest.mark.parametrize(
    "text, good, bad",
    [("ela", 112, 104), ("ela(444)", 104, 100), ("rgb+ela", 16, 8), ("rgb", 7, 0), ("npr", 10, 11), ("srm", 5, 4)],
)
def test_sizes_are_checked(text: str, good: int, bad: int) -> None:
    front = parse_front_end(text)
    front.check_size(good)
    with pytest.raises(ElaError, match=f"A view of {bad} pixels"):
        front.check_size(bad)


def test_planes_stand_side_by_side_in_the_order_of_the_text() -> None:
    views = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    planes = parse_front_end("rgb+ela(80)").planes(views)
    np.testing.assert_array_equal(planes[..., :3], views)
    np.testing.assert_array_equal(planes[1, ..., 3:], error_level(views[1], Ela(quality=80)))


def test_planes_want_a_batch() -> None:
    with pytest.raises(ElaError, match=r"batch of views .*\[16, 16, 3\]"):
        parse_front_end("ela").planes(np.zeros((16, 16, 3), np.uint8))


def test_front_ends_need_neither_tensorflow_nor_other_packages() -> None:
    code = (
        "import sys, ela.front_ends; "
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'train', 'export')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["train", "train.common", "train.common.errors"]
