"""Robustness of a detector: the right pictures, the right way through the view, and figures that follow the scores."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from train.common.errors import DataError, TrainError
from train.data.manifest import SCHEMA, Manifest
from train.data.rows import eyes_of, select_rows, view_row
from train.evaluate.calibration import OperatingPoints
from train.evaluate.evaluation import evaluate_scores
from train.evaluate.robustness.apply import RobustnessSubject, choose_pictures, corrupted_views, find_robustness
from train.evaluate.robustness.corruptions import STANDARD, UNCORRUPTED, Corruption, corrupt
from train.evaluate.scores import check_scores
from train.image.decode import decode
from train.image.view import UNCLEAR, Unclear, apply_view, parse_view

VIEW = parse_view("upright|square|resize(32)")
FACE_VIEW = parse_view("upright|face(2.4)|resize(32)")
POINTS = OperatingPoints(0.55, 0.6, 0.65, 0.45)

PARTS = (
    # label, generator, source, count
    ("real", "camera", "studio", 20),
    ("real", "camera", "web", 8),
    ("fake", "gan", "a", 18),
    ("fake", "diffusion", "b", 6),
)


@dataclass(frozen=True)
class Drawn:
    """A manifest of 52 drawn pictures, and its scores table by `grain`; fakes have more fine grain than reals."""

    manifest: Manifest
    scores: pl.DataFrame


def grain(views: np.ndarray) -> np.ndarray:
    """P(fake) of views by how much neighbouring pixels differ: 0.5 at a mean difference of 10 grey levels."""
    assert views.dtype == np.uint8
    assert views.shape[1:] == (32, 32, 3)
    fine = np.abs(np.diff(views.astype(float), axis=2)).mean(axis=(1, 2, 3))
    return (1 / (1 + np.exp(-(fine - 10) / 2))).astype(np.float32)


def brightness(views: np.ndarray) -> np.ndarray:
    return (views.mean(axis=(1, 2, 3)) / 255).astype(np.float32)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("corrupting")
    random = np.random.default_rng(6)
    rows = []
    for label, generator, source, count in PARTS:
        for index in range(count):
            fake = label == "fake"
            # Darker fakes, so that brightness tells them, too, from the other side.
            pixels = random.normal(140 - 40 * fake, random.uniform(12, 26) + 10 * fake, (40, 48, 3))
            path = folder / f"{source}-{index:02}.png"
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
            faces = (1, 1, 0, 2)[index % 4]
            rows.append(
                {
                    "path": path.name,
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "phash": "0" * 16,
                    "width": 48,
                    "height": 40,
                    "format": "PNG",
                    "bytes": path.stat().st_size,
                    "label": label,
                    "generator": generator,
                    "family": "camera" if label == "real" else "unknown",
                    "source": source,
                    "group": path.name,
                    "split": "train" if source == "studio" and index >= 16 else "test",
                    "faces": faces,
                    "eye_x": 22.5 if faces else None,
                    "eye_y": 18.25 if faces else None,
                    "eye_distance": 11.0 if faces else None,
                }
            )
    frame = pl.DataFrame(rows, schema={name: kind() for name, kind in SCHEMA.items()})
    manifest = Manifest(frame, folder)
    views = np.stack([view_row(manifest, row, VIEW, "drop") for row in frame.iter_rows(named=True)])
    scores = frame.with_columns(
        seen=pl.col("source").is_in(["studio", "a"]), log_odds=pl.lit(0.0), probability=pl.Series(grain(views))
    )
    return Drawn(manifest, check_scores(scores))


@pytest.fixture
def subject(drawn: Drawn) -> RobustnessSubject:
    return RobustnessSubject("grain", drawn.scores, POINTS, grain)


def test_uncorrupted_figures_are_those_of_the_evaluation(drawn: Drawn, subject: RobustnessSubject) -> None:
    found = find_robustness([subject], drawn.manifest, VIEW, (), pictures=1000)
    evaluated = evaluate_scores(drawn.scores, POINTS, name="grain")
    (one,) = found.conditions
    assert evaluated.unseen is not None
    assert one.unseen is not None
    assert (one.reals, one.fakes) == (evaluated.reals, evaluated.fakes)
    # Intervals depend on the order of the pictures in the last digit.
    for mine, theirs in ((one.overall, evaluated.overall), (one.unseen, evaluated.unseen)):
        assert (mine.n_real, mine.n_fake, mine.confusion) == (theirs.n_real, theirs.n_fake, theirs.confusion)
        for name in ("auc", "ap", "eer", "tpr_at_1", "ece"):
            assert getattr(mine, name).value == pytest.approx(getattr(theirs, name).value)
    assert 0.8 < one.overall.auc.value < 1
    assert one.flips.verdict.value == 0
    assert (found.n, found.n_judged, found.n_real, found.n_fake, found.median_side) == (48, 48, 24, 24, 40)


def test_a_detector_falls_with_what_it_looks_at(drawn: Drawn, subject: RobustnessSubject) -> None:
    other = RobustnessSubject("brightness", drawn.scores, POINTS, lambda views: 1 - brightness(views))
    found = find_robustness([subject, other], drawn.manifest, VIEW, STANDARD)
    assert [one.text for one in found.of("grain")] == ["none", *(one.text for one in STANDARD)]
    by_grain = {one.text: one for one in found.of("grain")}
    assert by_grain["none"].overall.auc.value > 0.8
    # Blurred, everything looks real: the threshold catches nothing any more.
    assert by_grain["none"].fakes.balanced.value > 0.8
    assert by_grain["blur(2)"].fakes.balanced.value == 0
    assert by_grain["blur(2)"].flips.verdict.value > 0.3
    # Noise makes grain: reals are accused.
    assert by_grain["noise(10)"].reals.balanced.value > by_grain["none"].reals.balanced.value
    assert all(one.overall.auc.value > 0.95 for one in found.of("brightness"))


def test_the_same_again_is_the_same(drawn: Drawn, subject: RobustnessSubject) -> None:
    shuffled = Manifest(drawn.manifest.frame.sample(fraction=1, shuffle=True, seed=1), drawn.manifest.folder)
    other = RobustnessSubject("grain", drawn.scores.sample(fraction=1, shuffle=True, seed=2), POINTS, grain)
    runs = [
        find_robustness([one], m, VIEW, STANDARD, pictures=20)
        for one, m in ((subject, drawn.manifest), (other, shuffled))
    ]
    assert runs[0] == runs[1]


def test_pictures_that_may_not_be_evaluated_are_not_even_read(
    drawn: Drawn, subject: RobustnessSubject, tmp_path: Path
) -> None:
    for row in drawn.manifest.frame.filter(pl.col("split") != "train").iter_rows(named=True):
        (tmp_path / row["path"]).write_bytes((drawn.manifest.folder / row["path"]).read_bytes())
    moved = Manifest(drawn.manifest.frame, tmp_path)
    assert find_robustness([subject], moved, VIEW, (), pictures=1000).n == 48
    (tmp_path / "a-03.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"a-03\.png has changed since the scan"):
        find_robustness([subject], moved, VIEW, (), pictures=1000)


def test_progress_is_told_to_the_end(drawn: Drawn, subject: RobustnessSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.evaluate.robustness.apply._AT_ONCE", 32)
    told: list[tuple[int, int]] = []
    find_robustness([subject], drawn.manifest, VIEW, (), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(32, 48), (48, 48)]


@pytest.mark.parametrize("view", [VIEW, FACE_VIEW], ids=lambda view: view.text)
@pytest.mark.parametrize("unclear", UNCLEAR)
def test_uncorrupted_views_are_those_of_the_store(drawn: Drawn, view: object, unclear: Unclear) -> None:
    assert view in (VIEW, FACE_VIEW)
    chosen = VIEW if view == VIEW else FACE_VIEW
    for row in select_rows(drawn.manifest, chosen, unclear).frame.head(8).iter_rows(named=True):
        (found,) = corrupted_views(drawn.manifest, row, view=chosen, unclear=unclear, corruptions=[UNCORRUPTED])
        assert np.array_equal(found, view_row(drawn.manifest, row, chosen, unclear))


@pytest.mark.parametrize(
    ("faces", "unclear", "expected"),
    [(1, "drop", "face"), (0, "centre", "square"), (2, "centre", "square"), (0, "keep", "square"), (2, "keep", "face")],
)
def test_the_policy_chooses_the_square_of_a_corrupted_picture(
    drawn: Drawn, faces: int, unclear: Unclear, expected: str
) -> None:
    row = next(drawn.manifest.frame.filter(pl.col("faces") == faces).iter_rows(named=True))
    half = Corruption("downscale", 0.5)
    (found,) = corrupted_views(drawn.manifest, row, view=FACE_VIEW, unclear=unclear, corruptions=[half])
    picture, eyes = corrupt(half, decode(drawn.manifest.folder / row["path"]), eyes_of(row), 0)
    assert np.array_equal(found, apply_view(FACE_VIEW if expected == "face" else VIEW, picture, eyes))


def test_a_picture_that_the_policy_leaves_out_is_refused(drawn: Drawn) -> None:
    row = next(drawn.manifest.frame.filter(pl.col("faces") == 2).iter_rows(named=True))
    with pytest.raises(DataError, match="2 faces and 'drop' skips such pictures"):
        corrupted_views(drawn.manifest, row, view=FACE_VIEW, unclear="drop", corruptions=STANDARD)


def rows_of(sizes: dict[tuple[str, str], int]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {
                "path": [f"{label}/{source}/{index}" for index in range(size)],
                "label": [label] * size,
                "generator": [source] * size,
                "source": [source] * size,
                "sha256": [hashlib.sha256(f"{label}{source}{index}".encode()).hexdigest() for index in range(size)],
            }
        )
        for (label, source), size in sizes.items()
    )


SIZES = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 30), min_size=1)


@settings(deadline=None)
@given(SIZES, SIZES, st.integers(2, 80))
def test_a_sample_is_balanced_over_classes_and_sources(
    reals: dict[str, int], fakes: dict[str, int], count: int
) -> None:
    sizes = {("real", name): n for name, n in reals.items()} | {("fake", name): n for name, n in fakes.items()}
    rows = rows_of(sizes)
    chosen = choose_pictures(rows, count)
    assert chosen["path"].is_unique().all()
    assert chosen.height == min(count, rows.height)
    got = {(label, source): len(part) for (label, source), part in chosen.group_by("label", "source")}
    for label in ("real", "fake"):
        taken = {source: got.get((label, source), 0) for (one, source) in sizes if one == label}
        most = max(taken.values())
        # Whoever gives less than another by more than one has no more.
        assert all(n >= most - 1 or n == sizes[label, source] for source, n in taken.items())
    n_real = sum(n for (label, _), n in got.items() if label == "real")
    assert abs(2 * n_real - chosen.height) <= 1 or n_real in (sum(reals.values()), chosen.height - sum(fakes.values()))
    again = choose_pictures(rows.sample(fraction=1, shuffle=True, seed=count), count)
    assert again["path"].to_list() == chosen["path"].to_list()


def test_a_few_more_pictures_hardly_change_the_choice() -> None:
    rows = rows_of({("real", "a"): 200, ("fake", "b"): 200})
    before, after = (set(choose_pictures(one, 40)["path"]) for one in (rows[:-4], rows))
    assert len(before & after) >= 36


def test_what_cannot_be_sampled_is_refused(drawn: Drawn, subject: RobustnessSubject) -> None:
    with pytest.raises(TrainError, match="at least 2"):
        find_robustness([subject], drawn.manifest, VIEW, STANDARD, pictures=1)
    reals = drawn.scores.filter(pl.col("label") == "real")
    with pytest.raises(TrainError, match="real and fake"):
        find_robustness([RobustnessSubject("r", reals, POINTS, grain)], drawn.manifest, VIEW, STANDARD)
    train = drawn.scores.filter(pl.col("split") == "train")
    with pytest.raises(TrainError, match="real and fake"):
        find_robustness([RobustnessSubject("t", train, POINTS, grain)], drawn.manifest, VIEW, STANDARD)
