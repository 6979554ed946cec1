"""A scan whose parts are made by the workers of a Dask cluster, which see the same disk under the same paths."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.common.errors import DataError
from train.common.parts import WorkPart
from train.common.progress import ProgressCallback
from train.common.version import VERSION
from train.data.manifest import write_manifest
from train.data.part_files import read_all_parts
from train.data.scan.folder import OpenedFolder, Scanned, open_folder, scan_opened_part
from train.data.scan.parts import merge_scan_caches, merge_scan_parts
from train.data.scan.scan import Trust
from train.data.scan.skipped import write_skipped

if TYPE_CHECKING:
    from distributed import Client

# Seconds within which a cluster answers.
_PATIENCE = 5
# So many parts for each thread of the workers: a worker that dies loses one, and none waits long for the last.
_PARTS_A_THREAD = 4
_MOST_PARTS = 9999


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

    The manifest is the same. A part whose worker dies is made by another one. `on_progress` gets the parts done and in
    all. Raises DataError as `scan_folder`, and for a cluster that does not answer within seconds, has no workers or
    loses them, whose workers have no Fauxlens or another version, or see another disk.
    """
    folder, manifest_path = folder.resolve(), manifest_path.resolve()
    with _connected(address) as client:
        opened = open_folder(folder, manifest_path, card, source, on_unpacking, wait=0)
        threads = sum(client.nthreads().values())
        count = min(_MOST_PARTS, threads * _PARTS_A_THREAD)
        parts = read_all_parts(list(_made(client, address, opened, manifest_path, count, trust, on_progress)))
    manifest, skipped = merge_scan_parts(parts, manifest_path)
    write_manifest(manifest, manifest_path)
    merge_scan_caches(parts, manifest_path)
    for one in parts:
        # Their caches stay, by which they are soon made again.
        one.path.unlink()
    return Scanned(manifest, skipped, write_skipped(skipped, manifest_path), opened.card)


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    """A client of a cluster with workers that have this very Fauxlens; DataError where there is none."""
    from distributed import Client

    # It would tell on standard error what is told here in a sentence.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_greet(address))
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    # What a server of another kind sends is taken for the size of a message.
    except (OSError, ValueError, TypeError, ImportError, MemoryError, OverflowError) as error:
        reason = (str(error).splitlines() or [""])[0][:150].rstrip(".") or type(error).__name__
        raise DataError(
            f"No Dask scheduler answers at {address} within {_PATIENCE} seconds ({reason}): start one, or correct "
            "--dask, which looks like tcp://10.0.0.1:8786."
        ) from None
    try:
        if not client.nthreads():
            raise DataError(f"The Dask cluster at {address} has no workers: start some (dask worker {address}).")
        _check_versions(client, address)
        yield client
    finally:
        client.close(timeout=_PATIENCE)


async def _greet(address: str) -> None:
    """See that a Dask server answers: `Client` waits for ever where one takes the connection and then says nothing."""
    from distributed.comm import connect
    from distributed.security import Security

    options = Security().get_connection_args("client")
    (await asyncio.wait_for(connect(address, timeout=_PATIENCE, **options), _PATIENCE)).abort()


def _check_versions(client: "Client", address: str) -> None:
    found: dict[str, Any] = client.run(_version, on_error="return")
    for worker, version in sorted(found.items()):
        if version != VERSION:
            has = f"has Fauxlens {version}" if isinstance(version, str) else "cannot import Fauxlens"
            raise DataError(
                f"The worker {worker} of the Dask cluster at {address} {has}, but this is Fauxlens {VERSION}: "
                "install this version on the workers."
            )


def _version() -> str:
    return VERSION


def _made(
    client: "Client",
    address: str,
    opened: OpenedFolder,
    manifest_path: Path,
    count: int,
    trust: Trust,
    on_progress: ProgressCallback | None,
) -> Iterator[Path]:
    """Let the workers make all parts; yield each when it is there."""
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    parts = [WorkPart(number, count) for number in range(1, count + 1)]
    # The workers need no manifest of before: what it knows is kept where the parts are merged.
    make = partial(scan_opened_part, replace(opened, previous=None), manifest_path, trust=trust, workers=1)
    # Not pure: what was made before may have been removed since.
    futures = client.map(make, parts, pure=False)
    try:
        for done, future in enumerate(as_completed(futures, loop=client.loop), 1):
            path = future.result()
            if not path.exists():
                raise DataError(
                    f"{path} was made by a worker of {address} and cannot be found here: the workers must see the "
                    "same disk under the same paths."
                )
            if on_progress is not None:
                on_progress(done, count)
            yield path
    except KilledWorker:
        raise DataError(
            f"Workers of the Dask cluster at {address} died one after the other: check their memory, and run the "
            "command again."
        ) from None
    finally:
        client.cancel(futures)
