"""How wide a table's columns are, so that no digit and no name is cut, however narrow the terminal."""

from collections.abc import Sequence

Row = Sequence[str]

WHOLE = 16
"""Words of up to so many letters are never divided; longer ones, which only names are, go on in the next line."""
_BORDER = 3


def column_widths(columns: Row, rows: Sequence[Row], width: int) -> tuple[int, ...] | None:
    """Letters for each column of a table with borders, in a terminal of `width`; None where no such table fits.

    Each gets what its words need; what is left makes columns as wide as their lines, the shortest first.
    """
    cells = list(zip(columns, *rows, strict=True))
    widths = [max(min(WHOLE, _longest(cell.split())) for cell in column) for column in cells]
    wanted = [max(_longest(cell.split("\n")) for cell in column) for column in cells]
    left = width - _BORDER * len(widths) - 1 - sum(widths)
    if left < 0:
        return None
    for done, place in enumerate(sorted(range(len(widths)), key=lambda one: wanted[one] - widths[one])):
        more = min(max(0, wanted[place] - widths[place]), left // (len(widths) - done))
        widths[place] += more
        left -= more
    return tuple(widths)


def natural_width(rows: Sequence[Row]) -> int:
    """The width of a table of these rows in which no line is wrapped, heading and long first names apart."""
    widths = [max(_longest(cell.split("\n")) for cell in column) for column in zip(*rows, strict=True)]
    return min(widths[0], 2 * WHOLE) + sum(widths[1:]) + _BORDER * len(widths) + 1


def _longest(texts: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)
