"""What the tests of the audit share."""

import pytest

from tests.train.data.audit.manifests import manifest_of
from train.data.manifest import Manifest


@pytest.fixture
def clean() -> Manifest:
    return manifest_of()


@pytest.fixture
def without_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save their seconds where they are not what is tested."""
    monkeypatch.setattr("train.data.audit.audit.fit_metadata_baseline", lambda frame, seed: None)
    monkeypatch.setattr("train.data.audit.audit.fit_features_alone", lambda frame, seed: ())
    monkeypatch.setattr("train.data.audit.audit.fit_pairs", lambda frame, seed: ())
