"""Foreign text in Markdown, LaTeX and CSV, alone and in tables: the one place that escapes it."""

from __future__ import annotations

import csv
import html
import io
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from train.common.documents import quote_formula
from train.common.text import printable

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": r"\textasteriskcentered{}",
    "–": r"\textendash{}",
    "−": r"\textminus{}",
    "\N{NO-BREAK SPACE}": "~",
}
"""Square brackets in braces: at the start of a row LaTeX would take them for an option of the line break before."""

_LATEX_LETTERS = frozenset(map(chr, range(0xA1, 0x180))) - frozenset("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
_LATEX_MARKS = frozenset("—‘’“”…€™×→←±°µ")
"""What pdfLaTeX sets without a package (2022); anything else beyond ASCII stops it."""


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, without a line break at its end."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(markdown_text, line)) + " |" for line in lines)


def markdown_text(text: str) -> str:
    """Text on one line that Markdown shows as it stands: it ends no cell, and starts no markup and no HTML."""
    safe = html.escape(printable(" ".join(text.split())), quote=False)
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", safe)


def markdown_code(text: str) -> str:
    """Text on one line as a code span; backticks in it are shown as apostrophes."""
    # Also inside a code span a bar ends the cell, unless it is escaped (GitHub Flavored Markdown 0.29, 4.10).
    return "`" + printable(" ".join(text.split())).replace("`", "'").replace("|", "\\|") + "`"


def latex_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, label: str, columns: str = ""
) -> str:
    r"""A `table` in LaTeX that needs no package but textcomp's symbols, which every LaTeX since 2020 has loaded.

    The first column is flush left, the others flush right, where `columns` does not say it in LaTeX's letters.
    """
    columns = columns or "l" + "r" * (len(header) - 1)
    body = [_latex_row(header), r"\hline", *map(_latex_row, rows)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\label{{{re.sub(r'[^a-zA-Z0-9:-]+', '-', label)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it stands, but that letters which need a package for fonts stand as [U+4EBA]."""
    letters = "".join(map(_latex_letter, unicodedata.normalize("NFC", printable(text))))
    # Two hyphens would be set as a dash.
    return re.sub("-(?=-)", "-{}", letters)


def csv_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in CSV; text that a spreadsheet would compute is quoted, as in all tables of Fauxlens."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([quote_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return buffer.getvalue()


def _latex_letter(one: str) -> str:
    if one in _LATEX or one.isascii() or one in _LATEX_LETTERS or one in _LATEX_MARKS:
        return _LATEX.get(one, one)
    return f"{{[}}U+{ord(one):04X}{{]}}"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"
