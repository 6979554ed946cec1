"""The table of front ends, and the one string that names one.

    front end = part *("+" part)            planes side by side, in this order: rgb+ela is 6 channels
    part      = name [ "(" option *("," option) ")" ]

`rgb` takes no options. `ela` takes a quality 1..100, a sampling 420 or 444 and a gain x1..x255, in any order, each at
most once: `ela`, `ela(95)` and `ela(95,444,x20)` are all good; the canonical text names all three. `npr` and `srm` take
a gain x1..x64. Spaces are ignored.

A new front end is one file with a `front_end(options) -> FrontEnd` and one line in the table.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ela import level, npr, rgb, srm
from ela.interface import FrontEnd, Views
from train.common.errors import ElaError

__all__ = ["FRONT_ENDS", "FrontEnd", "parse_front_end"]

FRONT_ENDS: dict[str, Callable[[tuple[str, ...]], FrontEnd]] = {
    "rgb": rgb.front_end,
    "ela": level.front_end,
    "npr": npr.front_end,
    "srm": srm.front_end,
}

PART = re.compile(r"(?P<name>\w+)(?:\((?P<options>[^()]*)\))?")


def parse_front_end(text: str) -> FrontEnd:
    """Read a front end from its text; `parse_front_end(text).text` is canonical and reads back as itself.

    Raises ElaError naming the unknown part or option and what is allowed.
    """
    parts = tuple(_parse_part(part, text) for part in "".join(text.split()).split("+"))
    if len(parts) == 1:
        return parts[0]
    return FrontEnd(
        "+".join(part.text for part in parts),
        sum(part.channels for part in parts),
        planes=partial(_joined_planes, parts),
        graph=partial(_joined_graph, parts),
        check_size=partial(_check_size, parts),
    )


def _parse_part(part: str, text: str) -> FrontEnd:
    match = PART.fullmatch(part)
    if match is None or match["name"] not in FRONT_ENDS:
        known = ", ".join(FRONT_ENDS)
        raise ElaError(f"Front end {text!r} is not known: give one of {known}, or several joined by +.")
    options = match["options"]
    return FRONT_ENDS[match["name"]](tuple(options.split(",")) if options else ())


def _joined_planes(parts: tuple[FrontEnd, ...], views: Views) -> Views:
    return np.concatenate([part.planes(views) for part in parts], axis=-1)


def _joined_graph(parts: tuple[FrontEnd, ...], tf: Any, image: Any) -> Any:
    return tf.concat([part.graph(tf, image) for part in parts], axis=-1)


def _check_size(parts: tuple[FrontEnd, ...], size: int) -> None:
    for part in parts:
        part.check_size(size)
