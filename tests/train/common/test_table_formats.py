"""Foreign names stand in Markdown, LaTeX and CSV as they are."""

import csv
import io
import re
from collections.abc import Callable

from markdown_it import MarkdownIt

from train.common.table_formats import csv_table, latex_table, latex_text, markdown_code, markdown_table

HOSTILE = (
    "a&b",
    "50 % of_x",
    "{\\input{/etc/passwd}}",
    "[x]",
    "a|b",
    "#1 ~^",
    "<script>",
    "=1+1",
    "–",
    "−0.5",
    "a*b",
    '"`--',
)
HEADER = tuple(f"h{number}" for number in range(len(HOSTILE)))


def test_latex_escapes_all_that_it_would_read() -> None:
    text = latex_table(HEADER, [HOSTILE, HOSTILE[::-1]], "50 % & more", "tab:a_b")
    body = text.split(r"\begin{tabular}")[1].split(r"\end{tabular}")[0]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    for row in rows:
        # Every cell's separator is ours, and no command is foreign.
        assert len(re.findall(r"(?<!\\)&", row)) == len(HEADER) - 1
        assert not re.search(r"(?<!\\)[%#_$]", row)
        assert set(re.findall(r"\\([a-z]+)", row)) <= {
            "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar",
            "textasteriskcentered", "textminus", "textendash", "textasciigrave", "char",
        }  # fmt: skip
        unescaped = re.sub(r"\\[{}]", "", row)
        assert unescaped.count("{") == unescaped.count("}")
    assert r"50 \% \& more" in text


LETTERS = (
    "".join(map(chr, range(0x21, 0x180))),
    "—‘’“”…€™×→←±°µ–−",
    "Đorđe 人脸 αβ ≤ 😀",
    "e\u0301 x\u0301",
    "50\u00a0%",
)


def test_letters_that_need_a_package_are_named() -> None:
    assert latex_text("Café 人脸 e\u0301") == "Café {[}U+4EBA{]}{[}U+8138{]} é"


def test_latex_compiles_and_sets_every_letter(latex: Callable[[str], None]) -> None:
    latex(latex_table(HEADER, [HOSTILE, HOSTILE[::-1]], "A caption with 5 % and _ of 人", "tab:x"))
    latex(latex_table(LETTERS, [LETTERS], LETTERS[0], "tab:y"))


def test_markdown_shows_every_cell_as_it_is() -> None:
    cells = (*HOSTILE, "[a](b) `c` # d", "&lt;b&gt;", "~~gone~~ __x__", "a\\")
    header = tuple(f"h{number}" for number in range(len(cells)))
    read = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown_table(header, [cells]))
    shown = [token for token in read if token.type == "inline"]
    assert [one.content for one in shown[: len(header)]] == list(header)
    for token, cell in zip(shown[len(header) :], cells, strict=True):
        assert {one.type for one in token.children or ()} <= {"text", "text_special"}
        assert "".join(one.content for one in token.children or ()) == cell


def test_a_code_span_in_a_table_is_one_cell() -> None:
    table = f"| a | b |\n| --- | --- |\n| {markdown_code('x|`y`')} | z |"
    read = MarkdownIt("gfm-like", {"linkify": False}).parse(table)
    cells = [token.children or [] for token in read if token.type == "inline"][2:]
    assert [(cell[0].type, cell[0].content) for cell in cells] == [("code_inline", "x|'y'"), ("text", "z")]


def test_csv_is_read_back_and_computed_by_nobody() -> None:
    (header, row) = csv.reader(io.StringIO(csv_table(HEADER, [HOSTILE])))
    assert tuple(header) == HEADER
    assert row[HOSTILE.index("=1+1")] == "'=1+1"
    assert row[0] == "a&b"
