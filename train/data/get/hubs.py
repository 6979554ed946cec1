"""Fetch datasets from Kaggle and Hugging Face through their own clients, which bring resume, checks and sign-in."""

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from train.common.errors import DataError
from train.common.extras import install_command

_KAGGLE_SITE = "https://www.kaggle.com"
_HUGGINGFACE_SITE = "https://huggingface.co"
_KAGGLE_HANDLE = re.compile(r"\w[\w.-]*/\w[\w.-]*(/versions/[0-9]+)?", re.ASCII)
_HUGGINGFACE_HANDLE = re.compile(r"(\w[\w.-]*/)?\w[\w.-]*(@\w[\w./-]*)?", re.ASCII)


@dataclass(frozen=True)
class Fetched:
    """A finished download: the folder that holds the files, and which version it is as the hub names it."""

    folder: Path
    version: str


def fetch_kaggle(handle: str, work: Path) -> Fetched:
    """Download and unpack a dataset from Kaggle inside `work`; `handle` is OWNER/NAME or OWNER/NAME/versions/N.

    Called again with the same `work` it goes on with a broken-off download. Progress goes to standard error.
    Raises DataError when `kagglehub` is not installed, sign-in or consent is missing, the dataset is not
    there, the network or the disk fails, or what came is damaged.
    """
    _need("kagglehub", "Kaggle")
    if not _KAGGLE_HANDLE.fullmatch(handle):
        raise DataError(f"{handle!r} is not a Kaggle dataset: write OWNER/NAME or OWNER/NAME/versions/N in the card.")
    page = f"{_KAGGLE_SITE}/datasets/{handle}"
    # Its own folder for a download (`output_dir`) does not resume; its cache does, so the cache is put inside
    # `work`. The caches of hosted notebooks are switched off: they are read-only mounts elsewhere.
    cache = work / "kagglehub"
    settings = {"KAGGLEHUB_CACHE": str(cache), "DISABLE_KAGGLE_CACHE": "true", "DISABLE_COLAB_CACHE": "true"}
    with _environment(settings), redirect_stdout(sys.stderr):
        folder = Path(_kaggle_download(handle, page, cache))
    return Fetched(folder, folder.name)


def _kaggle_download(handle: str, page: str, cache: Path) -> str:
    import tarfile
    import zipfile
    import zlib

    import kagglehub
    import requests
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    try:
        return str(kagglehub.dataset_download(handle))
    except UnauthenticatedError:
        raise DataError(_sign_in_to_kaggle(page)) from None
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise DataError(_refused_by_kaggle(status, page)) from None
    except requests.RequestException:
        raise DataError(_unreachable(page)) from None
    except (DataCorruptionError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        if not cache.exists():
            reason = " ".join(str(error).split())
            raise DataError(f"{page} could not be requested ({reason}): fix that and run again.") from None
        # The client would find the damaged archive there again and take it for finished.
        shutil.rmtree(cache, ignore_errors=True)
        raise DataError(f"{page} arrived damaged and was removed: run the command again.") from None
    except OSError as error:
        raise _explained(error, page) from None


def _refused_by_kaggle(status: int, page: str) -> str:
    if status == 401:
        return _sign_in_to_kaggle(page)
    if status == 403:
        return f"{page} is refused (403): sign in there, accept its terms, see that your token is valid, and run again."
    if status == 404:
        return f"{page} is not there (404): correct the handle in the card."
    return f"{page} is not available now (status {status}): run the command again later."


def _sign_in_to_kaggle(page: str) -> str:
    return (
        f"{page} needs sign-in (401): make a token at {_KAGGLE_SITE}/settings, put it in KAGGLE_API_TOKEN or "
        "~/.kaggle/access_token, and run again."
    )


def fetch_huggingface(handle: str, work: Path) -> Fetched:
    """Download a dataset from Hugging Face inside `work`; `handle` is OWNER/NAME or OWNER/NAME@REVISION.

    Files that are whole are not fetched again when called with the same `work`. Progress goes to standard
    error. The environment's HF_ENDPOINT chooses another server. Raises DataError when `huggingface_hub` is
    not installed, sign-in or consent is missing, the dataset is not there, or the network or the disk fails.
    """
    # Read when the package is first imported.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    _need("huggingface_hub", "Hugging Face")
    if not _HUGGINGFACE_HANDLE.fullmatch(handle):
        raise DataError(
            f"{handle!r} is not a Hugging Face dataset: write OWNER/NAME or OWNER/NAME@REVISION in the card."
        )
    name, _, revision = handle.partition("@")
    endpoint = os.environ.get("HF_ENDPOINT") or _HUGGINGFACE_SITE
    folder = work / "huggingface"
    folder.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):
        version = _huggingface_download(name, revision or None, endpoint, folder)
    # The client's notes on what it has fetched.
    notes = folder / ".cache" / "huggingface"
    shutil.rmtree(notes)
    if not any(notes.parent.iterdir()):
        notes.parent.rmdir()
    return Fetched(folder, version)


