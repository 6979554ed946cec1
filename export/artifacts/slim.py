"""A slim bundle: one variant of a bundle and what it is compared with, small enough to travel inside an app."""

from dataclasses import replace
from pathlib import Path

from export.artifacts.bundle import LINEAGE, Bundle, bundle_bytes, read_bundle, tflite_stage
from train.common.atomic import write_bytes
from train.common.errors import ExportError

NAME = "bundle.zip"
"""What the Android app looks for among its assets."""


def write_slim(bundle: Path, folder: Path) -> Path:
    """Put the slim bundle of what a bundle ships into an app's assets folder; returns its path."""
    opened = read_bundle(bundle)
    target = folder / NAME
    write_bytes(target, slim_bundle(opened, opened.default))
    return target


def slim_bundle(bundle: Bundle, variant: str) -> bytes:
    """The bytes of a bundle that holds only `variant`, its Keras state and the float state of every reference.

    The pictures, their views and tolerances stay. Raises ExportError for a variant that the bundle has not.
    """
    if variant not in bundle.variants:
        raise ExportError(f"The bundle has no variant '{variant}'; choose one of {', '.join(sorted(bundle.variants))}.")
    lineage, own = LINEAGE[variant], tflite_stage(variant)
    stages = {"keras-float", lineage, own}
    every = bundle.references
    references = replace(
        every,
        stages={name: scores for name, scores in every.stages.items() if name in stages},
        heatmaps={name: maps for name, maps in every.heatmaps.items() if name == own},
        gradcam={name: maps for name, maps in every.gradcam.items() if name == lineage},
    )
    return bundle_bytes({variant: bundle.variants[variant]}, variant, bundle.card, references, bundle.tolerances)
