"""Would a higher threshold, or both networks together, keep drawn animals out of the face finder without losing faces?

    .venv/bin/python tests/benchmarks/drawn_animals.py runs/faces.csv [--pictures 600] [--sheet runs/animals.png]

The animals are 200 drawn heads that look at the camera (cats, bears, owls) of random colours, sizes and softness. The
faces are pictures of a manifest, evenly over its sources but FairFace's, whose faces are cut and blurred. Printed is,
by rule, in how many of each a face is found: where the surer network's score is at least so much, as the face finder
has it from 0.6 on (but where the first network is sure, it does not ask the second), and where both networks' are.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageDraw, ImageFilter

from train.data.manifest import read_manifest
from train.data.rows import decode_row
from train.image.face_finder.decode import UNITS, decode_faces
from train.image.face_finder.letterbox import Letterbox, letterbox, to_tensor
from train.image.face_finder.networks import NETWORKS, open_network
from train.image.view import turn_upright

ANIMALS, SIDE = 200, 320
SCORES = (0.6, 0.7, 0.8, 0.9, 0.95)


def draw_animal(number: int) -> Image.Image:
    """A head with ears, eyes, a nose and a mouth, from the front."""
    random = np.random.default_rng(number)
    colours = [tuple(int(one) for one in random.integers(30, 226, 3)) for _ in range(4)]
    image = Image.new("RGB", (SIDE, SIDE), colours[0])
    draw = ImageDraw.Draw(image)
    radius = int(random.integers(50, 120))
    x, y = (int(one) for one in random.integers(radius + 20, SIDE - radius - 20, 2)) if radius < 110 else (160, 160)
    kind = number % 3
    for side in (-1, 1):
        ear = x + side * int(0.7 * radius)
        if kind == 0:
            points = [
                (ear - 0.35 * radius, y - 0.6 * radius),
                (ear + 0.35 * radius, y - 0.6 * radius),
                (ear + side * 9, y - 1.4 * radius),
            ]
            draw.polygon(points, fill=colours[1])
        elif kind == 1:
            draw.ellipse(
                (ear - 0.35 * radius, y - 1.1 * radius, ear + 0.35 * radius, y - 0.4 * radius), fill=colours[1]
            )
    draw.ellipse((x - radius, y - 0.9 * radius, x + radius, y + 0.9 * radius), fill=colours[1])
    eye = radius * random.uniform(0.12, 0.3)
    for side in (-1, 1):
        middle = x + side * 0.42 * radius
        draw.ellipse((middle - eye, y - 0.2 * radius - eye, middle + eye, y - 0.2 * radius + eye), fill=colours[2])
        draw.ellipse(
            (middle - 0.4 * eye, y - 0.2 * radius - 0.7 * eye, middle + 0.4 * eye, y - 0.2 * radius + 0.7 * eye),
            fill="black",
        )
    nose = 0.14 * radius
    draw.polygon(
        [(x - nose, y + 0.15 * radius), (x + nose, y + 0.15 * radius), (x, y + 0.35 * radius)], fill=colours[3]
    )
    for side in (-1, 1):
        draw.arc(
            (x + min(0, side) * 0.4 * radius, y + 0.3 * radius, x + max(0, side) * 0.4 * radius, y + 0.6 * radius),
            0,
            180,
            fill="black",
            width=3,
        )
    return image.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 2))))


def scores(pixels: np.ndarray) -> tuple[float, float]:
    """The score of each network's surest face, 0 where it has none."""
    height, width = pixels.shape[:2]
    found = []
    for network in NETWORKS:
        tensor = to_tensor(letterbox(pixels, Letterbox(network.side, width, height)))
        faces = decode_faces(network, *open_network(network).run(tensor))
        found.append(1 / (1 + math.exp(-faces[0].logit / UNITS)) if faces else 0.0)
    return found[0], found[1]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    manifest = read_manifest(options.manifest)
    frame = manifest.frame.filter(pl.col("source") != "fairface")
    each = -(-options.pictures // frame["source"].n_unique())
    faces = []
    for _, rows in sorted(frame.group_by("source")):
        for row in rows.sort("path").sample(min(each, rows.height), seed=1).iter_rows(named=True):
            picture = decode_row(manifest, row)
            faces.append(scores(turn_upright(picture.pixels, picture.orientation)))
    drawn = [draw_animal(number) for number in range(ANIMALS)]
    animals = [scores(np.asarray(image)) for image in drawn]
    if options.sheet:
        sheet = Image.new("RGB", (10 * 96, 4 * 96))
        for place, image in enumerate(drawn[:40]):
            sheet.paste(image.resize((96, 96)), (place % 10 * 96, place // 10 * 96))
        sheet.save(options.sheet)
    print(f"| score | drawn animals with a face (of {len(animals)}) | portraits without one (of {len(faces)}) |")
    print("|---|---|---|")
    for name, rule in (("the surer network's", max), ("both networks'", min)):
        for least in SCORES:
            taken, lost = sum(rule(one) >= least for one in animals), sum(rule(one) < least for one in faces)
            print(f"| {name} from {least:g} | {taken} | {lost} |")


if __name__ == "__main__":
    main()
