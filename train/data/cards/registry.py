"""The cards that come with Fauxlens: find one, list them all."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.table import Table
from rich.text import Text

from train.common.errors import DataError
from train.common.text import first_names, printable
from train.data.cards.reader import Card, read_card
from train.data.manifest import LABELS

# Beside this file in an installed package; the folder `datasets` of a clone. The first is asked first, for
# another package of the name `datasets` may be installed.
_FOLDERS = (Path(__file__).parent / "shipped_cards", Path(__file__).parents[3] / "datasets")

# So many of a card's generators are named in the table.
_NAMED = 6


@dataclass(frozen=True)
class CardRow:
    """A card in the list: published counts are None where none is published; `get` says how to get it."""

    name: str
    title: str
    real: int | None
    fake: int | None
    generators: tuple[str, ...]
    licence: str
    get: str


@cache
def shipped_cards() -> tuple[Card, ...]:
    """Return the cards that come with Fauxlens, sorted by name; DataError if they are not there."""
    for folder in _FOLDERS:
        if paths := sorted(folder.glob("*.toml")):
            return tuple(read_card(path) for path in paths)
    raise DataError(f"{_FOLDERS[0]} has no dataset cards: reinstall Fauxlens.")


def find_card(name_or_path: str | Path) -> Card:
    """Return the shipped card of that name, or read the card at that path.

    What ends in .toml or has a folder in it is a path. DataError lists near matches.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) != 1:
        return read_card(path)
    cards = {card.name: card for card in shipped_cards()}
    name = str(name_or_path)
    if name in cards:
        return cards[name]
    near = difflib.get_close_matches(name.lower(), cards, n=3, cutoff=0.5)
    near += [other for other in cards if name and name.lower() in other and other not in near]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(cards)}."
    raise DataError(f"No dataset card is named {name!r}: {hint} For a card of your own give its path, as in my.toml.")


def card_rows(cards: Iterable[Card]) -> tuple[CardRow, ...]:
    """Return what the list of datasets says about each card, in the order given."""
    return tuple(
        CardRow(
            card.name,
            card.title,
            _published(card, "real"),
            _published(card, "fake"),
            card.generator_names,
            card.licence,
            f"{card.get.kind} {card.get.handle or card.get.url}".strip(),
        )
        for card in cards
    )


def card_table(rows: Iterable[CardRow]) -> Table:
    """Return the list of datasets as a table for a terminal of 80 columns or more."""
    table = Table(show_lines=True)
    table.add_column("name", no_wrap=True)
    table.add_column("what, by which generators, under which licence, from where", overflow="fold")
    for heading in LABELS:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        said = (row.title, first_names(row.generators, _NAMED), row.licence, row.get)
        counts = ("?" if count is None else f"{count:,}" for count in (row.real, row.fake))
        table.add_row(Text(printable(row.name)), Text("\n".join(printable(one) for one in said if one)), *counts)
    return table


def _published(card: Card, label: str) -> int | None:
    if all(rule.label != label for rule in card.rules):
        return 0
    if label in card.expected:
        return card.expected[label]
    by_generator = [count for name, count in card.expected.items() if name not in LABELS]
    return sum(by_generator) if label == "fake" and by_generator else None
