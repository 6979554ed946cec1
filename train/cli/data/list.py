"""The verb `fauxlens data list`: the dataset cards that come with Fauxlens."""

from dataclasses import asdict

from train.cli.terminal import Json, console, print_json, verb
from train.common.errors import DataError, TrainError


@verb(DataError, TrainError)
def list_verb(as_json: Json = False) -> None:
    """List the dataset cards that come with Fauxlens: contents, licence and how to get them."""
    from train.data.cards.registry import card_rows, card_table, shipped_cards

    rows = card_rows(shipped_cards())
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        console().print(card_table(rows))
