"""A planted gain is found and called, nothing else is; tables, JSON and figure say the same."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from train.common.errors import TrainError
from train.common.own_files import DIFFERENCES_FIGURE, foreign_file
from train.compare.contrast import LEVEL, holm
from train.compare.forest_plot import forest, write_figure
from train.compare.seeds import ArmComparison, compare_arms
from train.compare.tables import comparison_findings, comparison_markdown, comparison_notes, comparison_tables
from train.evaluate.evaluation import evaluate_scores
from train.evaluate.plain import from_plain, to_plain
from train.evaluate.scores import read_scores
from train.fit.run_folder import open_run, read_state, scores_path

RGB = ("model.front_end", "rgb")
GAINS: dict[str, dict[str, float]] = {"rgb": {}, "npr": {"b": 1.6, "c-one": -1.0, "web": 6.0}, "a|b*": {}}
WORDS = ("better", "worse")
UNFAIR = "was not evaluated on the same pictures"


def compare(folders: list[Path], **options: Any) -> ArmComparison:
    return compare_arms([open_run(folder) for folder in folders], RGB, **{"resamples": 200, **options})


@pytest.fixture(scope="module")
def folders(make_study: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    yield make_study(tmp_path_factory.mktemp("study")).arms(GAINS)


@pytest.fixture(scope="module")
def found(folders: list[Path]) -> ArmComparison:
    return compare(folders)


def test_figures_are_the_means_of_the_reports(folders: list[Path], found: ArmComparison) -> None:
    reports = []
    for folder in folders[3:6]:
        run = open_run(folder)
        points = read_state(run, "float").points
        reports.append(evaluate_scores(read_scores(scores_path(run, "float")), points, name="x", resamples=1))
    (block,) = found.blocks
    npr = block.arms[1]
    assert (npr.name, npr.runs) == ("npr", tuple(folder.as_posix() for folder in folders[3:6]))
    figures = {(one.metric, one.set.name): one for one in npr.figures}
    for place, group in enumerate(reports[0].generators):
        values = [report.generators[place].metrics.auc.value for report in reports]
        assert figures["auc", group.name].by_seed == pytest.approx(values)
        assert figures["auc", group.name].mean == pytest.approx(np.mean(values))
        assert figures["auc", group.name].sd == pytest.approx(np.std(values, ddof=1))
    alarms = [report.real_sources[-1].called.fpr_1.value for report in reports]
    assert reports[0].real_sources[-1].name == "web"
    assert figures["false_alarms", "web"].by_seed == pytest.approx(alarms)


def test_planted_gains_are_called_and_nothing_else(found: ArmComparison) -> None:
    called = {
        (one.arm, one.metric, one.set.name): one.verdict for one in found.blocks[0].differences if one.verdict in WORDS
    }
    assert called["npr", "auc", "diffusion-b"] == "better"
    assert called["npr", "auc", "gan-c: c-one"] == "worse"
    assert called["npr", "false_alarms", "web"] == "worse"
    assert {name for arm, _, name in called if arm == "npr"} <= {"diffusion-b", "gan-c", "gan-c: c-one", "web"}
    assert not [key for key in called if key[0] != "npr"]


def test_verdicts_follow_the_adjusted_p_alone(found: ArmComparison) -> None:
    for metric, count in found.blocks[0].family.items():
        mine = [one for one in found.blocks[0].differences if one.metric == metric]
        assert len(mine) == count
        assert [one.adjusted_p for one in mine] == pytest.approx(holm([one.contrast.p for one in mine]))
        for one in mine:
            assert (one.verdict in WORDS) == (one.adjusted_p < LEVEL)
            if one.verdict in WORDS:
                assert one.contrast.low > 0 or one.contrast.high < 0
                assert (one.verdict == "better") == ((one.contrast.value > 0) != (metric == "false_alarms"))


def test_detectable_is_where_the_verdict_would_turn(found: ArmComparison) -> None:
    for metric in found.blocks[0].family:
        mine = [one for one in found.blocks[0].differences if one.metric == metric]
        p = [one.contrast.p for one in mine]
        for place, one in enumerate(mine):
            assert one.detectable >= one.half_width * 0.999
            if one.detectable == 1:
                continue
            for factor, called in ((0.999, False), (1.001, True)):
                moved = one.contrast.p_of(factor * one.detectable)
                assert (holm([*p[:place], moved, *p[place + 1 :]])[place] < LEVEL) == called


def test_seeds_and_pictures_both_count(found: ArmComparison) -> None:
    for one in found.blocks[0].differences:
        spread = one.contrast
        assert spread.pictures_se > 0
        assert spread.se == pytest.approx(np.hypot(spread.seeds_se, spread.pictures_se))
        assert one.half_width > 1.95 * spread.se
        assert spread.seeds_df <= 4


def test_same_runs_same_answer_and_json_gives_it_back(folders: list[Path], found: ArmComparison) -> None:
    assert compare(folders) == found
    assert from_plain(ArmComparison, json.loads(json.dumps(to_plain(found), allow_nan=False))) == found


def test_each_block_is_a_family_of_its_own(study: Any) -> None:
    folders = study.arms({"rgb": {}, "npr": {}}, seeds=2)
    more = [
        study.run(f"more/{name}/{seed}", name, seed, data__generators=["camera", "gan-a", "diffusion-b"])
        for name in ("rgb", "npr")
        for seed in (1, 2)
    ]
    both = compare([*folders, *more])
    assert [block.name for block in both.blocks] == [
        "data.generators = camera, gan-a",
        "data.generators = camera, gan-a, diffusion-b",
    ]
    alone = compare(folders).blocks[0]
    assert [block.family["auc"] for block in both.blocks] == [5, 5]
    assert (both.blocks[0].family, both.blocks[0].arms) == (alone.family, alone.arms)
    assert both.blocks[0].differences == alone.differences
    assert [table.title.split(" (")[0] for table in comparison_tables(both)][::2] == ["What each reaches"] * 2
    assert len(comparison_tables(both)) == 4 and len(comparison_findings(both)) == 2


def test_tables_line_up_and_say_it_all(found: ArmComparison) -> None:
    reached, differences = comparison_tables(found)
    assert reached.header[2:] == ("rgb", "npr", "a|b*") and differences.header[2:] == ("npr", "a|b*")
    for table in (reached, differences):
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert [row[0] for row in table.rows][:2] == ["gan-a* (143)", "diffusion-b (150)"]
    assert len(differences.rows) == 13
    cells = [cell for row in differences.rows for cell in row[2:]]
    number = r"[+−]?[\d.]+"
    verdict = r"((better|worse), p [<\d. ]+|\([\d.]+( %)?\))"
    pattern = rf"{number} \[{number}, {number}\] {verdict}"
    assert all(re.fullmatch(pattern, cell) for cell in cells), cells
    assert sum("better" in cell for cell in cells) == sum(
        one.verdict == "better" for one in found.blocks[0].differences
    )
    assert not any(re.search(r"[+−]0\.0+\b(?!\d)", cell) for cell in cells), "what rounds to nothing has no sign"
    npr, other = comparison_findings(found)
    assert npr.startswith("npr against rgb: AUC: better on diffusion-b; worse on ")
    assert "false alarms: worse on web; no significant difference on street*, studio* (none below " in npr
    assert other.count("no significant difference on any of") == 3
    assert "10 of AUC, 10 of TPR at 1 % FPR, 6 of false alarms" in " ".join(comparison_notes(found))


def test_markdown_has_whole_tables(found: ArmComparison) -> None:
    text = comparison_markdown(found)
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 2
    for table, columns in zip(tables, (5, 4), strict=True):
        assert {line.replace("\\|", "").count("|") for line in table.splitlines()} == {columns + 1}
    assert "| evaluated on |  | rgb | npr | a\\|b\\* |" in text
    assert "- npr against rgb: AUC: better on diffusion-b" in text


def test_figure_is_one_file_for_both_themes(found: ArmComparison, tmp_path: Path) -> None:
    path = tmp_path / "new" / "differences.svg"
    write_figure(found, path)
    text = path.read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    assert "prefers-color-scheme: dark" in text
    for variable in ("--ink", "--paper", "--faint", "--series-1", "--series-2"):
        assert f"var({variable})" in text and text.count(f"{variable}: #") == 2
    for words in ("npr", "a|b*", "diffusion-b (150)", "reals of web (120)", "no significant difference"):
        assert words in text
    assert forest(found) == text
    assert foreign_file({path: DIFFERENCES_FIGURE}) is None
    with pytest.raises(TrainError, match=r"ends in \.svg"):
        write_figure(found, tmp_path / "differences.png")


def test_runs_on_other_pictures_are_refused(study: Any) -> None:
    folders = study.arms({"rgb": {}, "npr": {}}, seeds=2)
    path = scores_path(open_run(folders[3]), "float")
    scores = read_scores(path)
    one = pl.col("path") == "b/0003.jpg"
    for changed in (scores.filter(~one), scores.with_columns(seen=pl.col("seen") | one)):
        assert not changed.equals(scores)
        changed.write_csv(path)
        with pytest.raises(TrainError, match=f"npr/2 {UNFAIR} as .*rgb/1, .* differ in 1, the first is b/0003.jpg"):
            compare(folders)


def test_the_order_of_the_rows_does_not_matter(study: Any) -> None:
    folders = study.arms({"rgb": {}, "npr": {}}, seeds=2)
    before = compare(folders)
    for folder in folders[1:]:
        path = scores_path(open_run(folder), "float")
        read_scores(path).sample(fraction=1, shuffle=True, seed=3).write_csv(path)
    assert compare(folders) == before


def test_what_is_unfinished_or_does_not_fit_is_refused(study: Any) -> None:
    folders = study.arms({"rgb": {}, "npr": {}}, seeds=2)
    with pytest.raises(TrainError, match="resamples is 10: intervals need at least 100"):
        compare(folders, resamples=10)
    with pytest.raises(TrainError, match="no finished qat state"):
        compare(folders, state="qat")
    for folder in folders:
        path = scores_path(open_run(folder), "float")
        read_scores(path).with_columns(path=pl.lit("x/") + pl.col("path")).write_csv(path)
    with pytest.raises(TrainError, match="its manifest does not name, the first is x/"):
        compare(folders)
    (study.folder / "manifest.csv").write_text(study.manifest.read_text().replace("4000", "4001"))
    with pytest.raises(TrainError, match="has changed since"):
        compare(folders)
