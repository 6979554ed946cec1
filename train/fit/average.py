"""Average a run's weights with others that it was trained on from, or beside."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ela.front_ends import parse_front_end
from train.common.documents import file_sha256, read_json_object
from train.common.errors import TrainError
from train.fit.run_folder import Run, abandon_run, has_state, open_run, start_run, weights_path, working_on
from train.fit.scoring import keras_scorer, score_state
from train.head import HEAD
from train.model import backbone_of, build_classifier, check_network
from train.weights import has_head, load_weights, save_weights

AVERAGED = "averaged.json"
"""In a run folder: what its weights are the average of."""
FORMAT = 1


@dataclass(frozen=True)
class Averaged:
    """What a run's weights are the average of: a run's and, with a `share` between 0 and 1, other weights.

    run, weights: the names of the folder and the file, and the SHA-256 of both weights.
    """

    run: str
    run_sha256: str
    weights: str
    weights_sha256: str
    share: float


def average_run(run: Run, weights: Path, share: float, folder: Path) -> Run:
    """Set up a run in `folder` whose weights are the mean of a run's and of others; scored and calibrated.

    weights: an .h5 that the recipe's network could begin with, of a run or of `recover`; one without a head, as the
    latter makes, leaves the run's head as it is. share: of the other weights, between 0 and 1. Between two trainings of
    which one went on from the other, such a mean is often better than both, on unseen kinds above all (Wortsman et al.,
    "Robust fine-tuning of zero-shot models", CVPR 2022; "Model soups", ICML 2022): choose the share on the validation
    split. Interrupted, the same call goes on in the same folder.

    Raises TrainError for a run that is not finished, weights of another network, a free head where the run's is
    non-negative, and a folder that holds other things.
    """
    if not has_state(run, "float"):
        raise TrainError(f"{run.folder} is not finished: `fauxlens train --resume {run.folder}` first.")
    check_network(replace(run.recipe.model, weights=str(weights)), run.view.size)
    try:
        digest = file_sha256(weights)
    except OSError as error:
        raise TrainError(f"{weights} cannot be read ({error.strerror}): name an .h5 file.") from error
    averaged = Averaged(run.folder.name, file_sha256(weights_path(run, "float")), weights.name, digest, share)
    begun = _begun(folder, run, averaged)
    if begun is not None and has_state(begun, "float"):
        return begun
    # Told before the work: a folder that is taken, a manifest that has changed.
    text = json.dumps({"format": FORMAT} | asdict(averaged), indent=1) + "\n"
    made = begun or start_run(folder, run.recipe, run.manifest_path, run.manifest(), beside={AVERAGED: text})
    with working_on(folder):
        try:
            classifier = _mean(run, weights, share)
            save_weights(classifier, weights_path(made, "float"), run.recipe.model)
            front_end = parse_front_end(run.recipe.model.front_end)
            score_state(made, made.store(), "float", keras_scorer(classifier, front_end))
        except BaseException:
            if begun is None:
                for path in (folder / AVERAGED, weights_path(made, "float")):
                    path.unlink(missing_ok=True)
                abandon_run(made)
            raise
    return made


def _begun(folder: Path, run: Run, averaged: Averaged) -> Run | None:
    """The run in a folder if it is this very average, finished or interrupted; else None."""
    try:
        there = open_run(folder)
        same = read_averaged(there) == averaged
    except TrainError:
        return None
    both = (there.recipe.sha256, there.manifest_sha256), (run.recipe.sha256, run.manifest_sha256)
    return there if same and both[0] == both[1] else None


def _mean(run: Run, weights: Path, share: float) -> Any:
    """The run's classifier with the mean of both weights."""
    view, settings = run.view, run.recipe.model
    classifier = build_classifier(replace(settings, weights="none"), view.size)
    load_weights(classifier, weights_path(run, "float"), settings)
    other = build_classifier(replace(settings, weights=str(weights)), view.size)
    if has_head(weights):
        load_weights(other, weights, settings)
        if settings.head == "non-negative" and (other.get_layer(HEAD).get_weights()[0] < 0).any():
            raise TrainError(
                f"{weights} has a head with weights below 0, and that of {run.folder} may have none (model.head): "
                "average it with weights of a non-negative head, or of no head."
            )
        pairs = zip(classifier.weights, other.weights, strict=True)
    else:
        pairs = zip(backbone_of(classifier).weights, backbone_of(other).weights, strict=True)
    for mine, its in pairs:
        mine.assign((1 - share) * mine + share * its)
    return classifier


def read_averaged(run: Run) -> Averaged | None:
    """Say what a run's weights are the average of; None for a run that was trained. Raises TrainError if damaged."""
    path, remedy = run.folder / AVERAGED, "average the run again into another folder"
    if not path.exists():
        return None
    about = read_json_object(path, error=TrainError, remedy=remedy)
    kinds = {name: float if name == "share" else str for name in Averaged.__dataclass_fields__}
    if about.pop("format", None) != FORMAT or {name: type(value) for name, value in about.items()} != kinds:
        raise TrainError(f"{path} is damaged: {remedy}.")
    return Averaged(**about)
