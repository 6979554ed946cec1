# /// script
# requires-python = ">=3.11,<3.12"
# dependencies = ["mediapipe==1.2.2", "opencv-python-headless"]
# [tool.uv]
# # Never: OpenCV's other build needs libGL, and only audio needs sounddevice.
# override-dependencies = ["opencv-contrib-python; python_version < '3'", "sounddevice; python_version < '3'"]
# ///
"""What runs in MediaPipe's own environment: views through its ImageClassifier, every bit of both outputs handed back.

Started by export/runtimes/mediapipe.py with Python's -I, so that `import mediapipe` means the package and not the
adapter beside this file. It imports nothing of Fauxlens.
"""

import sys
from pathlib import Path
from typing import Any

import mediapipe  # type: ignore[import-not-found]
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision  # type: ignore[import-not-found]

LABELS = ["real", "fake"]


def classify_views(model: Path, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores float32 [N, 2] and heatmaps float32 [N, h*w] of views uint8 [N, S, S, 3], which MediaPipe does not resize.

    S must be the model's own size for that.
    """
    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(model)))
    rows = []
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for view in views:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=view)
            heads = {head.head_name: head.categories for head in classifier.classify(image).classifications}
            rows.append((values(heads["scores"], LABELS), values(heads["heatmap"])))
    scores, heatmaps = zip(*rows, strict=True)
    return np.stack(scores), np.stack(heatmaps)


def values(categories: list[Any], labels: list[str] | None = None) -> np.ndarray:
    """The values of one output as they stand in its tensor, whose labels must be these; MediaPipe may sort them."""
    ordered = sorted(categories, key=lambda category: category.index)
    if [category.index for category in ordered] != list(range(len(ordered))):
        raise ValueError("MediaPipe omitted values of an output")
    if labels is not None and [category.category_name for category in ordered] != labels:
        raise ValueError(f"MediaPipe does not read the labels {labels}")
    return np.array([category.score for category in ordered], np.float32)


def main(size: str, model: str, views: str, scores: str, heatmaps: str) -> None:
    """Read the model and the views of that size, write both outputs, raw and little-endian."""
    side = int(size)
    outputs = classify_views(Path(model), np.fromfile(views, np.uint8).reshape(-1, side, side, 3))
    for path, output in zip((scores, heatmaps), outputs, strict=True):
        Path(path).write_bytes(output.astype("<f4").tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
