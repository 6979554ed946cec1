"""Faces: eyes in the upright picture's pixels, found once, whatever is done to the work in between."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from train.common.errors import DataError, TrainError
from train.data.cards.reader import usual_layout
from train.data.faces.cache import FaceCount, append_to_cache, as_frame, faces_cache_path, open_cache
from train.data.faces.find import find_faces
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.data.scan.scan import scan
from train.data.store import pack
from train.image.decode import Picture, decode
from train.image.face import PROFILE, RIVAL_SHARE, Face, FaceDetector, choose_face
from train.image.face_finder.finder import blazeface_detector
from train.image.view import Eyes, apply_view, parse_view

Drawn = tuple[float, float, float]
"""A drawn face: x and y of the eyes' midpoint, and their distance, in pixels of the upright picture."""


def draw_faces(seed: int, width: int, height: int, faces: Sequence[Drawn]) -> Image.Image:
    """A grey texture with a face for each entry: the left eye is a red square, the right one a blue square."""
    grey = np.random.default_rng(seed).integers(90, 160, (height, width, 1)).astype(np.uint8).repeat(3, axis=2)
    for x, y, distance in faces:
        for eye, colour in ((x - distance / 2, (255, 0, 0)), (x + distance / 2, (0, 0, 255))):
            half = max(1, round(distance / 8))
            grey[round(y) - half : round(y) + half, round(eye) - half : round(eye) + half] = colour
    return Image.fromarray(grey)


def find_drawn(pixels: np.ndarray) -> list[Face]:
    """Find the faces of `draw_faces` by their colours alone, pairing eyes from left to right."""

    def middles(channel: int) -> list[tuple[float, float]]:
        labels, count = ndimage.label(pixels[..., channel].astype(int) - pixels[..., 1] > 80)
        spots = ndimage.center_of_mass(labels > 0, labels, range(1, count + 1))
        return sorted((float(x) + 0.5, float(y) + 0.5) for y, x in spots)

    found = []
    for left, right in zip(middles(0), middles(2), strict=True):
        x, y, distance = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2, right[0] - left[0]
        found.append(Face((x - distance, y - distance, x + distance, y + 2 * distance), left, right))
    return found


class Watched:
    """The detector of drawn faces; remembers how many pictures it saw, and stops after `patience` of them."""

    def __init__(self, patience: int = 10**6) -> None:
        self.seen, self.sizes, self.patience = 0, set[tuple[int, ...]](), patience

    def __call__(self, pixels: np.ndarray) -> list[Face]:
        if self.seen >= self.patience:
            raise KeyboardInterrupt
        self.seen += 1
        self.sizes.add(pixels.shape)
        return find_drawn(pixels)


def detector(watched: Watched | None = None, name: str = "drawn 1") -> FaceDetector:
    return FaceDetector(name, watched or Watched(), most_processes=1)


def drawn_face(index: int) -> Drawn:
    return 40.0 + index % 7, 44.0 + index % 5, 16.0


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """20 real and 20 fake portraits of 96 x 96 pixels, each with one drawn face, and a manifest of them."""
    folder = tmp_path / "set"
    for index in range(40):
        path = folder / ("real" if index < 20 else "fake/gan") / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_faces(index, 96, 96, [drawn_face(index)]).save(path)
    write_manifest(scan(folder, usual_layout(), manifest_path=folder / "m.csv")[0], folder / "m.csv")
    return folder / "m.csv"


def find(manifest: Path, watched: Watched | None = None, *, name: str = "drawn 1", workers: int = 2) -> pl.DataFrame:
    found = find_faces(read_manifest(manifest), detector(watched, name), faces_cache_path(manifest), workers=workers)
    write_manifest(found, manifest)
    return found.frame


