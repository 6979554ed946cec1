"""How far detectors stand it when pictures are halved and saved as JPEG of quality 60, as people meet them.

    .venv/bin/python tests/benchmarks/halved.py MANIFEST DETECTOR ...

Every picture of the manifest's test split with one face (but reconstructions and edits) is scored as it is, and once
more with half its sides, saved at quality 60. Prints AUC before and after, how many decisions change (called fake or
not, at the balanced point), and what is then called fake of each class. Takes a minute a detector.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from export.inference.detector import LoadedDetector, detect, load_detector
from train.data.manifest import Manifest, read_manifest
from train.data.rows import decode_row, eyes_of
from train.evaluate.shortcuts.bias_score import saved_as

QUALITY = 60


def before_and_after(detector: LoadedDetector, manifest: Manifest) -> pl.DataFrame:
    """One row a picture: whether it is `fake`, and its probability `before` and `after`."""
    rows = manifest.frame.filter(
        pl.col("split") == "test", pl.col("faces") == 1, ~pl.col("family").is_in(["reconstruction", "edit"])
    )
    table = []
    for row in rows.to_dicts():
        picture, eyes = decode_row(manifest, row), eyes_of(row)
        if picture.orientation != 1:
            continue
        size = {"width": row["width"] // 2, "height": row["height"] // 2, "jpeg_quality": QUALITY}
        again, moved = saved_as(picture, eyes, size)
        table.append(
            {
                "fake": row["label"] == "fake",
                "before": detect(detector, picture, eyes=eyes).probability,
                "after": detect(detector, again, eyes=moved).probability,
            }
        )
    return pl.DataFrame(table)


def main() -> None:
    """Print a row for each detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("detectors", nargs="+", type=Path)
    options = parser.parse_args()
    manifest = read_manifest(options.manifest)
    print("| detector | pictures | AUC | AUC after | decisions that change | fakes called fake | reals called fake |")
    print("|---|---|---|---|---|---|---|")
    for path in options.detectors:
        detector = load_detector(path)
        threshold = detector.description.operating_points["balanced"].fake_from
        table = before_and_after(detector, manifest)
        fake, before, after = (table[name].to_numpy() for name in ("fake", "before", "after"))
        called = {"before": before >= threshold, "after": after >= threshold}
        shares = [
            f"{100 * called['before'][kind].mean():.1f} to {100 * called['after'][kind].mean():.1f} %"
            for kind in (fake, ~fake)
        ]
        changed = np.mean(called["before"] != called["after"])
        aucs = " | ".join(f"{roc_auc_score(fake, values):.3f}" for values in (before, after))
        print(f"| {path} | {fake.size} | {aucs} | {100 * changed:.0f} % | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
