"""Globs with words: patterns over the paths of a dataset, and texts that the words are put into."""

import re
from string import Formatter

MAX_WILDCARDS = 4
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|.", re.DOTALL)


def compile_glob(glob: str) -> re.Pattern[str]:
    """Return a glob as a regular expression over the whole path; re.error if a word is no name or stands twice.

    `*` and `?` stay within one name, `**` crosses folders. `{word}` matches like `*` and `{word**}` like `**`,
    both at least one character; what they match is the group `word` of the match.
    """
    return re.compile("".join(_expression(token) for token in _TOKEN.findall(glob)), re.DOTALL)


def check_glob_cost(glob: str) -> None:
    """Raise ValueError for a glob that might be compared with a path for ever.

    Wildcards are tried against each other: with n letters and k wildcards that can share them, n**k times. Those of
    different names cannot share any, but `**` shares with all.
    """
    tokens = [token for token in _TOKEN.findall(glob) if len(token) > 1 or token in "*"]
    crossing = sum(token.startswith("**") or token.endswith("**}") for token in tokens)
    within = max(_wildcards(name) for name in glob.replace("**", "").split("/"))
    if crossing + within > MAX_WILDCARDS:
        raise ValueError(f"has more than {MAX_WILDCARDS} wildcards that could match the same letters")


def _wildcards(name: str) -> int:
    return sum(token == "*" or token.startswith("{") for token in _TOKEN.findall(name))


def literal_start(glob: str) -> str:
    """Return the part of a glob before its first wildcard: every path that matches starts with it."""
    return re.split(r"\*|\?|\{", glob, maxsplit=1)[0]


def words_of(text: str) -> frozenset[str]:
    """Return the words in braces of a text such as `{person}`; ValueError if the braces are not well-formed."""
    words = set()
    for _, word, form, conversion in Formatter().parse(text):
        if word is None:
            continue
        # A number would be an argument's place to str.format_map.
        if not word or word.isdigit() or form or conversion or set(word) & set(".["):
            raise ValueError(f"{{{word}}} is not a placeholder such as {{label}}")
        words.add(word)
    return frozenset(words)


def escaped(name: str) -> str:
    """A folder's name for a glob: what a glob understands otherwise matches as any one character."""
    return re.sub(r"[*{}]", "?", name)


def literal(text: str) -> str:
    """A text for a rule, in which braces are no words."""
    return text.replace("{", "{{").replace("}", "}}")


def _expression(token: str) -> str:
    if token == "**/":
        return "(?:.*/)?"
    if token == "**":
        return ".*"
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if len(token) > 1:
        word = token[1:-1]
        return f"(?P<{word[:-2]}>.+?)" if word.endswith("**") else f"(?P<{word}>[^/]+?)"
    return re.escape(token)
