"""How many planted copies of real pictures are found, by the perceptual hash and by keypoints, and what else is.

    .venv/bin/python tests/benchmarks/copies_recall.py MANIFEST [--count 200] [--seed 7]

For every transform COUNT other pictures of the manifest are copied once each, saved as JPEG, and put beside all
pictures of the manifest. Prints for each transform the share of copies that is tied to its original, and the pairs that
are neither planted nor known beforehand. Takes several minutes.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from train.data.audit.pixels.transformed_copies import find_transformed_copies
from train.data.groups import near_pairs
from train.data.manifest import Manifest, read_manifest
from train.data.scan.measure import Measured, measure_file

Picture = Image.Image


def turned(degrees: float) -> Callable[[Picture], Picture]:
    """Turn about the middle within the frame; the corners become black."""
    return lambda picture: picture.rotate(degrees, Image.Resampling.BICUBIC)


def cut(share: float) -> Callable[[Picture], Picture]:
    """Cut out the middle, `share` of both sides."""

    def cropped(picture: Picture) -> Picture:
        margins = [round(side * (1 - share) / 2) for side in picture.size]
        return picture.crop((margins[0], margins[1], picture.width - margins[0], picture.height - margins[1]))

    return cropped


def scaled(x: float, y: float) -> Callable[[Picture], Picture]:
    """Resize by a factor a side."""
    return lambda picture: picture.resize(
        (round(picture.width * x), round(picture.height * y)), Image.Resampling.LANCZOS
    )


def noisy(picture: Picture) -> Picture:
    """Add Gaussian noise of 10 grey levels, seeded by the picture's size."""
    noise = np.random.default_rng(picture.width).normal(0, 10, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


TRANSFORMS: dict[str, Callable[[Picture], Picture]] = {
    **{f"turned by {degrees}": turned(degrees) for degrees in (5, 20, 45, 90, 180)},
    "mirrored": ImageOps.mirror,
    "mirrored, turned by 20": lambda picture: turned(20)(ImageOps.mirror(picture)),
    **{f"cut to {share:.0%}": cut(share) for share in (0.8, 0.6, 0.5)},
    "scaled to 50 %": scaled(0.5, 0.5),
    "stretched 4:3": scaled(4 / 3, 1),
    "noise": noisy,
    "blurred by 1.5 px": lambda picture: picture.filter(ImageFilter.GaussianBlur(1.5)),
    "brighter by 40 %": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
}


def main() -> None:
    """Plant, look, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    whole = read_manifest(options.manifest)
    before = {frozenset((copy.first, copy.second)) for copy in find_transformed_copies(whole)}
    originals = whole.frame.unique("sha256", keep="first", maintain_order=True)
    # One copy each: many copies of one picture would crowd out one another.
    originals = originals.sample(options.count * len(TRANSFORMS), seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        rows, kinds = [], {}
        for number, row in enumerate(originals.iter_rows(named=True)):
            kind = list(TRANSFORMS)[number % len(TRANSFORMS)]
            with Image.open(whole.picture_path(row["path"])) as opened:
                picture = opened.convert("RGB")
            path = Path(folder) / f"{number:05}.jpg"
            TRANSFORMS[kind](picture).save(path, quality=90)
            found = measure_file(path)
            assert isinstance(found, Measured)
            rows.append({**row, "path": str(path), "sha256": found.sha256, "phash": found.phash})
            kinds[str(path)] = (row["path"], kind)
        frame = pl.concat([whole.frame, pl.DataFrame(rows, schema=whole.frame.schema)])
        paths = frame["path"].to_list()
        hashed = {frozenset((paths[one], paths[other])) for one, other in near_pairs(frame["phash"].to_list())}
        seen = {frozenset((copy.first, copy.second)) for copy in find_transformed_copies(Manifest(frame, whole.folder))}
    tied = {name: Counter[str]() for name in ("hash", "keypoints")}
    for copy, (original, kind) in kinds.items():
        for name, pairs in (("hash", hashed), ("keypoints", seen)):
            tied[name][kind] += frozenset((copy, original)) in pairs
    print(f"{options.count} pictures of {whole.frame.height}: share of copies tied to their originals")
    for kind in TRANSFORMS:
        by_hash, by_keypoints = (tied[name][kind] / options.count for name in ("hash", "keypoints"))
        print(f"{kind:24} {by_hash:7.1%} hash  {by_keypoints:7.1%} keypoints")
    origin = {path: original for path, (original, _) in kinds.items()}
    strange = {frozenset(origin.get(path, path) for path in pair) for pair in seen}
    strange = {pair for pair in strange if len(pair) == 2} - before
    print(f"pairs of different originals that were not found before: {len(strange)}")
    for pair in sorted(map(sorted, strange)):
        print("   ", *pair)


if __name__ == "__main__":
    main()
