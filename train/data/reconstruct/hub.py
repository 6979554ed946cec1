"""Fetch the published weights of the TAESD family from Hugging Face, by its own client and into its cache."""

import os
from pathlib import Path

from train.common.errors import DataError

# One repository for each autoencoder, by the author of the family.
OWNER = "madebyollin"
_SITE = "https://huggingface.co"


def fetch_weights(name: str) -> Path:
    """Return a folder with an autoencoder's published weights, downloaded or from the client's cache.

    The environment's HF_ENDPOINT chooses another server. DataError when `huggingface_hub` is not installed, or the
    repository or the network cannot be had.
    """
    # Read when the package is first imported.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError
    except ModuleNotFoundError:
        raise DataError("huggingface_hub is not installed: pip install 'fauxlens[hubs]', or name a folder.") from None
    endpoint = os.environ.get("HF_ENDPOINT") or _SITE
    page = f"{endpoint}/{OWNER}/{name}"
    patterns = [f"{name}_*.safetensors", f"{name}_*.pth", "diffusion_pytorch_model.safetensors"]
    try:
        return Path(snapshot_download(f"{OWNER}/{name}", allow_patterns=patterns, endpoint=endpoint))
    except LocalEntryNotFoundError:
        raise DataError(_unreachable(page)) from None
    except HfHubHTTPError as error:
        raise DataError(
            f"{page} cannot be downloaded (status {error.response.status_code}): name a folder with the weights."
        ) from None
    except HTTPError:
        raise DataError(_unreachable(page)) from None


def _unreachable(page: str) -> str:
    return f"{page} cannot be reached: check the network, or download the weights and name their folder."
