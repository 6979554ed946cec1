"""Fetch the published weights of the TAESD family from Hugging Face, by its own client and into its cache."""

import os
import re
from pathlib import Path

from train.common.errors import DataError

# One repository for each autoencoder, by the author of the family.
OWNER = "madebyollin"
PREFIX = "hf:"
"""How the word begins that names a repository instead of a folder."""
_SITE = "https://huggingface.co"
_HANDLE = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w.][\w./-]*))?")


def fetch_weights(name: str, handle: str | None = None) -> Path:
    """Return a folder with an autoencoder's published weights, downloaded or from the client's cache.

    `handle` is OWNER/NAME or OWNER/NAME@REVISION, by default the author's. The environment's HF_ENDPOINT chooses
    another server. DataError when `huggingface_hub` is not installed, `handle` is none, or the repository, the network
    or room on the disk cannot be had.
    """
    match = _HANDLE.fullmatch(f"{OWNER}/{name}" if handle is None else handle)
    if match is None:
        raise DataError(
            f"{PREFIX}{handle} names no repository: write {PREFIX}OWNER/NAME or {PREFIX}OWNER/NAME@REVISION."
        )
    repository, revision = match.groups()
    # Read when the package is first imported.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            HTTPError,
            LocalEntryNotFoundError,
            XetDownloadError,
        )
    except ModuleNotFoundError:
        raise DataError("huggingface_hub is not installed: pip install 'fauxlens[hubs]', or name a folder.") from None
    endpoint = os.environ.get("HF_ENDPOINT") or _SITE
    page = f"{endpoint}/{repository}"
    patterns = [f"{name}_*.safetensors", f"{name}_*.pth", "diffusion_pytorch_model.safetensors"]
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns, endpoint=endpoint))
    except LocalEntryNotFoundError:
        raise DataError(_unreachable(page)) from None
    except HfHubHTTPError as error:
        raise DataError(
            f"{page} cannot be downloaded (status {error.response.status_code}): name a folder with the weights."
        ) from None
    except HFValidationError:
        raise DataError(f"{PREFIX}{handle} names no repository: write {PREFIX}OWNER/NAME.") from None
    except (HTTPError, XetDownloadError):
        raise DataError(_unreachable(page)) from None
    except OSError as error:
        # The client's own have no number.
        reason = error.strerror or _unreachable(page)
        raise DataError(
            f"The weights of {page} cannot be kept ({reason}): free some space, or name a folder."
        ) from None


def _unreachable(page: str) -> str:
    return f"{page} cannot be reached: check the network, or download the weights and name their folder."