def _huggingface_download(name: str, revision: str | None, endpoint: str, folder: Path) -> str:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
        XetDownloadError,
    )

    page = f"{_HUGGINGFACE_SITE}/datasets/{name}"
    try:
        commit = str(HfApi(endpoint=endpoint).dataset_info(name, revision=revision).sha)
        snapshot_download(name, repo_type="dataset", revision=commit, local_dir=folder, endpoint=endpoint)
        _check_whole(name, commit, folder, page)
    except GatedRepoError:
        raise DataError(f"{page} asks for consent: accept its terms there, `hf auth login`, and run again.") from None
    except RevisionNotFoundError:
        raise DataError(f"{page} has no revision {revision!r}: correct the handle in the card.") from None
    except RepositoryNotFoundError:
        raise DataError(
            f"{page} does not exist or you have no access: correct the handle in the card, or sign in with `hf auth "
            "login`."
        ) from None
    except HfHubHTTPError as error:
        raise DataError(_refused_by_huggingface(error.response.status_code, page)) from None
    except HFValidationError:
        raise DataError(f"{name!r} is not a Hugging Face dataset: correct the handle in the card.") from None
    except LocalEntryNotFoundError as error:
        # What the client says of a file it cannot get, whatever the cause.
        if isinstance(error.__cause__, HfHubHTTPError):
            raise DataError(_refused_by_huggingface(error.__cause__.response.status_code, page)) from None
        raise DataError(_unreachable(page)) from None
    except (HTTPError, XetDownloadError):
        raise DataError(_unreachable(page)) from None
    except OSError as error:
        raise _explained(error, page) from None
    return commit


def _check_whole(name: str, commit: str, folder: Path, page: str) -> None:
    """Hold the folder against the hub's list of files: the client hands out half a folder when the hub goes away."""
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        listed = get_cached_repo_tree(name, repo_type="dataset", revision=commit, local_dir=folder)
    except CachedRepoTreeNotFoundError:
        raise DataError(_unreachable(page)) from None
    for one in listed:
        path = folder / one.path
        if not path.is_file() or path.stat().st_size != one.size:
            raise DataError(_unreachable(page))


def _refused_by_huggingface(status: int, page: str) -> str:
    if status == 401:
        return f"{page} needs sign-in (401): sign in with `hf auth login` and run again."
    if status == 403:
        return f"{page} is refused (403): accept its terms there, sign in with `hf auth login`, and run again."
    if status == 404:
        return f"{page} is not there (404): correct the handle in the card."
    return f"{page} is not available now (status {status}): run the command again later."


def _need(package: str, hub: str) -> None:
    if find_spec(package) is None:
        raise DataError(f"This card's data is on {hub} and {package} is not installed: {install_command('hubs')}.")


def _unreachable(page: str) -> str:
    return f"{page} cannot be reached or was interrupted: check the network and run the command again to resume."


def _explained(error: OSError, page: str) -> Exception:
    """What to raise for a system error: DataError for a full disk and for the clients' own, which have no number."""
    if error.errno == errno.ENOSPC:
        return DataError(f"{page} does not fit on the disk: free some space and run the command again to resume.")
    return error if error.errno is not None else DataError(_unreachable(page))


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
