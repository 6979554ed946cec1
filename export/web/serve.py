"""The site of a bundle on this machine's loopback address, for its own browsers."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from export.runtimes.loopback import Files, serve_files
from export.web.site import ISOLATION, content_type, site_files


@contextlib.contextmanager
def serving(bundle: Path) -> Iterator[str]:
    """Serve the site of `bundle` while the block runs; yields the page's address.

    Its folder has a name that nobody can guess, so other pages on this machine cannot ask for it. It takes no posts.
    Raises ExportError as `site_files`.
    """
    files: Files = {path: (content_type(path), data) for path, data in site_files(bundle).items()}
    files = {**files, "": files["index.html"]}
    headers = ISOLATION | {"Cache-Control": "no-cache"}
    with serve_files(files, headers, lambda path, body: None, most=0) as (_, page):
        yield page


def wait_for_interrupt() -> None:
    """Return when Ctrl-C is pressed."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
