"""Folders of the person who runs Fauxlens, also where there is no such person: a container without a home."""

import getpass
import os
import tempfile
from pathlib import Path


def home_folder() -> Path | None:
    """The home folder; None where the system knows none, as for a user id without a passwd entry."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def cache_folder() -> Path:
    """Where Fauxlens keeps what it can make again: `fauxlens` in the user's cache folder (XDG Base Directory 0.8).

    Without a home it is a folder of the user's own among the temporary files.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given) / "fauxlens"
    home = home_folder()
    if home is not None:
        return home / ".cache" / "fauxlens"
    return Path(tempfile.gettempdir()) / f"fauxlens-{_user()}"


def _user() -> str:
    if hasattr(os, "getuid"):
        return str(os.getuid())
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
