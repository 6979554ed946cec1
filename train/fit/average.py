"""Average a run's weights with others that it was trained on from, or beside."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from ela.front_ends import parse_front_end
from train.common.atomic import write_text
from train.common.documents import read_json_object
from train.common.errors import TrainError
from train.fit.run_folder import Run, has_state, start_run, weights_path
from train.fit.scoring import keras_scorer, score_state
from train.model import backbone_of, build_classifier
from train.weights import save_weights

AVERAGED = "averaged.json"
"""In a run folder: what its weights are the average of."""


def average_run(run: Run, weights: Path, share: float, folder: Path) -> Run:
    """Set up a run in `folder` whose backbone is the mean of a run's and of other weights; scored and calibrated.

    weights: an .h5 that the recipe's network could begin with, of a run or of `recover`. share: of the other weights,
    between 0 and 1; the head stays the run's. Between two trainings of which one went on from the other, such a mean is
    often better than both, on unseen kinds above all (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
    2022; "Model soups", ICML 2022): choose the share on the validation split.
    Raises TrainError for a run that is not finished, weights of another network, and a folder that holds other things.
    """
    if not has_state(run, "float"):
        raise TrainError(f"{run.folder} is not finished: `fauxlens train --resume {run.folder}` first.")
    view, settings = run.view, run.recipe.model
    classifier = build_classifier(replace(settings, weights="none"), view.size)
    classifier.load_weights(str(weights_path(run, "float")))
    other = backbone_of(build_classifier(replace(settings, weights=str(weights)), view.size))
    for mine, its in zip(backbone_of(classifier).weights, other.weights, strict=True):
        mine.assign((1 - share) * mine + share * its)
    made = start_run(folder, run.recipe, run.manifest_path, run.manifest())
    about = {
        "format": 1,
        "run": run.folder.name,
        "run_sha256": _sha256(weights_path(run, "float")),
        "weights": weights.name,
        "weights_sha256": _sha256(weights),
        "share": share,
    }
    write_text(folder / AVERAGED, json.dumps(about, indent=1) + "\n")
    save_weights(classifier, weights_path(made, "float"), settings)
    score_state(made, made.store(), "float", keras_scorer(classifier, parse_front_end(settings.front_end)))
    return made


def averaged_of(run: Run) -> str:
    """Say in a sentence what a run's weights are the average of; empty for a run that was trained."""
    path = run.folder / AVERAGED
    if not path.exists():
        return ""
    about = read_json_object(path, error=TrainError, remedy="average the run again into another folder")
    return f"Average of {about.get('run')} and, with a share of {about.get('share')}, {about.get('weights')}."


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
