"""What `data reconstruct` costs beside its network: CPU seconds of the bare network and of the whole.

    python tests/benchmarks/reconstruct.py MANIFEST WEIGHTS [--count 24]

CPU seconds rather than seconds, so that a machine that does other things tells the same.
"""

import argparse
import tempfile
import time
from pathlib import Path

from train.common.errors import DataError
from train.data.manifest import read_manifest
from train.data.reconstruct.open_autoencoder import open_taesd
from train.data.reconstruct.originals import select_reals
from train.data.reconstruct.reconstruct import reconstruct
from train.data.rows import decode_row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--source", default="ffhq-256")
    options = parser.parse_args()
    manifest = read_manifest(options.manifest)
    rows = select_reals(manifest, count=options.count, sources=[options.source])
    one = open_taesd("taesd", options.weights)
    pictures = [decode_row(manifest, row).pixels for row in rows.iter_rows(named=True)]
    one.reconstruct(pictures[0])
    started = time.process_time()
    for pixels in pictures:
        one.reconstruct(pixels)
    bare = time.process_time() - started
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        made = reconstruct(manifest, rows, [one], Path(folder) / "out")
    if len(made.pairs) != len(pictures):
        raise DataError("Some pictures were skipped: name a source whose files are as they were scanned.")
    whole = time.process_time() - started
    share = f"{bare / whole:.1%} of the network's rate"
    print(f"{len(pictures)} pictures: network {bare:.2f} s, whole {whole:.2f} s, {share}")


if __name__ == "__main__":
    main()
