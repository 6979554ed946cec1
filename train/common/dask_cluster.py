"""Parts that the workers of a Dask cluster make, which see the same disk under the same paths."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.common.errors import DataError
from train.common.parts import WorkPart
from train.common.progress import ProgressCallback
from train.common.version import VERSION

if TYPE_CHECKING:
    from distributed import Client

# Seconds within which a cluster answers.
_PATIENCE = 5
# So many parts for each thread of the workers: a worker that dies loses one, and none waits long for the last.
_PARTS_A_THREAD = 4
_MOST_PARTS = 9999

MakePart = Callable[[WorkPart], Path]
"""Makes a part and returns its file. It is pickled, so it stands at the top of a module and names places absolutely."""


@dataclass(frozen=True)
class DaskCluster:
    """A cluster that answers, whose workers have this very Fauxlens."""

    address: str
    client: "Client"


@contextmanager
def open_cluster(address: str) -> Iterator[DaskCluster]:
    """The cluster whose scheduler is at `address`.

    Raises DataError for one that does not answer within seconds, has no workers, or whose workers have no Fauxlens or
    another version.
    """
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
        yield DaskCluster(address, client)
    finally:
        client.close(timeout=_PATIENCE)


def make_parts(cluster: DaskCluster, make: MakePart, on_progress: ProgressCallback | None = None) -> tuple[Path, ...]:
    """Let the workers make all parts of a whole, four for each of their threads; return the files.

    A part whose worker dies is made by another one. `on_progress` gets the parts done and in all. Raises what `make`
    raises, and DataError for workers that see another disk or die one after the other.
    """
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    client, address = cluster.client, cluster.address
    count = min(_MOST_PARTS, sum(client.nthreads().values()) * _PARTS_A_THREAD)
    # Not pure: what was made before may have been removed since.
    futures = client.map(make, [WorkPart(number, count) for number in range(1, count + 1)], pure=False)
    made: list[Path] = []
    try:
        for future in as_completed(futures, loop=client.loop):
            path = future.result()
            if not path.exists():
                raise DataError(
                    f"{path} was made by a worker of {address} and cannot be found here: the workers must see the "
                    "same disk under the same paths."
                )
            made.append(path)
            if on_progress is not None:
                on_progress(len(made), count)
    except KilledWorker:
        raise DataError(
            f"Workers of the Dask cluster at {address} died one after the other: check their memory, and run the "
            "command again."
        ) from None
    finally:
        client.cancel(futures)
    return tuple(made)


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
