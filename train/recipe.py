"""A recipe says in TOML what is trained, on what and how; this file says what a recipe may hold."""

import hashlib
import re
import tomllib
from dataclasses import asdict, replace
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo
from pydantic.dataclasses import dataclass

from train.backbones.table import BACKBONES, BackboneName
from train.common.documents import read_toml
from train.common.errors import TrainError
from train.common.spdx import checked_licences
from train.image.view import Unclear
from train.recipe_pictures import Augment, FileProcessing, Sampling
from train.recipe_training import Fit, Stage
from train.recipe_types import STRICT, Count, Rate

Scales = Literal["per-channel", "per-tensor"]


def _published_width(width: float, info: ValidationInfo) -> float:
    # Where the backbone is wrong itself, that is told first.
    backbone = BACKBONES.get(info.data.get("backbone", ""))
    if backbone is not None and width not in backbone.widths:
        *others, last = (f"{one:g}" if one != 1 else "1.0" for one in backbone.widths)
        widths = f"the widths {', '.join(others)} and {last}" if others else f"the width {last}"
        raise ValueError(f"{backbone.title} has published weights for {widths} only")
    return width


@dataclass(frozen=True, config=STRICT)
class Data:
    """Which rows of a manifest are used for training, and how their pixels are preprocessed.

    A row is used for training if its generator is in `generators` (real pictures have the generator `camera`, `"*"`
    means every generator of the manifest) and neither its generator nor its source is in `held_out`. All other rows
    are only evaluated. `unclear_faces` sets the treatment of pictures with no or several faces if the view has
    face(k): `drop` leaves them out of training and evaluation, `centre` takes the centre square, `keep` the largest
    face, or the centre square if there is none (table in train/image/view.py). `licences` are notes on the pictures'
    licences; they are copied into the detector and its model card. One of them can set the licence of the trained
    weights, as `SPDX-License-Identifier: CC-BY-NC-4.0` (train/common/spdx.py).
    """

    view: str
    generators: Annotated[tuple[str, ...], Field(min_length=1)]
    held_out: tuple[str, ...] = ()
    unclear_faces: Unclear = "drop"
    licences: Annotated[tuple[str, ...], AfterValidator(checked_licences)] = ()


@dataclass(frozen=True, config=STRICT)
class Model:
    """The network: front end, backbone with a width multiplier, and linear head on the mean of the last feature map.

    `backbone`: see the table in docs/guide-train.md. `weights` is `imagenet` (downloaded by Keras; `vggface2` for
    FaceNet), `none` (random) or the path of an .h5 file in Keras's layout. `batch_norm_momentum` is Keras's 0.99 for
    pretrained weights; use about 0.9 for short runs from random weights. `head`: `non-negative` keeps the head's
    weights at or above 0, so that non-negative features can only be evidence for "fake" ("Stay-Positive", Rajan and
    Lee, ICML 2025). `output`: `sigmoid` is one logit of "fake", trained by binary cross-entropy; `softmax` is one
    logit per class, trained by categorical cross-entropy. The detector has the same form, because the softmax of two
    logits is the sigmoid of their difference.
    """

    backbone: BackboneName = "mobilenet-v1"
    width: Annotated[float, AfterValidator(_published_width)] = 1.0
    weights: str = "imagenet"
    front_end: str = "rgb"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    head: Literal["free", "non-negative"] = "free"
    output: Literal["sigmoid", "softmax"] = "sigmoid"
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)] = 0.99

    def __post_init__(self) -> None:
        if self.output == "softmax" and self.head == "non-negative":
            raise ValueError("head = 'non-negative' works with output = 'sigmoid' only")


