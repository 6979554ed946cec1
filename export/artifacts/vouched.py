"""Detector files that need no trial in this process: made by it, installed with Fauxlens, or tried already."""

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "shipped"
_digests: set[str] = set()


def vouch(digest: str) -> None:
    """Take a file as proven from now on."""
    _digests.add(digest)


def is_vouched(digest: str) -> bool:
    """Whether somebody has vouched for a file."""
    return digest in _digests


def is_shipped(path: Path) -> bool:
    """Whether a path is that of a file installed with Fauxlens, links followed."""
    try:
        return path.resolve().is_relative_to(SHIPPED.resolve())
    except OSError:
        return False
