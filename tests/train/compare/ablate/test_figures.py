"""An ablation's figures are those of its runs' scores; its table says the same in every format."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from fauxlens import app
from train.common.errors import TrainError
from train.common.own_files import ABLATION, foreign_file, in_folder
from train.compare.ablate.figures import Ablation, measure_ablation
from train.compare.ablate.grid import Grid, read_grid
from train.compare.ablate.tables import (
    HEADER,
    ablation_csv,
    ablation_html,
    ablation_latex,
    ablation_markdown,
    ablation_tables,
    write_tables,
)
from train.compare.seeds import compare_arms
from train.evaluate.scores import read_scores
from train.fit.run_folder import Run, open_run, scores_path

GAINS: dict[str, dict[str, float]] = {"rgb": {}, "npr": {"b": 1.6, "web": 6.0}, "srm": {}}
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def made(make_study: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A study whose runs stand side by side, and a grid file whose recipes are theirs."""
    one = make_study(tmp_path_factory.mktemp("ablation"))
    for front_end, gain in GAINS.items():
        for seed in SEEDS:
            one.run(f"{front_end}-{seed}", front_end, seed, gain)
    (one.folder / "base.toml").write_bytes((one.folder / "rgb-1" / "recipe.toml").read_bytes())
    plain = {"title": "50 % of A & B_c", "recipe": "base.toml", "grid": {"model.front_end": list(GAINS)}}
    (one.folder / "grid.toml").write_text(tomli_w.dumps(plain))
    yield one


@pytest.fixture(scope="module")
def grid(made: Any) -> Grid:
    return read_grid(made.folder / "grid.toml")


@pytest.fixture(scope="module")
def runs(made: Any) -> list[Run]:
    return [open_run(made.folder / f"{front_end}-{seed}") for front_end in GAINS for seed in SEEDS]


@pytest.fixture(scope="module")
def found(grid: Grid, runs: list[Run]) -> Ablation:
    return measure_ablation(grid, runs, runs[0].manifest(), resamples=200)


def test_means_are_those_of_scikit_learn(found: Ablation, runs: list[Run]) -> None:
    rows = {(row.metric, row.set.name): row for row in found.rows}
    for arm in range(len(GAINS)):
        values = []
        for run in runs[arm * 3 : arm * 3 + 3]:
            scores = read_scores(scores_path(run, "float"))
            reals = scores.filter((scores["label"] == "real") & scores["seen"] & (scores["split"] == "test"))
            fakes = scores.filter(scores["generator"] == "diffusion-b")
            both = np.concatenate([reals["probability"], fakes["probability"]])
            values.append(roc_auc_score([0] * len(reals) + [1] * len(fakes), both))
        level = rows["auc", "diffusion-b"].levels[arm]
        assert level.by_seed == pytest.approx(values)
        assert level.value == pytest.approx(np.mean(values))
        assert level.low < level.value < level.high


def test_differences_are_those_of_compare(found: Ablation, runs: list[Run]) -> None:
    compared = compare_arms(runs, ("model.front_end", "rgb"), resamples=200)
    expected = {(one.arm, one.metric, one.set.name): one for one in compared.blocks[0].differences}
    count = 0
    for row in found.rows:
        assert row.differences[0] is None
        for arm, one in zip(("npr", "srm"), row.differences[1:], strict=True):
            assert one is not None
            other = expected[arm, row.metric, row.set.name]
            assert one.contrast.value == pytest.approx(other.contrast.value)
            assert one.verdict == other.verdict
            count += 1
    assert count == len(expected)
    verdicts = {
        row.set.name: row.differences[1].verdict for row in found.rows if row.metric == "auc" and row.differences[1]
    }
    assert verdicts["diffusion-b"] == "better"


def test_arms_of_other_generators_share_what_none_of_them_learned(made: Any, grid: Grid) -> None:
    wider = made.pictures.with_columns(seen=made.pictures["seen"] | (made.pictures["source"] == "b"))
    runs = []
    for generators, table in ((["camera", "gan-a"], None), (["camera", "gan-a", "diffusion-b"], wider)):
        for seed in SEEDS:
            name = f"div-{len(generators)}-{seed}"
            folder = made.run(name, seed=seed, finished=False, data__generators=generators)
            made.write(open_run(folder), {}, table)
            runs.append(open_run(folder))
    two = Grid("Diversity", grid.arms[:2], SEEDS)
    found = measure_ablation(two, runs, runs[0].manifest(), resamples=100)
    sets = {row.set.name: row.set for row in found.rows if row.metric == "auc"}
    test = made.pictures.filter((made.pictures["source"] == "b") & (made.pictures["split"] == "test"))
    assert sets["diffusion-b"].seen
    assert sets["diffusion-b"].pictures == test.height
    assert not sets["gan-c"].seen


def test_one_seed_gives_levels_without_differences(found: Ablation, grid: Grid, runs: list[Run]) -> None:
    one = measure_ablation(Grid("x", grid.arms, (1,)), runs[::3], runs[0].manifest(), resamples=100)
    assert all(difference is None for row in one.rows for difference in row.differences)
    assert "One seed cannot separate" in ablation_markdown(one)


