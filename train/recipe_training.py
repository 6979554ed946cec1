"""What a recipe says of learning: stages with their learning rates, optimizer, which epoch is kept."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from train.recipe_types import STRICT, Count, Rate, Share


@dataclass(frozen=True, config=STRICT)
class Stage:
    """A training stage: `train_from` is `head`, `all`, or the first trainable layer of the backbone.

    `features` sets how often the frozen layers run: `fresh` in every epoch, with new augmentation; `cached` once, on
    pictures augmented once, so that a stage costs one pass for any number of epochs (only for `head`). `schedule` of
    the learning rate: `constant`, `cosine` falls to 0 over the stage (Loshchilov and Hutter 2017), `plateau` is
    multiplied by `plateau_factor` whenever the validation loss has not fallen for `plateau_patience` epochs, as by
    Keras's ReduceLROnPlateau. `warm_up` is the share of the stage's steps with a linear rise of the learning rate
    from 0, for every schedule.
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
    """Settings of all stages: batch size, class weights, early stopping, optimizer, seed.

    keep: which epoch of the last stage becomes the detector: `auc` highest validation AUC, `loss` lowest validation
    loss, `last` the last; with [sampling] all validation sources have equal weight. patience: epochs without
    improvement after which a stage ends early; min_delta: smallest improvement that counts. optimizer: `adam`,
    `adamw`, or `sgd` with `momentum`, Nesterov's with `nesterov`. weight_decay: decoupled (Loshchilov and Hutter
    2019), so with it `adam` is AdamW and `sgd` is SGDW. average: decay per step of the moving average of weights that
    is validated and saved, 0 for none. label_smoothing: as in Szegedy et al. 2016. precision: `mixed` computes all
    layers but the head in bfloat16 while it learns, for GPUs with such units; weights and whatever is scored or
    exported afterwards stay float32.
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
