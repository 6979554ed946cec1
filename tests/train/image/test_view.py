"""The view: one text, one meaning."""

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from train.common.errors import DataError
from train.image.decode import Picture, decode_bytes
from train.image.view import FACE_DROP, UNCLEAR, Eyes, Unclear, apply_view, parse_view, view_for

FACES = st.integers(10_000, 80_000).map(lambda tenthousandths: f"face({tenthousandths / 10_000})")
MIDDLES: st.SearchStrategy[list[str]] = st.one_of(st.just([]), st.just(["square"]), FACES.map(lambda face: [face]))


def picture(height: int, width: int, orientation: int = 1, seed: int = 0) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Picture(pixels, orientation, "PNG", None, ())


@given(middle=MIDDLES, upright=st.booleans(), size=st.integers(8, 4096))
def test_text_comes_back_and_is_canonical(middle: list[str], upright: bool, size: int) -> None:
    first = ["upright"] if upright or any("face" in step for step in middle) else []
    view = parse_view(" | ".join([*first, *middle, f"resize( {size} )"]))
    assert parse_view(view.text) == view
    assert " " not in view.text
    assert view.input_size == (size, size, 3)
    assert view.needs_eyes == ("face" in view.text)


def test_needless_zeros_do_not_make_another_view() -> None:
    assert parse_view("upright|face(2.40)|resize(0224)").text == "upright|face(2.4)|resize(224)"
    assert parse_view("upright|face(2.0)|resize(96)").sha256 == parse_view("upright|face(2)|resize(96)").sha256
    assert parse_view("resize(96)").sha256 != parse_view("resize(97)").sha256


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is not a step; allowed are upright, square"),
        ("upright||resize(96)", "'' is not a step"),
        ("rotate(90)|resize(96)", "'rotate(90)' is not a step"),
        ("resize", "'resize' needs a whole number from 8 to 4096"),
        ("resize(7)", "needs a whole number"),
        ("resize(96.5)", "needs a whole number"),
        ("resize(-96)", "needs a whole number"),
        ("resize(٩٦)", "needs a whole number"),
        ("upright|face(0.5)|resize(96)", "'face(0.5)' needs a number with at most 4 decimals from 1 to 8"),
        ("upright|face(nan)|resize(96)", "needs a number"),
        ("upright(1)|resize(96)", "upright takes no number"),
        ("square|upright|resize(96)", "upright must be the first step"),
        ("upright|upright|resize(96)", "upright must be the first step"),
        ("upright", "exactly one resize(S)"),
        ("resize(96)|square", "exactly one resize(S)"),
        ("resize(96)|resize(96)", "exactly one resize(S)"),
        ("upright|square|face(2)|resize(96)", "at most one of square and face"),
        ("face(2)|resize(96)", "needs upright first"),
    ],
)
def test_a_wrong_view_says_which_step_and_what_is_allowed(text: str, complaint: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_view(text)
    assert complaint in str(caught.value)
    assert repr(text) in str(caught.value)


@given(text=st.text("uprightsquarefacez|()0123456789. -", max_size=40))
def test_any_text_is_a_view_or_a_data_error(text: str) -> None:
    try:
        view = parse_view(text)
    except DataError:
        return
    assert parse_view(view.text) == view


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_square_resize_equal_pillow(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(picture(61, 90).pixels).save(buffer, "PNG", exif=exif)
    image = ImageOps.exif_transpose(Image.open(buffer))
    left, top = (image.width - 61) // 2, (image.height - 61) // 2
    expected = image.crop((left, top, left + 61, top + 61)).resize((24, 24), Image.Resampling.BILINEAR)
    found = apply_view(parse_view("upright|square|resize(24)"), decode_bytes(buffer.getvalue(), "x"))
    assert np.array_equal(found, np.asarray(expected))
    assert found.dtype == np.uint8


def test_without_upright_the_picture_stays_as_stored() -> None:
    stored = picture(40, 40, orientation=6)
    assert np.array_equal(apply_view(parse_view("resize(40)"), stored), stored.pixels)


def test_face_inside_the_picture_equals_a_pillow_crop() -> None:
    whole, eyes, k = picture(200, 180), Eyes(90.0, 80.0, 30.0), 2.4
    side = 72
    left, top = 90 - 36, math.floor(80 + FACE_DROP * side - 36 + 0.5)
    expected = Image.fromarray(whole.pixels).crop((left, top, left + side, top + side))
    found = apply_view(parse_view(f"upright|face({k})|resize(32)"), whole, eyes)
    assert np.array_equal(found, np.asarray(expected.resize((32, 32), Image.Resampling.BILINEAR)))


def test_face_beyond_the_border_repeats_the_border() -> None:
    whole = picture(20, 20)
    found = apply_view(parse_view("upright|face(4)|resize(40)"), whole, Eyes(0.0, 0.0, 10.0))
    # side 40, left -20, top -12: everything left of and above the picture is its nearest pixel.
    padded = np.pad(whole.pixels, ((12, 8), (20, 0), (0, 0)), mode="edge")
    assert np.array_equal(found, padded)


@given(x=st.floats(0, 50), y=st.floats(0, 30), distance=st.floats(0.01, 60))
def test_any_eyes_in_the_picture_give_a_face(x: float, y: float, distance: float) -> None:
    found = apply_view(parse_view("upright|face(2.4)|resize(16)"), picture(30, 50), Eyes(x, y, distance))
    assert found.shape == (16, 16, 3)


def test_face_without_eyes_or_with_senseless_ones_is_refused() -> None:
    view, whole = parse_view("upright|face(2.4)|resize(16)"), picture(30, 50)
    with pytest.raises(DataError, match=r"face\(2.4\) but no eyes"):
        apply_view(view, whole)
    for eyes in (Eyes(-1, 3, 5), Eyes(3, 31, 5), Eyes(3, 3, 0), Eyes(3, 3, math.inf), Eyes(math.nan, 3, 5)):
        with pytest.raises(DataError, match="find its face again"):
            apply_view(view, whole, eyes)
    with pytest.raises(DataError, match="find its face again"):
        apply_view(view, whole, Eyes(3, 3, 1e7))


@pytest.mark.parametrize(
    ("unclear", "none", "one", "several"),
    [
        ("drop", None, "face(2.4)", None),
        ("centre", "square", "face(2.4)", "square"),
        ("keep", "square", "face(2.4)", "face(2.4)"),
    ],
)
def test_unclear_faces_are_seen_as_the_policy_says(
    unclear: Unclear, none: str | None, one: str | None, several: str | None
) -> None:
    view = parse_view("upright|face(2.4)|resize(96)")
    for faces, step in ((0, none), (1, one), (2, several), (17, several)):
        seen = view_for(view, faces, unclear)
        assert (seen.text if seen else None) == (f"upright|{step}|resize(96)" if step else None)


@given(middle=st.sampled_from(["", "square|"]), faces=st.integers(0, 5), unclear=st.sampled_from(UNCLEAR))
def test_without_a_face_the_policy_means_nothing(middle: str, faces: int, unclear: Unclear) -> None:
    view = parse_view(f"upright|{middle}resize(96)")
    assert view_for(view, faces, unclear) == view
