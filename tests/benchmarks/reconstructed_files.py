"""Whether a file tells a reconstruction from its original: the audit's metadata baseline on the pairs of a folder.

    python tests/benchmarks/reconstructed_files.py MANIFEST FOLDER

MANIFEST is what FOLDER was made from by `data reconstruct`. Every reconstruction stands beside its own original (of a
reduced one the reduced original), and nothing else, so that 0.5 means that no file tells. Printed are the AUC of
gradient boosting on all seven features with its interval, for each of SEEDS divisions into folds and their mean, then
each feature's alone, and how large a reconstruction's file is beside its original's by autoencoder (median).
"""

import argparse
import statistics
from pathlib import Path

import polars as pl

from train.common.errors import DataError
from train.data.audit.metadata_baseline import MetadataBaseline, fit_features_alone, fit_metadata_baseline
from train.data.manifest import Manifest, read_manifest
from train.data.reconstruct.reconstruct import MANIFEST, PAIRS

SEEDS = 5


def pair_rows(original: Manifest, made: Manifest, pairs: pl.DataFrame) -> pl.DataFrame:
    """The rows of the reconstructions and of their originals, each once."""
    fakes = made.frame.filter(pl.col("path").is_in(pairs["fake"].to_list()))
    known = {
        manifest.picture_path(path).resolve(): (manifest, path)
        for manifest in (original, made)
        for path in manifest.frame["path"]
    }
    places = [(made.folder / path).resolve() for path in pairs["real"]]
    if not known.keys() >= set(places):
        raise DataError(f"{made.folder / PAIRS} has originals that the manifest lacks: name the one it was made from.")
    reals = [
        manifest.frame.filter(pl.col("path").is_in([known[one][1] for one in places if known[one][0] is manifest]))
        for manifest in (original, made)
    ]
    return pl.concat([fakes, *reals], how="diagonal")


def size_ratios(made: Manifest, original: Manifest, pairs: pl.DataFrame) -> dict[str, float]:
    """The median of a reconstruction's bytes / its original's, by autoencoder."""
    sizes = {
        manifest.picture_path(path).resolve(): number
        for manifest in (original, made)
        for path, number in manifest.frame.select("path", "bytes").iter_rows()
    }
    ratios: dict[str, list[float]] = {}
    for fake, real, name in pairs.select("fake", "real", "autoencoder").iter_rows():
        one, other = (sizes[(made.folder / path).resolve()] for path in (fake, real))
        ratios.setdefault(name, []).append(one / other)
    return {name: statistics.median(values) for name, values in sorted(ratios.items())}


def words(found: MetadataBaseline) -> str:
    """A figure as a person reads it."""
    return f"{found.auc:.3f} [{found.low:.3f}, {found.high:.3f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    made = read_manifest(options.folder / MANIFEST)
    pairs = pl.read_csv(options.folder / PAIRS, schema_overrides={"mask": pl.String})
    original = read_manifest(options.manifest)
    frame = pair_rows(original, made, pairs)
    found = [one for seed in range(SEEDS) if (one := fit_metadata_baseline(frame, seed)) is not None]
    if not found:
        raise DataError("There are fewer than 5 groups a class: make more pairs.")
    sources = frame.filter(label="real")["source"].n_unique()
    mean = statistics.mean(one.auc for one in found)
    print(f"{pairs.height} pairs of {sources} sources: AUC {mean:.3f}, of {', '.join(words(one) for one in found)}")
    for feature in fit_features_alone(frame):
        print(f"  {feature.words} alone: {words(feature.model)}")
    for name, ratio in size_ratios(made, original, pairs).items():
        print(f"  {name}: a file of {ratio:.3f} of its original's bytes")


if __name__ == "__main__":
    main()