@pytest.mark.parametrize("lost", [0, 1])
def test_an_arm_of_which_a_training_failed_is_left_out_and_named(
    found: Ablation, grid: Grid, runs: list[Run], lost: int
) -> None:
    reason = "It failed: 5 % of a_b."
    manifest = runs[0].manifest()
    one = measure_ablation(grid, runs, manifest, failed={3 * lost + 1: reason}, resamples=200)
    names = [f"front_end {name}" for name in GAINS]
    assert one.arms == tuple(name for name in names if name != names[lost])
    assert (one.baseline, one.compared) == (names[0], lost != 0)
    assert [(row.arm, row.seed, row.reason) for row in one.failed] == [(names[lost], SEEDS[1], reason)]
    # The others are what they would be in a grid without it.
    kept = [place for place in range(3) if place != lost]
    alone = Grid("x", tuple(grid.arms[place] for place in kept), SEEDS)
    expected = measure_ablation(
        alone, [runs[3 * place + seed] for place in kept for seed in range(3)], manifest, resamples=200
    )
    assert [row.levels for row in one.rows] == [row.levels for row in expected.rows]
    if lost:
        assert one.rows == expected.rows
    else:
        assert all(difference is None for row in one.rows for difference in row.differences)
        assert f"no difference, for the first arm ({names[0]}) failed" in ablation_tables(one)[0].title
    assert reason in ablation_html(one)
    assert reason.replace("_", r"\_") in ablation_markdown(one)
    assert reason.replace("_", r"\_").replace("%", r"\%") in ablation_latex(one)
    assert [line["failure"] for line in csv.DictReader(io.StringIO(ablation_csv(one))) if line["failure"]] == [reason]


def test_where_all_arms_failed_the_tables_say_why(grid: Grid, runs: list[Run]) -> None:
    one = measure_ablation(grid, runs, runs[0].manifest(), failed=dict.fromkeys(range(9), "No disk."))
    assert (one.arms, one.rows, ablation_tables(one)) == ((), (), ())
    assert len(one.failed) == 9
    for text in (ablation_html(one), ablation_markdown(one), ablation_latex(one), ablation_csv(one)):
        assert text.count("No disk.") == 9


def test_the_csv_has_every_figure(found: Ablation) -> None:
    lines = list(csv.DictReader(io.StringIO(ablation_csv(found))))
    assert len(lines) == len(found.rows) * len(GAINS)
    for line, (row, place) in zip(lines, [(row, place) for row in found.rows for place in range(3)], strict=True):
        level, one = row.levels[place], row.differences[place]
        assert (line["metric"], line["set"], line["arm"]) == (row.metric, row.set.name, found.arms[place])
        assert (float(line["mean"]), float(line["low"]), float(line["high"])) == (level.value, level.low, level.high)
        assert line["verdict"] == (one.verdict if one else "")
        assert line["difference"] == (str(one.contrast.value) if one else "")


def test_the_latex_is_whole(found: Ablation) -> None:
    text = ablation_latex(found)
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    plain = re.sub(r"\\\\|\\[&%$#_{}]", "", text)
    assert plain.count("{") == plain.count("}")
    bare = re.sub(r"\\[A-Za-z]+", "", plain)
    assert not set(bare) & set("%$#^")
    assert text.isascii()
    for table in re.findall(r"\\begin\{tabular\}\{(.*?)\}(.*?)\\end\{tabular\}", text, flags=re.DOTALL):
        columns, body = table
        rows = [line for line in body.split("\n") if line.endswith(r"\\")]
        assert rows
        assert all(len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1 == len(HEADER) - 1 for row in rows)


def test_the_latex_compiles(found: Ablation, latex: Callable[[str], None]) -> None:
    latex(ablation_latex(found))


class _Page(HTMLParser):
    """The cells of a page's tables; fails where tags do not close in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta",):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_page_and_markdown_show_the_same_cells(found: Ablation) -> None:
    page = _Page()
    page.feed(ablation_html(found))
    assert not page.open
    assert "50 % of A &amp; B_c" in ablation_html(found)
    expected = [list(row) for table in ablation_tables(found) for row in (HEADER, *table.rows)]
    assert page.rows == expected
    lines = [line for line in ablation_markdown(found).splitlines() if line.startswith("| ") and "---" not in line]
    shown = [[cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert shown == expected


@pytest.mark.slow
def test_the_command_uses_runs_that_are_there(made: Any, found: Ablation, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["ablate", str(made.folder / "grid.toml"), "--manifest", str(made.manifest), "--out", str(made.folder)]
    monkeypatch.setattr("train.fit.train_missing.train_and_score", _never)
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "diffusion-b" in shown.output
    printed = CliRunner().invoke(app, [*arguments, "--json"])
    document = json.loads(printed.stdout)
    assert document["format"] == 1
    assert document["arms"] == [f"front_end {name}" for name in GAINS]
    assert [Path(path).name for path in document["paths"]] == [
        f"ablation.{kind}" for kind in ("html", "md", "tex", "csv")
    ]
    assert (made.folder / "ablation.csv").read_text().startswith("metric,set,")


def test_a_narrow_table_says_the_same(found: Ablation) -> None:
    for table in ablation_tables(found):
        assert table.fitted(120) == (HEADER, table.rows)
        header, rows = table.fitted(80)
        assert header == HEADER[1:]
        assert {len(row) for row in rows} == {len(header)}
        assert [cell for row in rows for cell in row if cell] == [
            f"  {cell}" if place == 1 else cell for row in table.rows for place, cell in enumerate(row) if cell
        ]
        # What has to fit beside the borders of a terminal of 80 columns; long names of sets may turn their line.
        arms = [row for row in rows if row[1]]
        widths = [max(len(row[place]) for row in (header, *arms)) for place in range(len(header))]
        assert sum(widths) + 3 * len(widths) + 1 <= 80


def test_tables_are_written_whole(found: Ablation, tmp_path: Path) -> None:
    written = write_tables(found, tmp_path)
    assert [path.read_text() for path in written] == [
        ablation_html(found),
        ablation_markdown(found),
        ablation_latex(found),
        ablation_csv(found),
    ]
    assert foreign_file(in_folder(tmp_path, ABLATION)) is None


def _never(*arguments: Any, **options: Any) -> None:
    raise TrainError("Nothing was to be trained.")
