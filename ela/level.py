"""Front end `ela`: the error level of the view instead of the view."""

from functools import partial
from typing import Any

import numpy as np

from ela.graph import error_level_graph
from ela.interface import FrontEnd, Views
from ela.reference import error_level
from ela.setting import Ela, parse_options
from train.common.errors import ElaError


def front_end(options: tuple[str, ...]) -> FrontEnd:
    """The front end `ela`, with `ela.setting.parse_options`' options; ElaError for others."""
    setting = parse_options(options)
    return FrontEnd(
        setting.text,
        3,
        planes=partial(_planes, setting),
        graph=partial(_graph, setting),
        check_size=setting.check_size,
    )


def _planes(setting: Ela, views: Views) -> Views:
    if views.ndim != 4:
        raise ElaError(f"ELA needs a batch of views [N, S, S, 3]: this array is {list(views.shape)}.")
    levels = np.empty_like(views)
    for level, view in zip(levels, views, strict=True):
        level[...] = error_level(view, setting)
    return levels


def _graph(setting: Ela, tf: Any, image: Any) -> Any:
    return error_level_graph(tf, image, setting)
