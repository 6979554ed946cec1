"""sharpness: it survives resizing and saving, falls with blur, and findings say where it tells the labels apart."""

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageFilter

from train.common.errors import DataError
from train.data.audit.audit import audit
from train.data.audit.sharpness import (
    VIEW_SIDE,
    Sharpness,
    SourceSharpness,
    measure_sharpness,
    sharpness_findings,
    view_sharpness,
)
from train.data.audit.table import render_audit
from train.data.manifest import SCHEMA, Manifest
from train.data.scan.measure import Measured, measure_file


def photograph_like(seed: int, side: int, slope: float = 1.6) -> Image.Image:
    """Noise whose amplitude falls with a power of the frequency, as that of photographs does."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / frequency**slope
    spectrum[0, 0] = 0
    values = np.fft.irfft2(spectrum, (side, side))
    grey = np.clip(128 + 45 * values / values.std(), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def viewed(image: Image.Image) -> float:
    """The sharpness of a picture as `upright|square|resize` shows it."""
    return view_sharpness(np.asarray(image.resize((VIEW_SIDE, VIEW_SIDE), Image.Resampling.BILINEAR)))


def test_it_is_the_slope_of_the_spectrum() -> None:
    # Amplitude as frequency to the -s is energy to the -2 s: 12 s dB over two octaves.
    for slope in (1.0, 1.5, 2.0):
        found = [view_sharpness(np.asarray(photograph_like(seed, 160, slope))) for seed in range(6)]
        assert np.mean(found) == pytest.approx(-12.04 * slope, abs=1.0)
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 1)).astype(np.uint8).repeat(3, axis=2)
    assert view_sharpness(noise) == pytest.approx(0, abs=1.0)
    assert view_sharpness(np.full((160, 160, 3), 77, np.uint8)) == pytest.approx(0, abs=0.01)


def test_it_survives_resizing_and_saving() -> None:
    for seed in range(4):
        image = photograph_like(seed, 480)
        before = viewed(image)
        for side in (320, 640, 960):
            for kernel in (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS):
                assert viewed(image.resize((side, side), kernel)) == pytest.approx(before, abs=1.0)
        for quality in (60, 75, 95):
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality)
            assert viewed(Image.open(buffer)) == pytest.approx(before, abs=1.0)


def test_blur_and_enlarging_lower_it_and_sharpening_raises_it() -> None:
    for seed in range(4):
        image = photograph_like(seed, 320)
        before = viewed(image)
        assert viewed(image.filter(ImageFilter.GaussianBlur(2))) < before - 4
        assert viewed(image.resize((80, 80), Image.Resampling.LANCZOS).resize((320, 320))) < before - 4
        assert viewed(image.filter(ImageFilter.UnsharpMask(2, 120, 0))) > before + 2


def manifest_of(folder: Path, sources: dict[tuple[str, str], float], count: int = 30) -> Manifest:
    """A manifest with `count` pictures of each label and source, blurred so much."""
    rows: list[dict[str, Any]] = []
    for number, ((label, source), blur) in enumerate(sources.items()):
        (folder / source).mkdir(parents=True)
        for seed in range(count):
            path = folder / source / f"{seed}.png"
            photograph_like(1000 * number + seed, 160).filter(ImageFilter.GaussianBlur(blur)).save(path)
            found = measure_file(path)
            assert isinstance(found, Measured)
            about = {"path": f"{source}/{seed}.png", "label": label, "source": source, "group": f"{source}{seed}"}
            kind = (
                {"generator": "camera", "family": "camera"} if label == "real" else {"generator": "g", "family": "gan"}
            )
            rows.append(dict.fromkeys(SCHEMA) | asdict(found) | about | kind | {"split": "train"})
    return Manifest(pl.DataFrame(rows, schema=SCHEMA), folder)


def test_soft_reals_and_sharp_fakes_are_warned_of(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {("real", "phone"): 2.0, ("fake", "model"): 0.0})
    found = measure_sharpness(manifest)
    assert [one.source for one in found.sources] == ["phone", "model"]
    assert found.auc is not None
    assert found.auc > 0.95
    findings = sharpness_findings(found)
    assert [finding.severity for finding in findings] == ["warning", "note", "note"]
    assert "fakes are sharper, from phone (real" in findings[0].sentence
    assert findings[1].sentence.startswith("No fake source is as soft as phone")
    assert findings[2].sentence.startswith("No real source is as sharp as model")
    whole = audit(manifest, extra=findings, sharpness=found)
    assert findings[0].text in whole.findings
    assert whole.document["sharpness"]["auc"] == found.auc
    assert len(whole.document["sharpness"]["sources"]) == 2
    titles = [str(getattr(shown, "title", "")) for shown in render_audit(whole)]
    assert any(title.startswith("Sharpness") for title in titles)


def test_equally_sharp_classes_are_not(tmp_path: Path) -> None:
    sources = {("real", "sharp"): 0.0, ("real", "soft"): 2.0, ("fake", "one"): 0.0, ("fake", "two"): 2.0}
    found = measure_sharpness(manifest_of(tmp_path, sources))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high
    assert sharpness_findings(found) == ()


def test_threads_do_not_matter_and_few_pictures_prove_nothing(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {("real", "phone"): 2.0, ("fake", "model"): 0.0}, count=8)
    found = measure_sharpness(manifest, workers=1)
    assert found == measure_sharpness(manifest, workers=3)
    assert (found.auc, found.low, found.high) == (None, None, None)
    assert measure_sharpness(manifest, pictures_per_source=3).sources[0].pictures == 3


def test_reals_may_be_the_sharper_ones() -> None:
    sources = (SourceSharpness("a", "fake", 99, -25, -24, -23), SourceSharpness("b", "real", 99, -21, -20.5, -20))
    (warning, *_) = sharpness_findings(Sharpness(sources, 0.1, 0.05, 0.15))
    assert "AUC 0.90 (at least 0.85): reals are sharper, from a (fake, -24.0 dB) to b (real" in warning.sentence


def test_a_changed_picture_is_told(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {("real", "phone"): 2.0}, count=2)
    photograph_like(9, 40).save(tmp_path / "phone" / "0.png")
    with pytest.raises(DataError, match="has changed since the scan"):
        measure_sharpness(manifest)
