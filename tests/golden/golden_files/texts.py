"""Golden texts: views, JSON and descriptions, accepted or refused."""

import json
import random
from typing import Any

from export.artifacts.description import OPERATING_POINTS, from_json, to_json
from train.common.errors import DataError, ExportError
from train.image.view import UNCLEAR, parse_view, view_for

from .verdicts import DESCRIPTION, text_of_format_1

_GOOD_VIEWS = (
    "upright|face(2.4)|resize(224)", "upright|square|resize(96)", "resize(8)", "resize(4096)", "square|resize(32)",
    "upright|resize(64)", " upright | face( 2.50 ) |resize( 0224 )", "upright|face(1)|resize(9)",
    "upright|face(08.0000)|resize(00008)", "upright|face(3.1416)|resize(100)", "\tsquare\n|resize(20)\u00a0",
    "\u2003square\u3000|\x85resize(\x1f20\x1c)", "upright|face(1.0001)|resize(50)", "upright|face(2.10)|resize(50)",
)  # fmt: skip
_BAD_VIEWS = (
    "", "|", "upright", "resize", "resize()", "resize(7)", "resize(4097)", "resize(224.0)", "resize(1e2)",
    "resize(-8)", "resize(+8)", "resize(224)|square", "square|upright|resize(8)", "upright|upright|resize(8)",
    "square|square|resize(8)", "face(2)|resize(8)", "upright|square|face(2)|resize(8)", "upright|face(2)",
    "upright|face|resize(8)", "upright|face()|resize(8)", "upright|face(0.9)|resize(8)", "upright|face(8.1)|resize(8)",
    "upright|face(2.12345)|resize(8)", "upright|face(.5)|resize(8)", "upright|face(2.)|resize(8)",
    "upright()|resize(8)", "upright|face(nan)|resize(8)", "square(3)|resize(8)", "Upright|resize(8)",
    "upright||resize(8)", "resize(8)|",
    "resize(8)|resize(8)", "resize (8)", "resize((8))", "resize(8", "resize8", "crop(3)|resize(8)", "resize(２２４)",
    "upright|face(2,4)|resize(8)", "resize(000224)", "ŕesize(8)", "resize(8)\x00", "upright,resize(8)",
    "\u200bresize(8)", "upright|face(٢)|resize(8)",
)  # fmt: skip


def view_texts() -> list[dict[str, Any]]:
    """Texts of views with what they mean, `canonical` null where they are refused."""
    rng = random.Random(9)
    pieces = ("upright", "square", "face(2.5)", "face(2)", "resize(64)", "resize(5)", "", " ", "|", "|", "(3)")
    mixed = ("".join(rng.choices(pieces, k=rng.randint(1, 6))) for _ in range(300))
    return [_view_case(text) for text in (*_GOOD_VIEWS, *_BAD_VIEWS, *mixed)]


def _view_case(text: str) -> dict[str, Any]:
    try:
        view = parse_view(text)
    except DataError:
        return {"text": text, "canonical": None}
    policies = {
        f"{unclear} {faces}": chosen and chosen.text
        for unclear in UNCLEAR
        for faces in (0, 1, 2, 5)
        for chosen in (view_for(view, faces, unclear),)
    }
    return {"text": text, "canonical": view.text, "size": view.size, "needs_eyes": view.needs_eyes, "for": policies}


_JSON = (
    "1", "-0", "1.5e3", "[]", "{}", " [1, 2 ,3]\n", '{"a": {"b": [null, true, false]}}', '"\\u00e9\\n\\"\\/"', "1E5",
    '"\\ud83d\\ude00 \\ud800"', '"é€😀"', "0.1e-7", '""', "[[[[[]]]]]", '{"": ""}', "123456789012345678901234567890",
    "", " ", "01", "+1", "1.", ".5", "-", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "nul", "True", "'a'",
    '"a', '"\n"', '"\t"', '"\\x"', '"\\u12g4"', '"\\u12', "[1,]", "[,1]", "[1 2]", "[1", "]", "{", '{"a"}', '{"a":}',
    '{"a":1,}', "{a:1}", "{'a':1}", '{"a":1 "b":2}', '{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', "1 2", "[] x", "/**/1",
    "\ufeff1", "1\x00", "[1]\u00a0", "\x0c1", '{"a":1,"\\u0061":1}', "tru", "nulll", '{1:2}', "1e5.5", "--1", "1-1",
)  # fmt: skip


def json_texts() -> list[dict[str, Any]]:
    """JSON texts with the same value written plainly, null where they are refused as `fauxlens.json` would be."""
    return [{"text": text, "plain": _plain(text)} for text in _JSON]


def _plain(text: str) -> str | None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        return json.dumps(json.loads(text, parse_constant=constant, object_pairs_hook=once))
    except ValueError:
        return None


def _points(fake_from: Any, unsure_from: Any) -> dict[str, Any]:
    return {name: {"fake_from": fake_from, "unsure_from": unsure_from} for name in OPERATING_POINTS}


