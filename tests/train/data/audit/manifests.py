"""Manifests to audit: one without any fault, and ways to put faults into it."""

from pathlib import Path

import numpy as np
import polars as pl

from train.data.audit.audit import Audit
from train.data.audit.findings import Finding
from train.data.manifest import COLUMNS, SCHEMA, SPLITS, Manifest, check_frame


def manifest_of(rows: int = 240, seed: int = 0) -> Manifest:
    """Three sources without any shortcut, split evenly, no picture like another."""
    rng = np.random.default_rng(seed)
    hashes = [int(np.packbits(rng.permutation(np.arange(64) < 32)).view(">u8")[0]) for _ in range(rows)]
    kinds = [
        ("real", "camera", "camera", "ffhq"),
        ("fake", "stylegan2", "gan", "sg2"),
        ("fake", "sdxl", "diffusion", "xl"),
    ]
    table = []
    for row, value in enumerate(hashes):
        label, generator, family, source = kinds[(0, 1, 0, 2)[row % 4]]
        table.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": f"{source}/{row:04}.jpg",
                "sha256": f"{value:064x}",
                "phash": f"{value:016x}",
                "width": 256,
                "height": 256,
                "format": "JPEG",
                "jpeg_quality": 90,
                "bytes": int(rng.integers(9000, 11000)),
                "label": label,
                "generator": generator,
                "family": family,
                "source": source,
                "group": f"{row:016x}",
                "split": SPLITS[row // 4 % 3],
            }
        )
    frame = pl.DataFrame(table, schema=SCHEMA)
    check_frame(frame, "test")
    return Manifest(frame, Path("somewhere"))


def change(manifest: Manifest, row: int, **values: object) -> Manifest:
    at = pl.int_range(pl.len()) == row
    columns = [pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
    return Manifest(manifest.frame.with_columns(columns), manifest.folder)


def where_fake(manifest: Manifest, **values: pl.Expr) -> Manifest:
    """Put values in where the label is fake."""
    columns = [
        pl.when(pl.col("label") == "fake").then(value).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return Manifest(manifest.frame.with_columns(columns), manifest.folder)


def findings_of(found: Audit, topic: str, severity: str) -> list[Finding]:
    return [finding for finding in found.found if (finding.topic, finding.severity) == (topic, severity)]
