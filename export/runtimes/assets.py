"""Where the assets of runtimes that are no Python packages of ours are kept: made once by a set-up, then only read.

Assets are a folder under $FAUXLENS_RUNTIMES, or `fauxlens/runtimes` in the user's cache folder (XDG Base Directory
Specification 0.8), named after the runtime and a digest of what its set-up would make, so that another version of
Fauxlens makes its own.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from train.common.atomic import set_mode
from train.common.places import cache_folder


def assets_folder(name: str, ingredients: Sequence[str]) -> Path:
    """Where the assets of runtime `name` stand; `ingredients` are all the versions and texts that its set-up uses."""
    home = os.environ.get("FAUXLENS_RUNTIMES")
    digest = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:12]
    return (Path(home) if home else cache_folder() / "runtimes") / f"{name}-{digest}"


def make_assets(folder: Path, make: Callable[[Path], None]) -> None:
    """Let `make` fill a folder beside `folder` and rename it once it is whole; older versions of it are removed."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        make(temporary)
        # mkdtemp makes it private; a folder that root has set up is for everyone.
        set_mode(temporary, 0o755)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    name = folder.name.rpartition("-")[0]
    for old in folder.parent.glob(f"{name}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
