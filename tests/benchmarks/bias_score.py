"""How far a detector goes by files instead of faces: its scores before and after each class is saved as the other is.

    .venv/bin/python tests/benchmarks/bias_score.py DETECTOR MANIFEST [--pictures 1500]

Every picture of the manifest's test split (but reconstructions, whose files are those of their originals, and edits) is
scored as it is, and once more after it was brought to the size and the JPEG quality of a random picture of the other
class. A detector of faces does not care. Prints the mean probability of both classes before
and after, by source, the larger of the two moves (the bias score), and AUC before and after; `fauxlens evaluate
--bias-score` has the sum of it in its report. Takes half a minute on one core.
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

SEED = 0


def moves(detector: LoadedDetector, manifest: Manifest, pictures: int) -> pl.DataFrame:
    """One row a picture: label, source, probability `before` and `after`."""
    random = np.random.default_rng(SEED)
    rows = manifest.frame.filter(
        pl.col("split") == "test", pl.col("faces") == 1, ~pl.col("family").is_in(["reconstruction", "edit"])
    )
    rows = rows.filter(pl.int_range(pl.len()).shuffle(SEED).over("label") < pictures // 2)
    by_label = {label: rows.filter(label=label).to_dicts() for label in ("real", "fake")}
    table = []
    for row in rows.to_dicts():
        others = by_label["fake" if row["label"] == "real" else "real"]
        eyes = eyes_of(row)
        assert eyes is not None
        picture = decode_row(manifest, row)
        if picture.orientation != 1:
            continue
        before = detect(detector, picture, eyes=eyes).probability
        again, moved = saved_as(picture, eyes, others[int(random.integers(len(others)))])
        after = detect(detector, again, eyes=moved).probability
        table.append({"label": row["label"], "source": row["source"], "before": before, "after": after})
    return pl.DataFrame(table)


def main() -> None:
    """Print the moves of both classes, and of every source."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("detector", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--pictures", type=int, default=1500)
    options = parser.parse_args()
    table = moves(load_detector(options.detector), read_manifest(options.manifest), options.pictures)
    move = (pl.col("after") - pl.col("before")).mean()
    columns = (pl.len().alias("n"), pl.col("before").mean(), pl.col("after").mean(), move.alias("move"))
    for keys in (["label"], ["label", "source"]):
        for row in table.group_by(keys).agg(columns).sort(keys).to_dicts():
            name = "/".join(row[key] for key in keys)
            print(f"{name:40s} {row['n']:5d}  {row['before']:.3f} -> {row['after']:.3f}  ({row['move']:+.3f})")
    by_label = table.group_by("label").agg(move.alias("move"))["move"].abs().to_numpy()
    is_fake = (table["label"] == "fake").to_numpy()
    aucs = [roc_auc_score(is_fake, table[name].to_numpy()) for name in ("before", "after")]
    print(f"bias score {float(by_label.max()):.3f}; AUC {aucs[0]:.3f} -> {aucs[1]:.3f}")


if __name__ == "__main__":
    main()
