"""The report is one page that asks for nothing from elsewhere, with JSON and CSV that say the same."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from PIL import Image

from tests.train.parsed_page import ParsedPage
from train.common.errors import TrainError
from train.common.own_files import REPORT, foreign_file, in_folder
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import Evaluation, evaluate_scores
from train.evaluate.flips import count_flips
from train.evaluate.formatting import percent
from train.evaluate.metrics import Interval
from train.evaluate.report import summary
from train.evaluate.report.html import BaselineNote, Illustration, ReportPaths, read_evaluations, write_report
from train.evaluate.report.schema import report_schema
from train.evaluate.robustness.results import Robustness
from train.evaluate.shortcuts.explain import ShortcutBaseline, explain_auc

Chromium = Callable[[Path, Path], tuple[set[str], str]]

Scored = tuple[pl.DataFrame, OperatingPoints]

TITLE = 'Run 7: <script>alert("x")</script> & more'


def picture(path: str) -> bytes | None:
    if path.endswith("0.jpg"):
        return None
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 40, 90)).save(buffer, "PNG" if path[-5] in "1357" else "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def evaluations(scored: Scored, make: Callable[..., Scored]) -> tuple[Evaluation, Evaluation]:
    table = scored[0].with_columns(
        # names come from people's folders
        generator=pl.col("generator").replace("gan-a", "$gan$ <i>a</i>"),
        path=pl.concat_str(pl.lit("<b>"), "path"),
    )
    float_model = evaluate_scores(table, scored[1], name="float", resamples=20)
    return float_model, evaluate_scores(make(noise=0.2)[0], scored[1], name="int8", resamples=20)


@pytest.fixture(scope="module")
def written(
    evaluations: tuple[Evaluation, Evaluation],
    scored: Scored,
    make: Callable[..., Scored],
    withstood: Robustness,
    tmp_path_factory: pytest.TempPathFactory,
) -> ReportPaths:
    flips = count_flips(scored[0], make(noise=0.2)[0], scored[1], names=("float", "int8"), resamples=20)
    return write_report(
        tmp_path_factory.mktemp("report"),
        evaluations,
        title=TITLE,
        flips=[flips],
        recipe_text="[data]\nhomepage = 'https://example.org' # <!-- not markup -->\n",
        baseline=BaselineNote(0.612, "So the score is mostly not a file-format shortcut."),
        robustness=withstood,
        shortcuts=explain_auc(0.9, [ShortcutBaseline("framing", 0.88, 0.86, 0.9)], None),
        illustrations=[Illustration("mean heatmap of the fakes", picture("x.jpg") or b"", "int8")],
        thumbnails=picture,
    )


@pytest.fixture(scope="module")
def page(written: ReportPaths) -> ParsedPage:
    return ParsedPage(written.html.read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_titled(page: ParsedPage) -> None:
    assert page.open == []
    assert TITLE in page.texts
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "b:", "i")]
    assert sum(tag == "svg" for tag, _ in page.tags) == 7


def test_the_page_asks_for_nothing_from_elsewhere(written: ReportPaths, page: ParsedPage) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/")), (tag, name, value)
    html = written.html.read_text(encoding="utf-8")
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", html)
    policy = [attributes for tag, attributes in page.tags if attributes.get("http-equiv")]
    assert "default-src 'none'" in (policy[0]["content"] or "")


def test_no_id_comes_twice(page: ParsedPage) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {value[1:] for _, found in page.tags for value in [found.get("xlink:href")] if value}
    assert used <= set(ids)


def test_colours_of_figures_follow_the_theme(written: ReportPaths) -> None:
    html = written.html.read_text(encoding="utf-8")
    figures = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert set(re.findall(r"#[0-9a-f]{6}\b", figures)) == set()
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", figures)) <= set(re.findall(r"(--[a-z0-9-]+):", html))


def test_both_models_flips_and_the_metadata_baseline_are_on_the_page(page: ParsedPage) -> None:
    text = page.text
    for words in ("float → int8", "What it misses", "0.612", "$gan$ <i>a</i>", "noise of strength 10", "mean heatmap"):
        assert words in text
    pictures = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert any(source.startswith("data:image/png;base64,") for source in pictures)
    assert any(source.startswith("data:image/jpeg;base64,") for source in pictures)


def test_the_page_opens_with_the_shortcut_that_explains_the_figure(written: ReportPaths, page: ParsedPage) -> None:
    document = json.loads(written.json.read_text(encoding="utf-8"))
    sentence = document["shortcuts"]["sentence"]
    assert "eyes alone reach AUC 0.88" in sentence
    shown = " ".join("".join(page.texts).split())
    assert shown.index(sentence) < shown.index("What this detector catches")
    for alarms in document["prior_shift"]:
        assert alarms in shown


def test_json_holds_to_its_schema_and_the_schema_to_the_dataclasses(written: ReportPaths) -> None:
    """By jsonschema; docs/schemas/report.schema.json is renewed by writing `report_schema()` there."""
    validator = jsonschema.Draft202012Validator(report_schema())
    validator.check_schema(validator.schema)
    stored = Path(__file__).parents[4] / "docs" / "schemas" / "report.schema.json"
    assert json.loads(stored.read_text(encoding="utf-8")) == validator.schema
    document = json.loads(written.json.read_text(encoding="utf-8"))
    validator.validate(document)
    for broken in (
        document | {"format": 2},
        document | {"judgements": [{}]},
        {key: value for key, value in document.items() if key != "title"},
        document | {"prior_shift": [1]},
        document | {"shortcuts": {"sentence": "x"}},
    ):
        assert not validator.is_valid(broken)


def test_json_gives_the_evaluations_back(written: ReportPaths, evaluations: tuple[Evaluation, Evaluation]) -> None:
    assert read_evaluations(written.json) == evaluations
    document = json.loads(written.json.read_text())
    assert document["audit"]["auc"] == 0.612
    assert document["flips"][0]["second"] == "int8"


def test_csv_says_what_the_evaluation_says(written: ReportPaths, evaluations: tuple[Evaluation, Evaluation]) -> None:
    rows = list(csv.DictReader(written.csv.open(encoding="utf-8", newline="")))
    keys = [(row["model"], row["set"], row["name"], row["seen"], row["metric"]) for row in rows]
    assert len(keys) == len(set(keys))
    found = dict(zip(keys, rows, strict=True))
    row = found["int8", "generator", "diffusion-c", "False", "auc"]
    group = next(group for group in evaluations[1].generators if group.name == "diffusion-c")
    assert Interval(*(float(row[key]) for key in ("value", "low", "high"))) == group.metrics.auc
    assert int(row["n_fake"]) == group.called.n
    assert found["float", "real source", "web", "False", "called_fake_fpr_1"]


def test_risk_coverage_is_in_page_and_csv(written: ReportPaths, evaluations: tuple[Evaluation, Evaluation]) -> None:
    rows = list(csv.DictReader(written.risk_coverage.open(encoding="utf-8", newline="")))
    for evaluation in evaluations:
        for name, curve in (("overall", evaluation.risk_coverage), ("unseen", evaluation.unseen_risk_coverage)):
            mine = [row for row in rows if (row["model"], row["set"]) == (evaluation.name, name)]
            assert curve is not None
            assert tuple(float(row["risk"]) for row in mine if row["shipped"] == "False") == curve.risk
            assert [float(row["coverage"]) for row in mine if row["shipped"] == "True"] == [curve.shipped_coverage]
    assert "Risk and coverage" in written.html.read_text(encoding="utf-8")
    figures = list(csv.DictReader(written.csv.open(encoding="utf-8", newline="")))
    assert sum(row["metric"] == "aurc" for row in figures) == 4


def test_a_report_of_before_these_curves_is_read(written: ReportPaths, tmp_path: Path) -> None:
    document = json.loads(written.json.read_text(encoding="utf-8"))
    for one in document["judgements"]:
        del one["risk_coverage"], one["unseen_risk_coverage"]
    (tmp_path / "old.json").write_text(json.dumps(document), encoding="utf-8")
    assert all(one.risk_coverage is None for one in read_evaluations(tmp_path / "old.json"))


def test_writing_twice_gives_the_same_bytes(evaluations: tuple[Evaluation, Evaluation], tmp_path: Path) -> None:
    one = write_report(tmp_path / "1", evaluations, title="t")
    two = write_report(tmp_path / "2", evaluations, title="t")
    assert one.html.read_bytes() == two.html.read_bytes()
    assert foreign_file(in_folder(tmp_path / "1", REPORT)) is None
    assert sorted(path.name for path in one.html.parent.iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "risk_coverage.csv",
    ]


def test_a_perfect_detector_and_a_tiny_set_make_a_page_too(scored: Scored, tmp_path: Path) -> None:
    table = scored[0].filter("seen").with_columns(probability=(pl.col("label") == "fake").cast(pl.Float32))
    perfect = evaluate_scores(table, scored[1], name="perfect", resamples=5)
    assert perfect.mistakes == ()
    ParsedPage(write_report(tmp_path, [perfect], title="t").html.read_text(encoding="utf-8"))
    few = pl.concat(
        table.filter((pl.col("split") == "test") & (pl.col("label") == label)).head(1) for label in ("real", "fake")
    )
    tiny = evaluate_scores(few.with_columns(probability=pl.lit(0.5)), scored[1], name="tiny", resamples=5)
    page = ParsedPage(write_report(tmp_path, [tiny], title="t").html.read_text(encoding="utf-8"))
    assert "Read with care." in page.texts


def test_the_words_on_top_tell_the_bad_news(evaluations: tuple[Evaluation, Evaluation]) -> None:
    words = " ".join(summary.misses(evaluations[0]))
    assert "diffusion-c, which it never saw in training" in words
    assert "web, pictures of a kind it never saw" in words
    caught = evaluations[0].fakes.fpr_1
    assert percent(caught.value) in summary.catches(evaluations[0])[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 %"), (0.005, "0.5 %"), (0.874, "87 %"), (0.996, "99.6 %"), (0.9999, "100 %"), (1, "100 %")],
)
def test_percent(value: float, text: str) -> None:
    assert percent(value).replace("\N{NO-BREAK SPACE}", " ") == text


def test_what_cannot_be_reported_or_read_is_refused(evaluations: tuple[Evaluation, Evaluation], tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="Nothing to report"):
        write_report(tmp_path, [], title="t")
    with pytest.raises(TrainError, match="share a name"):
        write_report(tmp_path, [evaluations[0], evaluations[0]], title="t")
    with pytest.raises(TrainError, match="does not exist"):
        read_evaluations(tmp_path / "report.json")
    for text, word in (("{", "is not JSON"), ("[]", "format 1"), ('{"format": 1, "judgements": [{}]}', "name")):
        (tmp_path / "report.json").write_text(text)
        with pytest.raises(TrainError, match=word):
            read_evaluations(tmp_path / "report.json")


def test_chromium_shows_the_page_and_makes_no_request(written: ReportPaths, tmp_path: Path, chromium: Chromium) -> None:
    asked, dom = chromium(written.html, tmp_path)
    assert "<title>Run 7: &lt;script&gt;" in dom
    assert dom.count("<svg") == 7
    assert asked == set()


def test_chromium_would_have_shown_a_request(tmp_path: Path, chromium: Chromium) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!DOCTYPE html><title>x</title><img src="https://pictures.invalid/x.png">')
    assert chromium(page, tmp_path)[0] == {"https://pictures.invalid/x.png"}
