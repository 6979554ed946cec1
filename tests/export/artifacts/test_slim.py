"""The slim bundle that travels in an app, and the one that ships with Fauxlens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from export.artifacts.bundle import parse_bundle, read_bundle
from export.artifacts.slim import slim_bundle, write_slim
from export.inference.detect_files import SHIPPED
from export.parity.verify import verify_bundle
from export.runtimes.registry import RUNTIMES
from train.common.errors import ExportError

if TYPE_CHECKING:
    from tests.export.conftest import Tiny


@pytest.mark.parametrize("variant", ["ptq-int8", "float32"])
def test_it_holds_one_variant_and_proves_it(tiny: Tiny, variant: str) -> None:
    data = slim_bundle(tiny.bundle, variant)
    slim = parse_bundle(data, "slim")
    assert slim.variants == {variant: tiny.bundle.variants[variant]}
    assert slim.default == variant
    assert slim.references.pictures == tiny.bundle.references.pictures
    full, short = (verify_bundle(one, variant=variant, runtime=RUNTIMES["litert"]) for one in (tiny.bundle, slim))
    assert short == full
    assert short.passed
    assert len(data) < len(tiny.bundle_bytes)


def test_slimming_twice_changes_nothing(tiny: Tiny) -> None:
    once = slim_bundle(tiny.bundle, "ptq-int8")
    assert slim_bundle(parse_bundle(once, "slim"), "ptq-int8") == once


def test_an_unknown_variant_is_named(tiny: Tiny) -> None:
    with pytest.raises(ExportError, match=r"no variant 'int4'; choose one of float32, ptq-int8"):
        slim_bundle(tiny.bundle, "int4")


def test_the_app_finds_what_ships(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "tiny.zip").write_bytes(tiny.bundle_bytes)
    written = write_slim(tmp_path / "tiny.zip", tmp_path / "assets")
    assert written == tmp_path / "assets" / "bundle.zip"
    assert read_bundle(written).default == tiny.bundle.default


def test_what_ships_is_slim_and_small_and_proven() -> None:
    shipped = read_bundle(SHIPPED)
    assert SHIPPED.read_bytes() == slim_bundle(shipped, shipped.default)
    # Of it 3.6 MB are the detector, 0.9 MB the face finder, the rest references: 24 pictures of 192 px, twice.
    assert SHIPPED.stat().st_size < 11 << 20
    parity = verify_bundle(shipped, variant=shipped.default, runtime=RUNTIMES["litert"])
    assert parity.passed, parity.sentence
    # For people, beside it.
    assert (SHIPPED.parent / "model_card.md").read_text(encoding="utf-8") == shipped.card
    # Drawn ones, as real faces may not be handed on.
    assert all(name.startswith("drawn/") for name in shipped.references.names)
    # They tell scores apart from one end to well beyond the threshold; no drawn face is surely fake to it.
    assert np.ptp(shipped.references.stages["keras-float"]) > 0.75
