"""Keep native libraries' chatter off a person's terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def native_chatter_hidden() -> Iterator[None]:
    """Send what native code writes to standard error to nowhere for a while; Python's exceptions are not touched.

    TensorFlow's and LiteRT's start-up lines (CUDA, oneDNN, XNNPACK) obey no environment variable that is read early
    enough. FAUXLENS_NATIVE_LOG=1 shows them again.
    """
    if os.environ.get("FAUXLENS_NATIVE_LOG") == "1":
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
