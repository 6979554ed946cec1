"""The drawing of a picture with several faces."""

from dataclasses import replace

import numpy as np

from export.inference.faces_overlay import UNDECIDED, draw_faces, draw_result
from export.inference.overlay import STRIP, draw_overlay
from export.inference.picture_result import evaluate_picture
from tests.export.inference.test_picture_result import GOLDEN, detector
from train.image.decode import decode


def test_every_face_s_square_is_drawn_where_it_lies() -> None:
    group, looking = decode(GOLDEN / "face_finder" / "group.png"), detector("upright|face(2.8)|resize(32)")
    found = evaluate_picture(looking, group, "group.png")
    assert len(found.faces) >= 2
    small = replace(found.faces[1], verdict=None)
    drawn = np.asarray(draw_faces(group, replace(found, faces=(found.faces[0], small)), group.pixels.shape[1]))
    for face in (found.faces[0], small):
        assert face.square is not None
        left, _, right, bottom = (int(edge) for edge in face.square)
        colour = STRIP[face.verdict.label] if face.verdict else UNDECIDED
        # The frame's left and right side, low enough to be clear of the label.
        assert tuple(drawn[bottom - 8, left + 1]) == colour
        assert tuple(drawn[bottom - 8, right - 1]) == colour


def test_several_faces_stand_above_the_worst_one_s_overlay() -> None:
    group, looking = decode(GOLDEN / "face_finder" / "group.png"), detector("upright|face(2.8)|resize(32)")
    found = evaluate_picture(looking, group, "group.png")
    both, worst = draw_result(looking, group, found, side=320), found.worst
    assert both is not None
    assert worst is not None
    assert worst.verdict is not None
    below = draw_overlay(looking, group, worst.verdict, eyes=worst.eyes, side=320)
    assert both.size == (320, 180 + below.height)
    np.testing.assert_array_equal(np.asarray(both)[180:], np.asarray(below))
    alone = draw_result(looking, group, replace(found, faces=(worst,)), side=320)
    assert alone is not None
    np.testing.assert_array_equal(np.asarray(alone), np.asarray(below))
    undecided = tuple(replace(face, verdict=None) for face in found.faces)
    assert draw_result(looking, group, replace(found, faces=undecided)) is None
