"""Foreign text, such as names of files, made fit for a terminal."""

import unicodedata
from collections.abc import Sequence

BLANKS = " \N{NO-BREAK SPACE}"
"""The second stands before the per-cent signs of our own sentences."""


def printable(text: str) -> str:
    """Text with foreign names in it for one line of a terminal: control and format characters stand as escapes.

    Line breaks, escape sequences and marks that turn the direction of writing (Unicode categories C and Z other than
    BLANKS) become \\x1b, \\u202e and the like, and so do bytes of names that are no UTF-8.
    """
    return "".join(
        one if one in BLANKS or unicodedata.category(one)[0] not in "CZ" else one.encode("unicode_escape").decode()
        for one in text
    )


def harmless(value: object) -> object:
    """For templates of pages: text as `printable` has it, but for line breaks and tabs, which stay; all else as it is.

    Of `str` itself only: what is a subclass (Markup) was made here.
    """
    if type(value) is not str:
        return value
    return "".join(one if one in "\n\t" else printable(one) for one in value)


def printable_bytes(name: str) -> str:
    """A name of a file in which bytes that are no UTF-8 stand as escapes, so that it can be written as text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def first_names(names: Sequence[str], most: int) -> str:
    """The first `most` of some names, with commas, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
