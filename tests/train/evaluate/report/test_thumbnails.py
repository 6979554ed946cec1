"""Pictures of the report's page come out of the store where there is one, and are those that decoding gives."""

from pathlib import Path

import numpy as np
from PIL import Image

from train.data.cards.reader import usual_layout
from train.data.scan.scan import scan
from train.data.store import pack
from train.evaluate.report.build import store_thumbnails, view_thumbnails
from train.image.view import parse_view

VIEW = parse_view("upright|square|resize(32)")


def test_a_store_gives_the_thumbnails_that_decoding_gives_and_opens_no_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    for name in ("real/a.png", "real/b.png", "fake/gan/a.png", "fake/gan/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (64, 70, 3), np.uint8)).save(tmp_path / name)
    manifest, _ = scan(tmp_path, usual_layout(), manifest_path=tmp_path / "m.csv")
    paths = manifest.frame["path"].to_list()
    decoded = list(map(view_thumbnails(manifest, VIEW, "drop"), paths))
    store = pack(manifest, VIEW, tmp_path / "s", workers=1)
    for path in paths:
        manifest.picture_path(path).unlink()
    assert list(map(store_thumbnails(store), paths)) == decoded
    assert len(set(decoded)) == 4