def one_picture(folder: Path, image: Image.Image, **options: object) -> Manifest:
    """A manifest of one real picture (and one fake, which a manifest needs, without a face)."""
    for name, content in (("real/a.png", image), ("fake/b.png", draw_faces(7, 64, 64, []))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content.save(folder / name, **(options if name == "real/a.png" else {}))  # type: ignore[arg-type]
    return scan(folder, usual_layout(), manifest_path=folder / "m.csv")[0]


def geometry(frame: pl.DataFrame) -> tuple[int, float, float, float]:
    row = frame.filter(label="real").row(0, named=True)
    return row["faces"], row["eye_x"], row["eye_y"], row["eye_distance"]


def test_every_row_gets_the_eyes_that_were_drawn(portraits: Path) -> None:
    frame = find(portraits)
    for row in frame.iter_rows(named=True):
        x, y, distance = drawn_face(int(Path(row["path"]).stem))
        assert (row["faces"], row["eye_x"], row["eye_y"], row["eye_distance"]) == (1, x, y, distance)
    assert frame["path"].to_list() == read_manifest(portraits).frame["path"].to_list()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_eyes_are_given_in_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    upright = draw_faces(0, 160, 120, [(70.0, 52.0, 24.0)])
    # What a camera that was held otherwise stores, so that EXIF turns it back.
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    manifest = one_picture(tmp_path, stored, exif=exif)
    assert geometry(find_faces(manifest, detector(), tmp_path / "cache").frame) == (1, 70.0, 52.0, 24.0)


def test_no_and_several_faces_are_flagged(tmp_path: Path) -> None:
    two = draw_faces(0, 200, 100, [(40.0, 40.0, 16.0), (140.0, 40.0, 24.0)])
    frame = find_faces(one_picture(tmp_path, two), detector(), tmp_path / "cache").frame
    assert geometry(frame) == (2, 140.0, 40.0, 24.0)
    none = frame.filter(label="fake").row(0, named=True)
    assert (none["faces"], none["eye_x"], none["eye_y"], none["eye_distance"]) == (0, None, None, None)


def face(x: float, y: float, side: float) -> Face:
    return Face((x - side / 2, y - side / 2, x + side / 2, y + side / 2), (x - side / 5, y), (x + side / 5, y))


def test_the_largest_face_is_meant_and_much_smaller_ones_do_not_count() -> None:
    large, rival, poster = face(50, 50, 40), face(120, 50, 40 * RIVAL_SHARE), face(120, 90, 39.9 * RIVAL_SHARE)
    assert choose_face([large, poster], 200, 100) == (1, large.eyes)
    assert choose_face([poster, rival, large], 200, 100) == (2, large.eyes)


def test_a_second_box_on_the_same_face_does_not_count() -> None:
    assert choose_face([face(50, 50, 40), face(60, 55, 30)], 100, 100)[0] == 1
    assert choose_face([face(50, 50, 40), face(85, 50, 30)], 100, 100)[0] == 2


def test_faces_that_no_view_could_be_cut_around_do_not_count() -> None:
    assert choose_face([face(-1, 50, 60)], 100, 100) == (0, None)
    assert choose_face([Face((20, 20, 20, 20), (20, 20), (20, 20))], 100, 100) == (0, None)
    assert choose_face([face(-1, 50, 60), face(50, 50, 20)], 100, 100)[0] == 1


@given(faces=st.lists(st.builds(face, *[st.integers(-20, 120)] * 2, st.integers(1, 90)), max_size=6), data=st.data())
def test_the_order_of_faces_does_not_matter(faces: list[Face], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(faces))
    count, eyes = choose_face(faces, 100, 100)
    assert choose_face(shuffled, 100, 100) == (count, eyes)
    assert (count == 0) == (eyes is None)
    if eyes is not None:
        picture = Picture(np.zeros((100, 100, 3), np.uint8), 1, "PNG", None, ())
        apply_view(parse_view("upright|face(2.4)|resize(8)"), picture, eyes)


def test_a_finished_manifest_needs_no_picture(portraits: Path) -> None:
    first = find(portraits)
    for path in portraits.parent.rglob("*.png"):
        path.unlink()
    watched, steps = Watched(), list[tuple[int, int]]()
    again = find_faces(
        read_manifest(portraits),
        detector(watched),
        faces_cache_path(portraits),
        on_progress=lambda *step: steps.append(step),
    )
    assert again.frame.equals(first)
    assert (watched.seen, steps) == (0, [])


def test_an_interrupted_search_goes_on_where_it_was(portraits: Path) -> None:
    stopped, rest = Watched(patience=20), Watched()
    with pytest.raises(KeyboardInterrupt):
        find(portraits, stopped)
    frame = find(portraits, rest)
    assert 0 < stopped.seen < 40
    # At most a chunk is lost.
    assert 40 - stopped.seen <= rest.seen < 40
    assert frame["faces"].to_list() == [1] * 40


def test_later_pictures_cost_only_themselves_and_equal_ones_nothing(portraits: Path) -> None:
    find(portraits)
    folder = portraits.parent / "real"
    draw_faces(99, 96, 96, [(50.0, 50.0, 20.0)]).save(folder / "new.png")
    for twin, picture in (("new-twin.png", "new.png"), ("old-twin.png", "03.png")):
        (folder / twin).write_bytes((folder / picture).read_bytes())
    grown = scan(portraits.parent, usual_layout(), manifest_path=portraits, previous=read_manifest(portraits))[0]
    write_manifest(grown, portraits)
    watched = Watched()
    frame = find(portraits, watched)
    assert watched.seen == 1
    assert frame["path"].to_list() == grown.frame["path"].to_list()
    eyes = {Path(path).stem: (x, y) for path, x, y in frame.select("path", "eye_x", "eye_y").iter_rows()}
    assert len(eyes) == 43
    assert eyes["new"] == eyes["new-twin"] == (50.0, 50.0)
    assert eyes["03"] == eyes["old-twin"] == drawn_face(3)[:2]


def test_another_detector_looks_at_everything_again(portraits: Path) -> None:
    find(portraits)
    watched = Watched()
    find(portraits, watched, name="drawn 2")
    assert watched.seen == 40


@pytest.mark.parametrize("cut", [1, 40, 90, 130, 700, -1])
def test_a_cache_that_was_cut_short_costs_only_what_is_lost(portraits: Path, cut: int) -> None:
    whole = find(portraits)
    cache = faces_cache_path(portraits)
    kept = cache.read_bytes()[:cut]
    cache.write_bytes(kept)
    for _ in range(2):
        watched = Watched()
        assert find(portraits, watched).equals(whole)
    assert watched.seen == 0


finite = st.floats(0, 1e5).map(lambda value: round(value, 2))
sightings = st.builds(
    FaceCount,
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.integers(1, 9),
    st.builds(Eyes, finite, finite, st.floats(0.01, 1e4).map(lambda value: round(value, 2))),
) | st.builds(FaceCount, st.binary(min_size=32, max_size=32).map(bytes.hex), st.just(0), st.none())


@given(found=st.lists(sightings, max_size=8, unique_by=lambda one: one.sha256))
def test_what_is_remembered_comes_back(tmp_path_factory: pytest.TempPathFactory, found: list[FaceCount]) -> None:
    path = tmp_path_factory.mktemp("cache") / "m"
    open_cache(path, "x")
    for one in found:
        append_to_cache(path, [one])
    assert open_cache(path, "x").equals(as_frame(found))
    assert open_cache(path, "y").is_empty()


def test_the_number_of_workers_does_not_matter(portraits: Path, tmp_path: Path) -> None:
    manifest = read_manifest(portraits)
    frames = [find_faces(manifest, blazeface_detector(), tmp_path / str(n), workers=n).frame for n in (1, 2)]
    assert frames[0].equals(frames[1])


def test_eyes_of_a_face_in_profile_do_not_shrink_its_square() -> None:
    front, profile = face(50, 50, 60), Face((20, 20, 80, 80), (49, 50), (51, 50))
    assert (front.eyes.distance, profile.eyes.distance) == (24.0, PROFILE * 60)


def test_a_picture_that_changed_or_went_is_named(portraits: Path) -> None:
    picture = portraits.parent / "real" / "05.png"
    picture.write_bytes((portraits.parent / "real" / "06.png").read_bytes())
    with pytest.raises(DataError, match=r"05.png has changed since the scan: scan again"):
        find(portraits)
    picture.unlink()
    with pytest.raises(DataError, match=r"05.png does not exist"):
        find(portraits)


def test_from_scan_over_faces_to_a_store_of_faces(portraits: Path, tmp_path: Path) -> None:
    view = parse_view("upright|face(2)|resize(32)")
    with pytest.raises(DataError, match="run `fauxlens data faces MANIFEST` first"):
        pack(read_manifest(portraits), view, tmp_path / "packed")
    find(portraits)
    store = pack(read_manifest(portraits), view, tmp_path / "packed")
    for row, pixels in zip(store.manifest.frame.iter_rows(named=True), store.pixels, strict=True):
        # Side 2 x 16: nothing is resized, so the eyes stand 16 apart, 0.2 of the side above the middle.
        (found,) = find_drawn(pixels)
        assert (found.eyes.x, found.eyes.distance) == (16.0, 16.0), row["path"]
        assert found.eyes.y == pytest.approx(16 - 0.2 * 32, abs=1)


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from train.data.faces import mtcnn

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(mtcnn, "version", missing)
    with pytest.raises(TrainError, match=r"pip install '\.\[faces\]'"):
        mtcnn.mtcnn_detector()


@pytest.fixture(scope="module")
def mtcnn() -> FaceDetector:
    try:
        version("mtcnn")
    except PackageNotFoundError:
        pytest.skip("the package mtcnn is not installed")
    from train.data.faces.mtcnn import mtcnn_detector

    return mtcnn_detector()


def eyes_of(found: Sequence[Face], pixels: np.ndarray) -> Eyes:
    count, eyes = choose_face(found, pixels.shape[1], pixels.shape[0])
    assert count == 1
    assert eyes is not None
    return eyes


@pytest.fixture(scope="module")
def aligned(shared_faces: Path) -> list[np.ndarray]:
    """Portraits of 256 x 256 pixels that are aligned by their eyes (FFHQ's alignment), real and generated."""
    paths = [path for name in ("ffhq-256", "stylegan-256") for path in sorted((shared_faces / name).rglob("*.jpg"))[:6]]
    return [decode(path).pixels for path in paths]


def test_mtcnn_finds_aligned_eyes_where_the_alignment_puts_them(mtcnn: FaceDetector, aligned: list[np.ndarray]) -> None:
    eyes = [eyes_of(found, pixels) for found, pixels in zip(map(mtcnn.detect, aligned), aligned, strict=True)]
    x, y, distance = np.median([(one.x, one.y, one.distance) for one in eyes], axis=0)
    # FFHQ's alignment puts the midpoint at the middle, and eye to eye about a quarter of the side.
    assert (x, y, distance) == (pytest.approx(128, abs=3), pytest.approx(121, abs=4), pytest.approx(64, abs=5))


def test_mtcnn_scales_eyes_back_from_the_copy_it_looks_at(mtcnn: FaceDetector, aligned: list[np.ndarray]) -> None:
    large = np.asarray(Image.fromarray(aligned[0]).resize((1501, 1003), Image.Resampling.BICUBIC))
    small = np.asarray(Image.fromarray(aligned[0]).resize((500, 334), Image.Resampling.BICUBIC))
    one, other = eyes_of(mtcnn.detect(large), large), eyes_of(mtcnn.detect(small), small)
    assert (one.x / 1501, one.y / 1003) == pytest.approx((other.x / 500, other.y / 334), abs=0.02)
    assert mtcnn.detect(np.zeros((20, 300, 3), np.uint8)) == []


def test_mtcnn_follows_mirroring_and_enlarging(mtcnn: FaceDetector, aligned: list[np.ndarray]) -> None:
    mirrored = [np.ascontiguousarray(pixels[:, ::-1]) for pixels in aligned]
    doubled = [np.asarray(Image.fromarray(pixels).resize((512, 512), Image.Resampling.BICUBIC)) for pixels in aligned]
    off = []
    for plain, mirror, double in zip(
        *(map(mtcnn.detect, pictures) for pictures in (aligned, mirrored, doubled)), strict=True
    ):
        one = eyes_of(plain, aligned[0])
        other, large = eyes_of(mirror, aligned[0]), eyes_of(double, doubled[0])
        off.append(
            (one.x + other.x - 256, one.y - other.y, one.x - large.x / 2, one.y - large.y / 2)
            + (one.distance - other.distance, one.distance - large.distance / 2)
        )
    # Single eyes are off by a pixel or two; that all are off the same way would be a wrong idea of where pixels begin.
    assert np.median(np.abs(off), axis=0).max() < 2
    assert abs(np.median(off, axis=0)[0]) < 0.6, off
