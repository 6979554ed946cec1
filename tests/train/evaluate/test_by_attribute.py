"""Groups of people: rates, AUC and gaps as counted by hand; what is too small or missing is said."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from scipy.stats import hypergeom
from sklearn.metrics import accuracy_score, roc_auc_score

from train.cli.terminal import print_table
from train.common.errors import TrainError
from train.data.faces.skin_tone import NOTE
from train.evaluate.by_attribute import ENOUGH, ByAttribute, compare_groups, parse_by
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import POINTS, evaluate_scores
from train.evaluate.metrics import wilson
from train.evaluate.plain import from_plain, to_plain
from train.evaluate.report.attribute_tables import group_findings, group_tables, groups_csv
from train.evaluate.report.html import write_report
from train.evaluate.selection import rows_to_report

Scored = tuple[pl.DataFrame, OperatingPoints]


@pytest.fixture(scope="module")
def attributes(scored: Scored) -> pl.DataFrame:
    """Half women, a fifth without a word on it; a race that few have and one of a single picture."""
    random = np.random.default_rng(3)
    paths = scored[0]["path"]
    words = np.array(["female", "male", None], object)
    sex = random.choice(words, len(paths), p=[0.45, 0.35, 0.2])
    race = random.choice(["Southeast Asian", "White", "Black"], len(paths), p=[0.5, 0.47, 0.03]).astype(object)
    first = rows_to_report(scored[0])["path"][0]
    race[paths.to_list().index(first)] = "of one"
    return pl.DataFrame({"path": paths, "sex": pl.Series(sex, dtype=pl.String), "race": pl.Series(race.tolist())})


def found_by(scored: Scored, attributes: pl.DataFrame, *by: str) -> ByAttribute:
    return compare_groups(scored[0], attributes, by, scored[1], name="m", resamples=30)


@pytest.mark.parametrize("by", [("sex",), ("race",), ("sex", "race")])
def test_rates_and_gaps_are_those_counted_by_hand(
    scored: Scored, attributes: pl.DataFrame, by: tuple[str, ...]
) -> None:
    table, points = scored
    values = {row["path"]: [row[name] for name in by] for row in attributes.iter_rows(named=True)}
    people: dict[str, list[tuple[bool, float]]] = {}
    without = 0
    for row in rows_to_report(table).iter_rows(named=True):
        mine = values[row["path"]]
        if None in mine:
            without += 1
        else:
            people.setdefault(" + ".join(mine), []).append((row["label"] == "fake", row["probability"]))
    found = found_by(scored, attributes, *by)
    assert [group.name for group in found.groups] == sorted(people)
    assert found.without == without
    levels: dict[tuple[str, str], dict[str, float]] = {}
    for group in found.groups:
        scores = people[group.name]
        for fake, called, rate in ((False, group.reals, "fpr"), (True, group.fakes, "tpr")):
            mine = [probability for is_fake, probability in scores if is_fake == fake]
            assert len(mine) == (group.n_fake if fake else group.n_real)
            for point in POINTS if mine else ():
                hits = sum(probability >= getattr(points, point) for probability in mine)
                assert getattr(called, point) == wilson(hits, len(mine))
                if len(mine) >= ENOUGH:
                    levels.setdefault((rate, point), {})[group.name] = hits / len(mine)
        for point in POINTS if min(group.n_real, group.n_fake) >= ENOUGH else ():
            called_fake = [probability >= getattr(points, point) for _, probability in scores]
            right = [called == fake for called, (fake, _) in zip(called_fake, scores, strict=True)]
            levels.setdefault(("called_fake", point), {})[group.name] = sum(called_fake) / len(scores)
            levels.setdefault(("accuracy", point), {})[group.name] = sum(right) / len(scores)
        if min(group.n_real, group.n_fake) >= ENOUGH:
            assert group.auc is not None
            assert group.auc.value == pytest.approx(roc_auc_score(*zip(*scores, strict=True)), abs=1e-12)
        else:
            assert group.auc is None
    assert {(gap.rate, gap.point) for gap in found.gaps} == {key for key, level in levels.items() if len(level) > 1}
    for gap in found.gaps:
        level = levels[gap.rate, gap.point]
        assert gap.gap == pytest.approx(max(level.values()) - min(level.values()), abs=1e-12)
        assert (level[gap.highest], level[gap.lowest]) == (max(level.values()), min(level.values()))
        assert (gap.highest_rate.value, gap.lowest_rate.value) == (level[gap.highest], level[gap.lowest])
        assert gap.groups == len(level)


def test_gaps_are_those_of_fairlearn(scored: Scored, attributes: pl.DataFrame) -> None:
    fairlearn = pytest.importorskip("fairlearn.metrics", reason="fairlearn is of the extra dev")
    table, points = scored
    rows = rows_to_report(table).join(attributes, on="path").drop_nulls("sex")
    found = found_by(scored, attributes, "sex")
    fake = (rows["label"] == "fake").to_numpy()
    assert {one.point for one in found.equalised_odds} == set(POINTS)
    for point in POINTS:
        called = rows["probability"].to_numpy() >= getattr(points, point)
        of = {"sensitive_features": rows["sex"].to_numpy()}
        accuracy = fairlearn.MetricFrame(metrics=accuracy_score, y_true=fake, y_pred=called, **of)
        expected = {
            "fpr": fairlearn.false_positive_rate_difference(fake, called, **of),
            "tpr": fairlearn.true_positive_rate_difference(fake, called, **of),
            "called_fake": fairlearn.demographic_parity_difference(fake, called, **of),
            "accuracy": accuracy.difference(),
        }
        gaps = {gap.rate: gap.gap for gap in found.gaps if gap.point == point}
        assert gaps == pytest.approx(expected, abs=1e-12)
        (odds,) = (one for one in found.equalised_odds if one.point == point)
        assert odds.gap == pytest.approx(fairlearn.equalized_odds_difference(fake, called, **of), abs=1e-12)
        assert gaps[odds.rate] == odds.gap


def test_chance_is_that_of_the_exact_permutation_test(scored: Scored, attributes: pl.DataFrame) -> None:
    found = found_by(scored, attributes, "sex")
    first, second = found.groups
    assert found.gaps
    for gap in found.gaps:
        if gap.rate not in ("fpr", "tpr"):
            continue
        pair = [(one.reals if gap.rate == "fpr" else one.fakes) for one in (first, second)]
        a, b = (one.n for one in pair if one is not None)
        hits = round(sum(getattr(one, gap.point).value * one.n for one in pair if one is not None))
        x = np.arange(max(0, hits - b), min(a, hits) + 1)
        large = np.abs(x / a - (hits - x) / b) >= gap.gap - 1e-12
        assert gap.chance == pytest.approx(hypergeom(a + b, hits, a).pmf(x)[large].sum(), abs=0.02)


def test_a_gap_that_is_there_is_not_put_down_to_chance(scored: Scored, attributes: pl.DataFrame) -> None:
    table, points = scored
    men = attributes.filter(pl.col("sex") == "male")["path"].to_list()
    worse = pl.col("path").is_in(men) & (pl.col("label") == "real")
    unfair = table.with_columns(
        probability=pl.when(worse).then(pl.col("probability") * 0.3 + 0.7).otherwise("probability")
    )
    gap = compare_groups(unfair, attributes, ("sex",), points, name="m", resamples=5).gaps[0]
    assert (gap.rate, gap.highest, gap.lowest) == ("fpr", "male", "female")
    assert gap.gap > 0.2
    assert gap.chance < 0.01


def test_small_groups_and_missing_values_are_said(scored: Scored, attributes: pl.DataFrame) -> None:
    found = found_by(scored, attributes, "race")
    assert {"Black", "of one"} <= set(found.too_few_reals) & set(found.too_few_fakes)
    assert all(not {gap.highest, gap.lowest} & {"Black", "of one"} for gap in found.gaps)
    said = " ".join(group_findings(found))
    assert "Too few reals (under 50): Black, of one." in said
    assert "too few" in group_tables(found)[0].rows[0]
    assert f"{found_by(scored, attributes, 'sex').without:,} reported pictures without a value of sex" in " ".join(
        group_findings(found_by(scored, attributes, "sex"))
    )
    nobody = attributes.with_columns(sex=pl.lit(None, pl.String))
    assert group_findings(found_by(scored, nobody, "sex")) == (
        "By sex: no reported picture has a value, so nothing can be said.",
    )
    only_reals = attributes.filter(pl.col("path").is_in(scored[0].filter(pl.col("label") == "real")["path"].to_list()))
    half = found_by(scored, only_reals, "sex")
    assert len(group_tables(half)) == 1
    assert "No fake picture has a value of sex: there are no results for fakes." in group_findings(half)


def test_a_gap_is_never_without_its_levels(scored: Scored, attributes: pl.DataFrame) -> None:
    found = found_by(scored, attributes, "sex")
    gaps = [sentence for sentence in group_findings(found) if "a gap of" in sentence]
    assert len(gaps) == sum(gap.gap > 0 for gap in found.gaps if gap.rate in ("fpr", "tpr")) > 0
    joint = [sentence for sentence in group_findings(found) if "mix of real and fake" in sentence]
    assert len(joint) == 2
    for sentence in joint:
        assert sentence.count("female ") == sentence.count("male ") - sentence.count("female ") == 3
    for sentence in gaps:
        assert all(f"{name} " in sentence for name in ("female", "male"))
        assert sentence.count("[") == 2


def test_tables_fit_80_columns_and_are_whole(
    scored: Scored, attributes: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr("train.cli.terminal.console", lambda: Console(file=out, width=80))
    for table in group_tables(found_by(scored, attributes, "sex", "race")):
        print_table(table.title, table.header, table.rows)
        for cell in [cell for row in table.rows for cell in row[1:]]:
            assert cell in out.getvalue()
    assert "…" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_a_report_carries_the_groups(scored: Scored, attributes: pl.DataFrame, tmp_path: Path) -> None:
    table, points = scored
    every = [found_by(scored, attributes, "sex"), found_by(scored, attributes, "sex", "race")]
    evaluation = evaluate_scores(table, points, name="m", resamples=5)
    paths = write_report(tmp_path, [evaluation], title="t", by_attribute=every)
    document = json.loads(paths.json.read_text(encoding="utf-8"))
    assert [from_plain(ByAttribute, one) for one in document["by_attribute"]] == every
    assert every == [from_plain(ByAttribute, to_plain(one)) for one in every]
    html = paths.html.read_text(encoding="utf-8")
    assert "<h2>Groups of people</h2>" in html
    assert all(f"<p>{sentence}</p>" in html for sentence in group_findings(every[0]))
    assert paths.groups is not None
    text = paths.groups.read_text(encoding="utf-8")
    assert text == groups_csv(every)
    rows = list(csv.DictReader(io.StringIO(text)))
    (women,) = [
        row
        for row in rows
        if (row["by"], row["group"], row["metric"], row["point"]) == ("sex", "female", "fpr", "fpr_1")
    ]
    female = every[0].groups[0]
    assert female.reals is not None
    assert float(women["value"]) == female.reals.fpr_1.value
    assert sum(row["metric"].endswith("_gap") for row in rows) == sum(len(one.gaps) for one in every)
    # Without groups that of the report before goes, and one of somebody else stays.
    assert write_report(tmp_path, [evaluation], title="t").groups is None
    assert not paths.groups.exists()
    paths.groups.write_text("mine", encoding="utf-8")
    assert write_report(tmp_path, [evaluation], title="t").groups is None
    assert paths.groups.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age", "m.csv has no attribute 'age' to group by: choose from race, sex."),
        ("skin_tone", "to group by: choose from race, sex; `fauxlens data faces MANIFEST --skin-tone` estimates"),
        ("label", "no attribute 'label'"),
        ("sex,,race", "no attribute ''"),
        ("sex+sex", "'sex+sex' names an attribute twice"),
        ("sex+race,race+sex", "names the same groups twice"),
    ],
)
def test_unknown_attributes_are_refused(attributes: pl.DataFrame, text: str, words: str) -> None:
    with pytest.raises(TrainError) as caught:
        parse_by(text, attributes.with_columns(label=pl.lit("real")), "m.csv")
    assert words in str(caught.value)


def test_an_estimated_skin_tone_is_said_to_be_one(scored: Scored, attributes: pl.DataFrame) -> None:
    estimated = attributes.rename({"race": "skin_tone_estimated"})
    assert NOTE in group_findings(found_by(scored, estimated, "skin_tone_estimated"))
    assert NOTE in group_findings(found_by(scored, estimated, "sex", "skin_tone_estimated"))
    assert NOTE not in group_findings(found_by(scored, attributes, "race"))


def test_attributes_are_read_alone_and_joined(attributes: pl.DataFrame) -> None:
    assert parse_by("sex, race,sex+race", attributes, "m") == (("sex",), ("race",), ("sex", "race"))
    prompts = attributes.with_columns(prompt=pl.col("path"))
    with pytest.raises(TrainError, match=r"'sex\+prompt' makes 1,\d+ groups"):
        parse_by("sex+prompt", prompts, "m")
    with pytest.raises(TrainError, match="it has none; add a column"):
        parse_by("sex", attributes.select("path"), "m")
