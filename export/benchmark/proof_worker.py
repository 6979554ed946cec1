"""What runs in a process of its own: a network in an engine over all references, and what the engine made of it.

    python -c "from export.benchmark.proof_worker import main; main()" ENGINE MODEL VIEWS.npy SCORES.npy HEATMAPS.npy

Prints one JSON object: the fields of Convolutions.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from export.benchmark.engines import ENGINES
from export.benchmark.precision import convolutions_of


def main() -> None:
    """Run every view by itself on one thread."""
    name, model, views, scores, heatmaps = sys.argv[1:]
    engine = ENGINES[name]
    opened = engine.open(Path(model), 1)
    rows = []
    for view in np.load(views, allow_pickle=False):
        opened.feed(view[np.newaxis])
        opened.invoke()
        rows.append(opened.read())
    np.save(scores, np.concatenate([np.array(row[0], np.float32) for row in rows]))
    np.save(heatmaps, np.concatenate([np.array(row[1], np.float32) for row in rows]))
    print(json.dumps(asdict(convolutions_of(name, Path(model)))))