@dataclass(frozen=True, config=STRICT)
class Quantize:
    """Calibration of the activation ranges, then fine-tuning with fake quantisation (0 epochs: calibration only).

    `depthwise`: one scale of the depthwise weights per channel, or one per tensor as in tensorflow-model-optimization
    (see export/quantize/depthwise.py).
    """

    calibration_batches: Count = 40
    calibration_decay: Annotated[float, Field(gt=0, lt=1)] = 0.85
    epochs: Annotated[int, Field(ge=0)] = 3
    learning_rate: Rate = 1e-5
    depthwise: Scales = "per-channel"


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """Everything that defines a training run, except the pictures.

    Without `file_processing` the view is applied to training pictures first, and they are augmented at its size;
    without `sampling` an epoch has every picture of the split once.
    """

    title: str
    data: Data
    model: Model
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    augment: Augment = Augment()
    file_processing: FileProcessing | None = None
    sampling: Sampling | None = None
    fit: Fit = Fit()
    quantize: Quantize = Quantize()

    def __post_init__(self) -> None:
        if self.sampling is not None and self.fit.batch_size % 2:
            raise ValueError("with [sampling] a batch holds as many reals as fakes, so fit.batch_size must be even")
        if BACKBONES[self.model.backbone].head != "linear" and any(one.features == "cached" for one in self.stages):
            raise ValueError(f"features cannot be cached for {self.model.backbone}, whose head is not linear")

    @property
    def text(self) -> str:
        """The resolved recipe as TOML, every default written out; sections that are switched off are left out."""
        return tomli_w.dumps({key: value for key, value in asdict(self).items() if value is not None})

    @property
    def published_text(self) -> str:
        """The resolved recipe as `text`, of a weights file its name only.

        What is published must not name the folders of the machine that trained it.
        """
        # Windows's rules split at both kinds of slash.
        weights = PureWindowsPath(self.model.weights).name
        return replace(self, model=replace(self.model, weights=weights)).text

    @property
    def sha256(self) -> str:
        """Hex sha256 of the resolved text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


_ADAPTER = TypeAdapter(Recipe)


def read_recipe(path: Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe; `overrides` replaces values by dotted key (`model.weights`) before the check.

    Raises TrainError for a missing file, bad TOML, an unknown key, or a value out of its range.
    """
    try:
        table = read_toml(path, error=TrainError, remedy="name a recipe, which is TOML in UTF-8")
    except FileNotFoundError as error:
        raise TrainError(f"{path}: the recipe cannot be read ({error.strerror}); name a .toml file.") from error
    for key, value in (overrides or {}).items():
        _override(table, key, value)
    return parse_recipe(table, str(path))


def _override(table: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; a number counts the entries of a list from 0, as in `stages.0.epochs`."""
    *sections, last = key.split(".")
    target: Any = table
    for section in sections:
        if isinstance(target, list):
            target = _entry(target, section, key)
        elif isinstance(target, dict):
            target = target.setdefault(section, {})
        if not isinstance(target, dict | list):
            raise TrainError(f"{key!r} is not a recipe key: {section!r} has no subkeys.")
    if isinstance(target, list):
        _entry(target, last, key)
        target[int(last)] = value
    else:
        target[last] = value


def _entry(entries: list[Any], number: str, key: str) -> Any:
    if not number.isdecimal() or int(number) >= len(entries):
        raise TrainError(f"{key!r} is not a key of this recipe: the list has the entries 0 to {len(entries) - 1}.")
    return entries[int(number)]


def with_options(
    recipe: Recipe, *, size: int | None = None, epochs: int | None = None, learning_rate: float | None = None
) -> Recipe:
    """A recipe with another side of its view, and other epochs and learning rate of its last stage; None keeps it.

    Raises TrainError where a value is out of its range.
    """
    plain = asdict(recipe)
    if size is not None:
        plain["data"]["view"] = re.sub(r"resize\(\s*\d+\s*\)", f"resize({size})", recipe.data.view)
    last = {"epochs": epochs, "learning_rate": learning_rate}
    *others, final = plain["stages"]
    plain["stages"] = [*others, final | {key: value for key, value in last.items() if value is not None}]
    return parse_recipe(plain, "The options of train")


def parse_setting(text: str) -> tuple[str, Any]:
    """Read `KEY=VALUE`, e.g. `model.front_end=npr` or `data.generators=["camera", "stylegan"]`, for `read_recipe`.

    The value is TOML; what is not is taken as text, so that words need no quotes. Raises TrainError without a key.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise TrainError(f"The setting {text!r} is not KEY=VALUE: write e.g. model.front_end=npr.")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return key, value.strip()


def parse_recipe(table: dict[str, Any], where: str) -> Recipe:
    """Check a table as `tomllib` reads it; `where` names it in the TrainError of the first fault."""
    try:
        recipe = _ADAPTER.validate_python(table)
        recipe.text.encode()
        return recipe
    except UnicodeEncodeError:
        # Only an option can hold it: what a file's name has of bytes that are no UTF-8.
        raise TrainError(
            f"{where}: a recipe is text in UTF-8, and a name given for it is not: rename that file."
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            raise TrainError(f"{where}: unknown key {key!r}; `fauxlens recipe keys` lists the known ones.") from error
        if first["type"] == "missing":
            raise TrainError(f"{where}: the key {key!r} is missing; `fauxlens recipe keys` lists them.") from error
        # What does not fit together is a fault of a table, which would be shown whole.
        subject = f"[{key}]" if key else "this recipe"
        subject = subject if isinstance(first["input"], dict) else f"{key} = {first['input']!r}"
        raise TrainError(f"{where}: {subject} is not allowed: {first['msg']}.") from error
