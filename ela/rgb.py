"""Front end `rgb`: the view as it is."""

from typing import Any

from ela.interface import FrontEnd, Views
from train.common.errors import ElaError


def front_end(options: tuple[str, ...]) -> FrontEnd:
    """The front end `rgb`; it takes no options (ElaError)."""
    if options:
        raise ElaError(f"Front end rgb takes no options: remove ({','.join(options)}).")
    return FrontEnd("rgb", 3, planes=_planes, graph=_graph, check_size=_any_size)


def _planes(views: Views) -> Views:
    return views


def _graph(_tf: Any, image: Any) -> Any:
    return image


def _any_size(size: int) -> None:
    if size < 1:
        raise ElaError(f"A view of {size} pixels does not exist: give a side of at least 1.")
