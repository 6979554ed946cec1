"""A scan whose parts are made by the workers of a Dask cluster."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from train.common.dask_cluster import make_parts, open_cluster
from train.common.progress import ProgressCallback
from train.data.manifest import write_manifest
from train.data.part_files import read_all_parts, remove_parts
from train.data.scan.folder import Scanned, open_folder, scan_opened_part
from train.data.scan.parts import merge_scan_caches, merge_scan_parts
from train.data.scan.scan import Trust
from train.data.scan.skipped import write_skipped


def scan_on_dask(
    address: str,
    folder: Path,
    manifest_path: Path,
    *,
    card: str | None = None,
    source: str | None = None,
    trust: Trust = "cache",
    on_unpacking: ProgressCallback | None = None,
    on_progress: ProgressCallback | None = None,
) -> Scanned:
    """Scan a folder as `scan_folder`, in parts on the cluster whose scheduler is at `address`; merge them here.

    The manifest is the same. `on_progress` gets the parts done and in all. Raises DataError as `scan_folder`,
    `open_cluster` and `make_parts`.
    """
    folder, manifest_path = folder.resolve(), manifest_path.resolve()
    with open_cluster(address) as cluster:
        opened = open_folder(folder, manifest_path, card, source, on_unpacking, wait=0)
        # The workers need no manifest of before: what it knows is kept where the parts are merged.
        make = partial(scan_opened_part, replace(opened, previous=None), manifest_path, trust=trust, workers=1)
        parts = read_all_parts(make_parts(cluster, make, on_progress))
    manifest, skipped = merge_scan_parts(parts, manifest_path)
    write_manifest(manifest, manifest_path)
    merge_scan_caches(parts, manifest_path)
    # Their caches stay, by which they are soon made again.
    remove_parts(parts)
    return Scanned(manifest, skipped, write_skipped(skipped, manifest_path), opened.card)