_CHANGES: dict[str, tuple[Any, ...]] = {
    "format": (3, 0, -1, "1", 1.0, True, None, 1 << 30, (1 << 30) + 1, [1]),
    "name": ("", "a\nb", "a\tb", "é ☃ 😀", "zero\u200bwidth", "no\u00a0break", "x" * 10_000, "x" * 10_001, 5, None,
             "\ue000", "\ud800", "\u2028", "😀" * 5_001),
    "variant": ("float32", "FLOAT32", "int8", "", 3, None),
    "view": ("", "anything in one line", 5),
    "unclear_faces": ("drop", "keep", "center", "", None, 1, ["drop"]),
    "front_end": ("", "rgb+ela", None),
    "size": (7, 4097, 8.0, "8", True, 4096, 1e1),
    "heatmap": ([1, 1], [0, 1], [1, 4097], [2], [2, 3, 4], [2.0, 3], "23", {"a": 1}, [True, 1]),
    "labels": (["fake", "real"], ["real"], "real", ["real", "fake", "x"]),
    "calibration": (
        {"scale": 1}, {"scale": 1, "bias": 0}, {"scale": 1, "bias": "0"}, {"scale": 1, "bias": 0, "x": 0}, [],
    ),
    "training_sha256": ("0" * 64, "0" * 63, "F" * 64, "g" * 64, "0" * 64 + "\n", 0),
    "created_by": ({}, {"a": 1}, {"": "x"}, {"a": ""}, []),
    "figures": ({}, {"a": -1e300}, {"a": "1"}, {"a": True}, {"a": None}, {"": 1}, {"x\n": 1}, []),
    "licences": ([], ["l"], "l"),
}  # fmt: skip
_CHANGES_OF_FORMAT_2: dict[str, tuple[Any, ...]] = {
    "operating_points": (
        {"balanced": {"fake_from": 0.5, "unsure_from": 0.5}}, [], {"balanced": 0.5, "fpr-1%": 1, "fpr-0.5%": 0.5},
        _points(0, 0), _points(1, 0), _points(0.5, 0.75), _points(1.5, 0.5), _points("1", 0), _points(True, 0),
        _points(0.5, 0.5) | {"x": {"fake_from": 0.5, "unsure_from": 0.5}},
        _points(0.5, 0.5) | {"balanced": {"fake_from": 0.5, "unsure_from": 0.5, "x": 0}},
    ),
    "seen": ([], [["a", "b"]], [["a"]], [["a", "b", "c"]], [["a", ""]], [["a", 1]], ["ab"], {"a": "b"}),
    "face_finder": (None, {"name": "blazeface"}, {"name": "blazeface", "short_range": "0" * 64}, {}, {"name": 1}, []),
}  # fmt: skip
_CHANGES_OF_FORMAT_1: dict[str, tuple[Any, ...]] = {
    "operating_points": (
        {"balanced": 0.5}, {"balanced": 0, "fpr-1%": 1, "fpr-0.5%": 0.5}, [],
        {"balanced": 1.1, "fpr-1%": 0.5, "fpr-0.5%": 0.5}, {"balanced": "0.5", "fpr-1%": 0.5, "fpr-0.5%": 0.5},
        {"balanced": 0.5, "fpr-1%": 0.5, "fpr-0.5%": 0.5, "x": 0.5}, {"balanced": True, "fpr-1%": 0, "fpr-0.5%": 0},
    ),
    "unsure": ([0.5, 0.4], [0, 1], [0.5, 0.5], [0.5], [0.1, 0.2, 0.3], [-0.1, 0.5], ["0", "1"], 0.5),
    "generators_seen": ([], ["a", ""], ["a", 1], "camera", {"a": "b"}, ["two\nlines"]),
    "sources_seen": ([], [None]),
}  # fmt: skip
# Whole texts that no change of a value gives.
_TEXTS = ("", "[]", "null", "{}", "not JSON", "{" * 5000, '{"format": 1}', '{"format": 3}', '{"format": 3, "x": NaN}')


def descriptions() -> list[dict[str, Any]]:
    """Texts of `fauxlens.json`; `accepted` says whether they are, `newer` whether a newer Fauxlens made them."""
    return _description_cases(to_json(DESCRIPTION), _CHANGES | _CHANGES_OF_FORMAT_2)


def descriptions_of_format_1() -> list[dict[str, Any]]:
    """The same for texts of format 1."""
    return _description_cases(text_of_format_1(DESCRIPTION), _CHANGES | _CHANGES_OF_FORMAT_1)


def _description_cases(good: str, changes: dict[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    plain = json.loads(good)
    texts = [good, good.replace("0.9375", "1e999"), good.replace("0.9375", "NaN"), good + "x", good[:-3]]
    texts += [good.replace('"size": 8', '"size": 8, "size": 8'), "\ufeff" + good, *_TEXTS]
    for key in plain:
        texts.append(json.dumps({other: value for other, value in plain.items() if other != key}))
        texts += [json.dumps(plain | {key: value}, ensure_ascii=key == "name") for value in changes[key]]
    texts.append(json.dumps(plain | {"unknown": 1}))
    return [_description_case(text) for text in texts]


def _description_case(text: str) -> dict[str, Any]:
    try:
        from_json(text)
        return {"text": text, "accepted": True, "newer": False}
    except ExportError as error:
        return {"text": text, "accepted": False, "newer": "newer" in str(error)}
