"""BlazeFace beside MTCNN on a manifest's pictures: misses and distance of the eyes by source, and the rate of each.

    .venv/bin/python tests/benchmarks/face_finders.py manifest.csv --pictures 600 --sheet runs/apart.png

Eyes' midpoints are compared where both find a face, in eye distances of MTCNN's; beyond half a distance it is another
face, or one of them is wrong: those are counted, left out of the median and the 95th percentile, and drawn on the sheet
(BlazeFace green, MTCNN red). Rates are in seconds of one core, with decoding: MTCNN's TensorFlow uses several.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from train.data.faces.mtcnn import mtcnn_detector
from train.data.manifest import read_manifest
from train.data.rows import decode_row
from train.image.decode import Picture
from train.image.face import Face, usable_faces
from train.image.face_finder.finder import blazeface_detector
from train.image.view import turn_upright

APART = 0.5
_TILE = 220


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", help="only pictures of this one")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    manifest = read_manifest(options.manifest)
    frame = manifest.frame.filter(source=options.source) if options.source else manifest.frame
    each = -(-options.pictures // max(1, frame["source"].n_unique()))
    finders = {"blazeface": blazeface_detector().detect, "mtcnn": mtcnn_detector().detect}
    seconds = dict.fromkeys(finders, 0.0)
    table: dict[str, list[tuple[Face | None, Face | None]]] = {}
    tiles: list[Image.Image] = []
    for (source,), rows in sorted(frame.group_by("source")):
        sample = rows.sort("path").sample(min(each, rows.height), seed=options.seed)
        for row in sample.iter_rows(named=True):
            start = time.process_time()
            picture = decode_row(manifest, row)
            decoding = time.process_time() - start
            found: list[Face | None] = []
            for name, detect in finders.items():
                start = time.process_time()
                found.append(_largest(detect, picture))
                seconds[name] += time.process_time() - start + decoding
            table.setdefault(str(source), []).append((found[0], found[1]))
            if options.sheet and _differ(found[0], found[1]):
                tiles.append(_tile(picture, found, str(source)))
    count = sum(map(len, table.values()))
    print("| source | pictures | blazeface finds none | mtcnn finds none | median | 95th percentile | apart |")
    print("|---|---|---|---|---|---|---|")
    everything = [pair for pairs in table.values() for pair in pairs]
    for source, pairs in [*table.items(), ("all", everything)]:
        print(_line(source, pairs))
    for name, spent in seconds.items():
        print(
            f"{name}: {count / spent:.0f} pictures a second and core with decoding, {1000 * spent / count:.1f} ms each"
        )
    if tiles:
        _save(tiles, options.sheet)


def _largest(detect: Callable[[np.ndarray], object], picture: Picture) -> Face | None:
    upright = turn_upright(picture.pixels, picture.orientation)
    faces = usable_faces(detect(upright), upright.shape[1], upright.shape[0])  # type: ignore[arg-type]
    return faces[0] if faces else None


def _distance(one: Face, other: Face) -> float:
    """Between the eyes' midpoints, in eye distances of the other."""
    apart = np.hypot(one.eyes.x - other.eyes.x, one.eyes.y - other.eyes.y)
    return float(apart / other.eyes.distance)


def _differ(one: Face | None, other: Face | None) -> bool:
    return (one is None) != (other is None) or bool(one and other and _distance(one, other) > APART)


def _line(source: str, pairs: list[tuple[Face | None, Face | None]]) -> str:
    distances = np.array([_distance(one, other) for one, other in pairs if one and other])
    near = distances[distances <= APART]
    median, high = np.percentile(near, [50, 95]) if len(near) else (np.nan, np.nan)
    misses = [sum(pair[i] is None for pair in pairs) for i in (0, 1)]
    apart = int((distances > APART).sum())
    return f"| {source} | {len(pairs)} | {misses[0]} | {misses[1]} | {median:.3f} | {high:.3f} | {apart} |"


def _tile(picture: Picture, found: list[Face | None], source: str) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(turn_upright(picture.pixels, picture.orientation)))
    scale = _TILE / max(image.size)
    tile = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    draw = ImageDraw.Draw(tile)
    for face, colour in zip(found, ("lime", "red"), strict=True):
        if face:
            draw.rectangle([scale * edge for edge in face.box], outline=colour)
            for x, y in (face.left_eye, face.right_eye):
                draw.ellipse((x * scale - 3, y * scale - 3, x * scale + 3, y * scale + 3), outline=colour)
    draw.text((2, 2), source, fill="yellow")
    return tile


def _save(tiles: list[Image.Image], path: Path) -> None:
    columns = 8
    sheet = Image.new("RGB", (columns * _TILE, -(-len(tiles) // columns) * _TILE), "grey")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % columns * _TILE, number // columns * _TILE))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    print(f"{len(tiles)} pictures on {path}")


if __name__ == "__main__":
    main()
