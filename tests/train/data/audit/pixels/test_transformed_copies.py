"""copies: transformed copies are found whatever was done to them, other pictures are left in peace."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from train.common.errors import DataError
from train.data.audit.pixels.geometric_check import fit_pair
from train.data.audit.pixels.keypoint_index import candidate_pairs, find_keypoints
from train.data.audit.pixels.transformed_copies import (
    Copy,
    find_transformed_copies,
    read_transformed_copies,
    transformed_copies_findings,
    write_transformed_copies,
)
from train.data.manifest import SCHEMA, Manifest

SHARED = Path(__file__).parents[6] / "shared" / "faces"
STRANGERS = 12


def picture(seed: int, side: int = 256) -> Image.Image:
    """Shapes on a smooth ground: corners and edges at every scale, as photographs have them."""
    rng = np.random.default_rng(seed)
    ground = Image.fromarray(rng.integers(0, 256, (7, 7, 3)).astype(np.uint8))
    canvas = ground.resize((side, side), Image.Resampling.BICUBIC)
    for _ in range(60):
        width, height = (int(extent) for extent in rng.integers(side // 40, side // 5, 2))
        shape = Image.new("RGB", (width, height), tuple(int(value) for value in rng.integers(0, 256, 3)))
        turned = shape.convert("RGBA").rotate(float(rng.uniform(0, 90)), expand=True)
        canvas.paste(turned, (int(rng.integers(0, side)) - width, int(rng.integers(0, side)) - height), turned)
    return canvas


def noisy(image: Image.Image, deviation: float, seed: int = 0) -> Image.Image:
    pixels = np.asarray(image) + np.random.default_rng(seed).normal(0, deviation, (image.height, image.width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def cut(image: Image.Image, share: float) -> Image.Image:
    width, height = round(image.width * share), round(image.height * share)
    left, top = (image.width - width) // 3, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def manifest_of(folder: Path, pictures: dict[str, Image.Image], **columns: dict[str, str]) -> Manifest:
    """Save pictures under their names and list them; `columns` overrides cells: column -> name -> value."""
    rows = []
    for number, (name, image) in enumerate(pictures.items()):
        image.save(folder / name, quality=85)
        row = dict.fromkeys(SCHEMA) | {
            "path": name,
            "sha256": f"{number:064x}",
            # Balanced hashes far from each other.
            "phash": f"{int(np.packbits(np.random.default_rng(number).permutation(64) < 32).view('>u8')[0]):016x}",
            "width": image.width,
            "height": image.height,
            "format": "JPEG",
            "bytes": (folder / name).stat().st_size,
            "label": "real",
            "generator": "camera",
            "family": "camera",
            "source": "drawn",
            "group": f"g{number}",
            "split": "train",
        }
        rows.append(row | {column: cells[name] for column, cells in columns.items() if name in cells})
    return Manifest(pl.DataFrame(rows, schema=SCHEMA), folder)


def with_strangers(pictures: dict[str, Image.Image]) -> dict[str, Image.Image]:
    return pictures | {f"z{seed}.jpg": picture(1000 + seed) for seed in range(STRANGERS)}


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "mirrored": (ImageOps.mirror, "mirrored"),
    "rotated, black corners": (lambda image: image.rotate(20, Image.Resampling.BICUBIC), "rotated by 20 degrees"),
    "a little": (lambda image: image.rotate(-5, Image.Resampling.BICUBIC), "rotated by 5 degrees"),
    "upside down": (lambda image: image.transpose(Image.Transpose.ROTATE_180), "rotated by 180 degrees"),
    "lying": (lambda image: image.transpose(Image.Transpose.ROTATE_90), "rotated by 90 degrees"),
    "flipped": (ImageOps.flip, "mirrored, rotated by 180 degrees"),
    "both": (
        lambda image: ImageOps.mirror(image).rotate(20, Image.Resampling.BICUBIC),
        "mirrored, rotated by 20 degrees",
    ),
    "cut": (lambda image: cut(image, 0.8), "cropped to 80 %"),
    "half": (lambda image: image.resize((128, 128)), "scaled to 50 %"),
    "cut and enlarged": (lambda image: cut(image, 0.8).resize((410, 410)), "cropped to 80 %, scaled to 200 %"),
    "noise": (lambda image: noisy(image, 20), "same frame"),
    "blur": (lambda image: image.filter(ImageFilter.GaussianBlur(1.5)), "same frame"),
    "dark": (lambda image: ImageEnhance.Brightness(image).enhance(0.6), "same frame"),
    "grey": (lambda image: ImageOps.grayscale(image).convert("RGB"), "same frame"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_copy_is_found_and_named(name: str, tmp_path: Path) -> None:
    change, kind = CHANGES[name]
    original = picture(1)
    manifest = manifest_of(tmp_path, with_strangers({"a.jpg": original, "b.jpg": change(original)}))
    copies = find_transformed_copies(manifest)
    assert [(copy.first, copy.second, copy.kind) for copy in copies] == [("a.jpg", "b.jpg", kind)]
    assert not copies[0].known


@pytest.mark.parametrize("name", ["mirrored", "upside down", "lying", "flipped"])
def test_what_loses_nothing_is_laid_on_exactly(name: str, tmp_path: Path) -> None:
    original = picture(1)
    manifest = manifest_of(tmp_path, with_strangers({"a.jpg": original, "b.jpg": CHANGES[name][0](original)}))
    assert find_transformed_copies(manifest)[0].agreement > 0.995


@settings(max_examples=12, deadline=None)
@given(
    angle=st.floats(-180, 180),
    share=st.floats(0.75, 1),
    mirrored=st.booleans(),
    scale=st.floats(0.6, 1.5),
    seed=st.integers(0, 5),
)
def test_the_transform_is_measured(
    angle: float, share: float, mirrored: bool, scale: float, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    original = picture(seed, 320)
    changed = ImageOps.mirror(original) if mirrored else original
    changed = cut(changed.rotate(angle, Image.Resampling.BICUBIC), share)
    changed = changed.resize((round(changed.width * scale),) * 2, Image.Resampling.BICUBIC)
    folder = tmp_path_factory.mktemp("copies")
    (copy,) = find_transformed_copies(manifest_of(folder, with_strangers({"a.jpg": original, "b.jpg": changed})))
    assert copy.mirrored == mirrored
    # Pillow turns anticlockwise, as `angle` is told.
    assert abs((copy.angle - angle + 180) % 360 - 180) < 1.5
    assert math.isclose(copy.scale, scale, rel_tol=0.03)
    assert 0.9 < copy.agreement <= 1 and 0.3 <= copy.overlap <= 1


def test_strangers_are_left_in_peace(tmp_path: Path) -> None:
    assert find_transformed_copies(manifest_of(tmp_path, {f"{seed}.jpg": picture(seed) for seed in range(20)})) == ()


def test_one_background_behind_two_persons_is_no_copy(tmp_path: Path) -> None:
    """Keypoints agree on the background alone; the pixels of the middle do not."""
    behind, pictures = picture(1), {}
    for seed in (2, 3):
        shown = behind.copy()
        shown.paste(picture(seed, 150), (53, 70))
        pictures[f"{seed}.jpg"] = shown
    seen = [np.asarray(image.convert("L")) for image in pictures.values()]
    points = [find_keypoints(grey) for grey in seen]
    assert candidate_pairs(points, points, seed=0, workers=1)
    assert find_transformed_copies(manifest_of(tmp_path, with_strangers(pictures))) == ()


def test_a_family_larger_than_the_neighbourhood_stays_together(tmp_path: Path) -> None:
    """30 noisy copies of one picture: each keypoint has more copies than neighbours are asked for."""
    original = picture(1)
    family = {f"{number:02}.jpg": noisy(original, 6, number) for number in range(30)}
    reached, copies = {"00.jpg"}, find_transformed_copies(manifest_of(tmp_path, with_strangers(family)))
    for _ in family:
        reached |= {end for copy in copies if {copy.first, copy.second} & reached for end in (copy.first, copy.second)}
    assert reached == set(family)


def test_workers_change_nothing_and_seeds_find_the_same(tmp_path: Path) -> None:
    pictures = {f"{seed}.jpg": picture(seed) for seed in range(6)}
    pictures |= {f"{seed}m.jpg": ImageOps.mirror(picture(seed).rotate(10)) for seed in range(6)}
    manifest = manifest_of(tmp_path, pictures)
    one = find_transformed_copies(manifest, workers=1)
    assert len(one) == 6
    assert find_transformed_copies(manifest, workers=3) == one
    assert find_transformed_copies(manifest, seed=7) == one


def test_exif_orientation_is_no_rotation(tmp_path: Path) -> None:
    original = picture(1)
    stored = original.transpose(Image.Transpose.ROTATE_90)
    manifest = manifest_of(tmp_path, {"a.jpg": original, "b.jpg": original})
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(tmp_path / "b.jpg", quality=85, exif=exif)
    (copy,) = find_transformed_copies(manifest)
    assert copy.kind == "same frame"


def test_known_is_what_perceptual_hashes_know(tmp_path: Path) -> None:
    same = "00ff00ff00ff00ff"
    pictures = {"a.jpg": picture(1), "b.jpg": noisy(picture(1), 5)}
    (copy,) = find_transformed_copies(manifest_of(tmp_path, pictures, phash={"a.jpg": same, "b.jpg": same}))
    assert copy.known


def test_pictures_without_detail_and_of_any_shape(tmp_path: Path) -> None:
    sizes = [(1, 1), (1, 300), (300, 1), (9, 7), (3000, 20), (64, 64)]
    pictures = {f"{w}x{h}.jpg": Image.new("RGB", (w, h), "grey") for w, h in sizes}
    pictures |= {f"{w}x{h}n.jpg": noisy(Image.new("RGB", (w, h), "grey"), 60) for w, h in sizes}
    assert find_transformed_copies(manifest_of(tmp_path, pictures)) == ()


def test_equal_contents_are_looked_at_once_and_progress_counts_them(tmp_path: Path) -> None:
    pictures = {"a.jpg": picture(1), "b.jpg": picture(1), "c.jpg": picture(2)}
    manifest = manifest_of(tmp_path, pictures, sha256={"a.jpg": "0" * 64, "b.jpg": "0" * 64})
    seen: list[tuple[int, int]] = []
    assert find_transformed_copies(manifest, on_progress=lambda done, total: seen.append((done, total))) == ()
    assert seen == [(1, 2), (2, 2)]


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"a.jpg": picture(1), "b.jpg": picture(2)})
    (tmp_path / "b.jpg").unlink()
    with pytest.raises(DataError, match=r"b\.jpg does not exist"):
        find_transformed_copies(manifest)


def test_a_fit_needs_keypoints() -> None:
    flat = np.zeros((128, 128), np.uint8)
    points = find_keypoints(np.zeros((256, 256), np.uint8))
    assert fit_pair(flat, points, flat, points) is None


COPY = Copy("a.jpg", "b.jpg", "same frame", False, 0.0, 1.0, 99, 0.99, 1.0, True)


def test_findings_tell_leaks_labels_and_the_rest(tmp_path: Path) -> None:
    names = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    manifest = manifest_of(
        tmp_path,
        dict.fromkeys(names, Image.new("RGB", (16, 16))),
        split={"b.jpg": "test"},
        label={"c.jpg": "fake"},
        group={"d.jpg": "g0"},
    )
    copies = [replace(COPY, second=name) for name in names[1:]]
    findings = transformed_copies_findings(copies, manifest)
    assert [(one.severity, one.examples) for one in findings] == [
        ("failure", (("a.jpg", "b.jpg"),)),
        ("warning", (("a.jpg", "c.jpg"),)),
        ("note", (("a.jpg", "e.jpg"),)),
    ]
    assert all(one.remedy and one.sentence.endswith(".") for one in findings)
    assert transformed_copies_findings([copies[2]], manifest) == ()
    with pytest.raises(DataError, match=r"x\.jpg"):
        transformed_copies_findings([replace(COPY, second="x.jpg")], manifest)


@pytest.mark.parametrize(
    ("family", "group", "warned"),
    [("reconstruction", "g0", False), ("edit", "g0", True), ("reconstruction", "g1", True)],
)
def test_a_reconstruction_is_a_copy_of_its_original_by_intention(
    tmp_path: Path, family: str, group: str, warned: bool
) -> None:
    manifest = manifest_of(
        tmp_path,
        dict.fromkeys(("a.jpg", "b.jpg"), Image.new("RGB", (16, 16))),
        label={"b.jpg": "fake"},
        family={"b.jpg": family},
        group={"b.jpg": group},
    )
    assert [one.severity for one in transformed_copies_findings([COPY], manifest)] == ["warning"] * warned


numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 3))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1)


@given(
    st.lists(
        st.builds(
            Copy, texts, texts, texts, st.booleans(), numbers, numbers, st.integers(0, 200), numbers, numbers,
            st.booleans(),
        )
    )
)  # fmt: skip
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, copies: list[Copy]) -> None:
    path = tmp_path_factory.mktemp("csv") / "copies.csv"
    write_transformed_copies(copies, path)
    assert read_transformed_copies(path) == tuple(copies)


def test_a_wrong_table_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "copies.csv"
    with pytest.raises(DataError, match="cannot be read"):
        read_transformed_copies(path)
    path.write_text("path\na.jpg\n")
    with pytest.raises(DataError, match="not a table of copies"):
        read_transformed_copies(path)
    write_transformed_copies([COPY, COPY], path)
    path.write_text(path.read_text().replace("99", "many", 1))
    with pytest.raises(DataError, match="row 1 is wrong"):
        read_transformed_copies(path)


def test_the_augmented_copies_of_the_web_faces(tmp_path: Path) -> None:
    """The README of the shared faces says that web-faces has noisy, blurred and rotated copies of its own files."""
    if not SHARED.is_dir():
        pytest.skip("no shared faces beside the project")
    folder = SHARED / "web-faces"
    names = sorted(path.name for path in folder.glob("*.jpg"))
    blank = manifest_of(tmp_path, {name: Image.new("RGB", (16, 16)) for name in names})
    copies = {(copy.first, copy.second): copy for copy in find_transformed_copies(replace(blank, folder=folder))}
    augmented = {name for name in names if name.startswith("augmented_image_")}
    assert augmented <= {end for pair in copies for end in pair}
    kinds = {number: copies["286.jpg", f"augmented_image_{number}.jpg"].kind for number in (112, 113, 114)}
    assert kinds == {112: "mirrored", 113: "rotated by 13 degrees", 114: "same frame"}
    assert copies["83.jpg", "augmented_image_100.jpg"].kind == "rotated by 20 degrees"
    # Every pair was looked at: beside the augmented files there is one cut and enlarged portrait, and no wrong pair.
    others = [pair for pair in copies if not set(pair) & augmented]
    assert others == [("16.jpg", "430.jpg")]
