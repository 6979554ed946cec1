"""Average a run's weights with others that it was trained on from, or beside."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ela.front_ends import parse_front_end
from train.common.atomic import write_text
from train.common.documents import file_sha256, read_json_object
from train.common.errors import TrainError
from train.fit.run_folder import Run, abandon_run, has_state, start_run, weights_path, working_on
from train.fit.scoring import keras_scorer, score_state
from train.model import backbone_of, build_classifier
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
    split.
    Raises TrainError for a run that is not finished, weights of another network, and a folder that holds other things.
    """
    if not has_state(run, "float"):
        raise TrainError(f"{run.folder} is not finished: `fauxlens train --resume {run.folder}` first.")
    view, settings = run.view, run.recipe.model
    classifier = build_classifier(replace(settings, weights="none"), view.size)
    load_weights(classifier, weights_path(run, "float"), settings)
    other = build_classifier(replace(settings, weights=str(weights)), view.size)
    if has_head(weights):
        load_weights(other, weights, settings)
        pairs = zip(classifier.weights, other.weights, strict=True)
    else:
        pairs = zip(backbone_of(classifier).weights, backbone_of(other).weights, strict=True)
    for mine, its in pairs:
        mine.assign((1 - share) * mine + share * its)
    averaged = Averaged(
        run.folder.name, file_sha256(weights_path(run, "float")), weights.name, file_sha256(weights), share
    )
    made = start_run(folder, run.recipe, run.manifest_path, run.manifest())
    with working_on(folder):
        try:
            write_text(folder / AVERAGED, json.dumps({"format": FORMAT} | asdict(averaged), indent=1) + "\n")
            save_weights(classifier, weights_path(made, "float"), settings)
            score_state(made, made.store(), "float", keras_scorer(classifier, parse_front_end(settings.front_end)))
        except BaseException:
            # There is nothing to go on with: what `train --resume` would do is another thing.
            for path in (folder / AVERAGED, weights_path(made, "float")):
                path.unlink(missing_ok=True)
            abandon_run(made)
            raise
    return made


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
