"""What a recipe says of learning: stages with their learning rates, optimizer, which epoch is kept."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from train.recipe_types import STRICT, Count, Rate, Share


@dataclass(frozen=True, config=STRICT)
class Stage:
    """One stretch of training: `train_from` is `head`, `all`, or the first layer of the backbone that learns.

    `features` says how often the frozen layers run: `fresh` on every picture of every epoch, augmented anew; `cached`
    once, on pictures augmented once, so that a stage costs one pass however many epochs it has (for `head` only).
    `schedule` is what the learning rate does: `constant`, `cosine` falls to 0 over the stage (Loshchilov and Hutter
    2017), `plateau` is multiplied by `plateau_factor` whenever the validation loss has not fallen for
    `plateau_patience` epochs, as by Keras's ReduceLROnPlateau. `warm_up` is the share of the stage's steps in which the
    learning rate rises from 0 in a straight line, with every schedule.
    """

    name: str
    epochs: Count
    learning_rate: Rate
    train_from: str
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.3
    plateau_patience: Count = 2
    warm_up: Share = 0.0
    features: Literal["fresh", "cached"] = "fresh"

    def __post_init__(self) -> None:
        if self.features == "cached" and self.train_from != "head":
            raise ValueError(f"cached features are for train_from = 'head', not {self.train_from!r}")


@dataclass(frozen=True, config=STRICT)
class Fit:
    """What all stages share: batch size, class weights, early stopping, optimizer, the seed.

    keep: which epoch of the last stage becomes the detector: `auc` the one of the highest validation AUC, `loss` the
    one of the lowest validation loss, `last` the last; with [sampling] all validation sources count equally. patience:
    epochs without a better one after which a stage ends early, min_delta: by how much more than this an epoch has to
    be better. optimizer: `adam`, `adamw`, or `sgd` with `momentum`, Nesterov's with `nesterov`. weight_decay: decoupled
    (Loshchilov and Hutter 2019), so with it `adam` is AdamW and `sgd` is SGDW. average: decay a step
    of the moving average of weights that is validated and kept, 0 for none. label_smoothing: as in Szegedy et al. 2016.
    precision: `mixed` computes all layers but the head in bfloat16 while it learns, for GPUs with such units; weights
    and whatever is scored or exported afterwards stay float32.
    """

    batch_size: Count = 32
    class_weights: Literal["balanced", "none"] = "balanced"
    keep: Literal["auc", "loss", "last"] = "auc"
    patience: Count = 5
    min_delta: Share = 0.0
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    precision: Literal["float32", "mixed"] = "float32"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    def __post_init__(self) -> None:
        if self.optimizer == "adamw" and not self.weight_decay:
            raise ValueError("adamw is Adam with weight decay: set fit.weight_decay, e.g. to 0.01, or take adam")
        if self.nesterov and not (self.optimizer == "sgd" and self.momentum):
            raise ValueError("nesterov is a kind of momentum: it needs fit.optimizer = 'sgd' and fit.momentum above 0")
