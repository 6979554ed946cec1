"""BlazeFace beside MTCNN on a manifest's pictures: misses and distance of the eyes by source, and the rate of each.

    .venv/bin/python tests/benchmarks/face_finders.py manifest.csv --pictures 600 --sheet runs/apart.png

Eyes' midpoints are compared where both find a face, in eye distances of MTCNN's; beyond half a distance it is another
face, or one of them is wrong: those are counted, left out of the median and the 95th percentile, and drawn on the sheet
(BlazeFace green, MTCNN red).

Rates are for all that `data faces` does with a file: read, hash, decode, turn, find. They are in seconds of one core;
with several, MTCNN's TensorFlow also pays for threads that wait for each other, and `taskset -c 0` gives it one. The
finders take turns, block by block of BLOCK pictures, so that what else runs on the machine meets both. Printed are
medians and quartiles over the blocks, those of the ratio over the blocks' own ratios. Then come the parts of which
BlazeFace's time consists: medians over the files, which a moment of another process does not move.
"""

import argparse
import hashlib
import io
import statistics
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from train.data.faces.find import find_in_file
from train.data.faces.mtcnn import mtcnn_detector
from train.data.manifest import read_manifest
from train.data.rows import decode_row
from train.image.decode import Picture, decode_bytes, read_picture_file
from train.image.face import Detect, Face, FaceDetector, usable_faces
from train.image.face_finder.decode import decode_faces
from train.image.face_finder.finder import blazeface_detector, place
from train.image.face_finder.letterbox import Letterbox, letterbox, to_tensor
from train.image.face_finder.networks import NETWORKS, open_network
from train.image.view import turn_upright

APART = 0.5
BLOCK = 10
PARTS = 100
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
    finders = {"blazeface": blazeface_detector(), "mtcnn": mtcnn_detector()}
    files: list[tuple[Path, str]] = []
    table: dict[str, list[tuple[Face | None, Face | None]]] = {}
    tiles: list[Image.Image] = []
    for (source,), rows in sorted(frame.group_by("source")):
        sample = rows.sort("path").sample(min(each, rows.height), seed=options.seed)
        for row in sample.iter_rows(named=True):
            files.append((manifest.picture_path(row["path"]), row["sha256"]))
            picture = decode_row(manifest, row)
            found = [_largest(detector.detect, picture) for detector in finders.values()]
            table.setdefault(str(source), []).append((found[0], found[1]))
            if options.sheet and _differ(found[0], found[1]):
                tiles.append(_tile(picture, found, str(source)))
    print("| source | pictures | blazeface finds none | mtcnn finds none | median | 95th percentile | apart |")
    print("|---|---|---|---|---|---|---|")
    everything = [pair for pairs in table.values() for pair in pairs]
    for source, pairs in [*table.items(), ("all", everything)]:
        print(_line(source, pairs))
    _print_rates(finders, files)
    _print_parts(files)
    if tiles:
        _save(tiles, options.sheet)


def _largest(detect: Detect, picture: Picture) -> Face | None:
    upright = turn_upright(picture.pixels, picture.orientation)
    faces = usable_faces(detect(upright), upright.shape[1], upright.shape[0])
    return faces[0] if faces else None


def _distance(one: Face, other: Face) -> float:
    """Between the eyes' midpoints, in eye distances of the other."""
    apart = np.hypot(one.eyes.x - other.eyes.x, one.eyes.y - other.eyes.y)
    return float(apart / other.eyes.distance)


def _print_rates(finders: dict[str, FaceDetector], files: list[tuple[Path, str]]) -> None:
    """Time each finder on every whole block of the files, drawn in an order that mixes sources."""
    order = np.random.default_rng(1).permutation(len(files))
    blocks = [[files[i] for i in order[at : at + BLOCK]] for at in range(0, len(files) - BLOCK + 1, BLOCK)]
    rates: dict[str, list[float]] = {name: [] for name in finders}
    for block in blocks:
        for name, detector in finders.items():
            start = time.process_time()
            for file in block:
                find_in_file(detector.detect, file)
            rates[name].append(BLOCK / (time.process_time() - start))
    first, second = rates
    rates[f"{first} / {second}"] = [one / other for one, other in zip(rates[first], rates[second], strict=True)]
    print(f"pictures a second and core, {len(blocks)} blocks of {BLOCK}: median (quartiles)")
    for name, values in rates.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name}: {middle:.1f} ({low:.1f} to {high:.1f})")


def _print_parts(files: list[tuple[Path, str]]) -> None:
    """Print how long each part of `data faces` takes for a file, and how many could be had with only some of them."""
    network = NETWORKS[0]
    opened = open_network(network)
    taken: dict[str, list[float]] = {}
    for path, _ in files[:PARTS] * 2:
        at = [time.perf_counter()]
        data = read_picture_file(path)
        hashlib.sha256(data).hexdigest()
        at.append(time.perf_counter())
        with Image.open(io.BytesIO(data)) as image:
            image.load()
        at.append(time.perf_counter())
        picture = decode_bytes(data, str(path))
        at.append(time.perf_counter())
        upright = turn_upright(picture.pixels, picture.orientation)
        placement = Letterbox(network.side, upright.shape[1], upright.shape[0])
        tensor = to_tensor(letterbox(upright, placement))
        at.append(time.perf_counter())
        outputs = opened.run(tensor)
        at.append(time.perf_counter())
        usable_faces(
            [place(face, placement) for face in decode_faces(network, *outputs)], upright.shape[1], upright.shape[0]
        )
        at.append(time.perf_counter())
        find_in_file(blazeface_detector().detect, (path, hashlib.sha256(data).hexdigest()))
        at.append(time.perf_counter())
        names = ("read and hash", "Pillow's decoding alone", "decode", "letterbox", "network", "boxes", "all of it")
        for name, start, end in zip(names, at, at[1:], strict=False):
            taken.setdefault(name, []).append(end - start)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    print("; ".join(f"{name} {1000 * value:.2f} ms" for name, value in medians.items()))
    least = medians["Pillow's decoding alone"] + medians["network"]
    print(f"Pillow's decoding and the network alone: {1 / least:.0f} pictures a second")


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
