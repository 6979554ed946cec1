"""Signatures of C2PA manifests: valid, trusted and changed are told apart; without the extra nothing is claimed."""

from pathlib import Path

import pytest

from train.image.marks import signatures
from train.image.marks.c2pa import Claim
from train.image.marks.read import manifest_row, read_marks, read_parts
from train.image.marks.signatures import Signature, check_signature

GOLDEN = Path(__file__).parents[2] / "golden" / "marks"
CLAIM = Claim("Maker", "Signer", ("x/trainedAlgorithmicMedia",), (), (), None)


def checked(name: str, anchors: str | None = None) -> Signature | None:
    pytest.importorskip("c2pa", reason="the extra provenance is not installed")
    data = (GOLDEN / name).read_bytes()
    return check_signature(data, read_parts(data).container, anchors=anchors)


@pytest.mark.parametrize("name", ["c2pa.jpg", "c2pa.png", "c2pa.webp", "c2pa.avif", "c2pa.heic", "c2pa-ai-parent.jpg"])
def test_a_good_signature_is_valid_and_trusted_by_its_root_alone(name: str) -> None:
    root = (GOLDEN / "test-root.pem").read_text()
    assert checked(name) == Signature(True, False)
    assert checked(name, root) == Signature(True, True)


@pytest.mark.parametrize("name", ["c2pa-changed.jpg", "c2pa-forged.jpg"])
def test_a_changed_file_does_not_match(name: str) -> None:
    found = checked(name)
    assert found is not None
    assert not found.valid
    assert "ismatch" in found.code


def test_what_is_no_manifest_is_not_evaluated() -> None:
    assert checked("nested-boxes.png") is None
    assert checked("no-mark.jpg") is None


def test_without_the_extra_nothing_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_library", lambda: None)
    row = read_marks((GOLDEN / "c2pa.jpg").read_bytes()).rows[0]
    assert row.strength == "medium"
    assert row.text.endswith("; not checked.")


@pytest.mark.parametrize(
    ("signature", "strength", "says", "words"),
    [
        (None, "medium", "ai", "not checked"),
        (Signature(True, True), "strong", "ai", "on the trust list of 2026-09-24"),
        (Signature(True, False), "medium", "ai", "nobody on the trust list vouches"),
        (Signature(False, False, code="assertion.dataHash.mismatch"), "weak", "edited", "changed after signing"),
        (Signature(False, False, code="signingCredential.expired"), "none", "nothing", "not valid (signingCredential"),
    ],
)
def test_only_a_trusted_signature_is_strong(signature: Signature | None, strength: str, says: str, words: str) -> None:
    row = manifest_row(CLAIM, signature)
    assert (row.strength, row.says) == (strength, says)
    assert words in row.text


def test_the_shipped_lists_are_certificates() -> None:
    folder = Path(signatures.__file__).parent / "trust"
    counts = {path.name: path.read_text("ascii").count("BEGIN CERTIFICATE") for path in folder.glob("*.pem")}
    assert counts == {"claim-signers.pem": 30, "time-stampers.pem": 22}
