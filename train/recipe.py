"""A recipe says in TOML what is trained, on what and how; this file says what a recipe may hold."""

import hashlib
import re
import tomllib
from dataclasses import asdict, replace
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from train.common.documents import read_toml
from train.common.errors import TrainError
from train.common.spdx import checked_licences
from train.image.view import Unclear

_STRICT = ConfigDict(extra="forbid")
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Quality = Annotated[int, Field(ge=1, le=100)]
Scale = Annotated[float, Field(ge=0.2, le=3)]
MixBy = Literal["pixels", "frequencies", "both"]
Scales = Literal["per-channel", "per-tensor"]


def _published_width(width: float) -> float:
    if width not in (0.25, 0.5, 0.75, 1.0):
        raise ValueError("MobileNet V1 has published weights for the widths 0.25, 0.5, 0.75 and 1.0 only")
    return width


@dataclass(frozen=True, config=_STRICT)
class Data:
    """Which rows of a manifest are trained on, and what happens to their pixels before the graph.

    A row is trained on when its generator is in `generators` (real pictures have the generator `camera`, `"*"` stands
    for every generator that the manifest has) and neither
    its generator nor its source is in `held_out`. Everything else in the manifest is evaluated, but never seen.
    `unclear_faces` says what becomes of pictures with no or several faces where the view has face(k), and means
    nothing elsewhere: `drop` leaves them out of training and evaluating, `centre` takes the centre square, `keep` the
    largest face, or the centre square where there is none (train/image/view.py has the table).
    `licences` are notes on the pictures' licences; they travel with the detector and its model card. One of them may
    say the licence of the trained weights, as `SPDX-License-Identifier: CC-BY-NC-4.0` (train/common/spdx.py).
    """

    view: str
    generators: Annotated[tuple[str, ...], Field(min_length=1)]
    held_out: tuple[str, ...] = ()
    unclear_faces: Unclear = "drop"
    licences: Annotated[tuple[str, ...], AfterValidator(checked_licences)] = ()


@dataclass(frozen=True, config=_STRICT)
class Model:
    """The network: MobileNet V1 (Howard et al. 2017) of a width, behind a front end, with a linear head on its mean.

    `weights` is `imagenet` (Keras downloads them), `none` (random) or the path of an .h5 file in Keras's layout.
    `batch_norm_momentum` is Keras's 0.99 for pretrained weights; short runs from random weights want about 0.9.
    `head`: `non-negative` keeps the head's weights at or above 0, so that features (ReLU6, never negative) can speak
    for "fake" only ("Stay-Positive", Rajan and Lee, ICML 2025).
    """

    backbone: Literal["mobilenet-v1"] = "mobilenet-v1"
    width: Annotated[float, AfterValidator(_published_width)] = 1.0
    weights: str = "imagenet"
    front_end: str = "rgb"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    head: Literal["free", "non-negative"] = "free"
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)] = 0.99


@dataclass(frozen=True, config=_STRICT)
class Augment:
    """How far a training picture is augmented; 0 switches an augmentation off, `crop = 1` keeps the whole picture.

    flip, rescale, blur, jpeg: probabilities. crop: smallest share of the side that is kept. rescale_to: smallest
    factor of the down-and-up resize. blur_sigma: largest sigma in pixels. jpeg_quality: lowest and highest quality.
    erase: probability that a rectangle of 2 to 20 % of the picture is filled with noise (Zhong et al., AAAI 2020).
    """

    flip: Share = 0.5
    crop: Annotated[float, Field(ge=0.3, le=1)] = 1.0
    rescale: Share = 0.0
    rescale_to: Annotated[float, Field(ge=0.2, le=1)] = 0.5
    blur: Share = 0.0
    blur_sigma: Annotated[float, Field(gt=0, le=5)] = 1.0
    jpeg: Share = 0.0
    jpeg_quality: tuple[Quality, Quality] = (60, 100)
    erase: Share = 0.0


@dataclass(frozen=True, config=_STRICT)
class FileProcessing:
    """What happens to a training picture at its file's own size, before the view; the same for real and fake.

    The square that the view looks at is kept with some margin, at most `side` pixels (larger ones are reduced).
    zoom, shift: by how much the square's side and place vary, as shares of its side. Probabilities: border (up to a
    quarter of one side is replaced by its nearest pixels, as face(k) does beyond a picture's edge); flip; rescale (a
    random kernel to a random size between `rescale_to` shares, half of the time back again); sharpen (unsharp mask);
    blur; colour (brightness, contrast, gamma, saturation, white balance); grey; noise; jpeg (random quality and chroma
    subsampling); jpeg_twice (of those, a second save on another grid). Largest values: sharpen_amount, blur_sigma in
    pixels, noise_sigma in grey levels.
    """

    side: Annotated[int, Field(ge=64, le=1024)] = 384
    zoom: Annotated[float, Field(ge=0, le=0.3)] = 0.1
    shift: Annotated[float, Field(ge=0, le=0.2)] = 0.04
    border: Share = 0.15
    flip: Share = 0.5
    rescale: Share = 0.5
    rescale_to: tuple[Scale, Scale] = (0.5, 1.4)
    sharpen: Share = 0.25
    sharpen_amount: Annotated[float, Field(gt=0, le=3)] = 1.5
    blur: Share = 0.2
    blur_sigma: Annotated[float, Field(gt=0, le=5)] = 1.2
    colour: Share = 0.5
    grey: Share = 0.05
    noise: Share = 0.25
    noise_sigma: Annotated[float, Field(gt=0, le=30)] = 6.0
    jpeg: Share = 0.8
    jpeg_twice: Share = 0.15
    jpeg_quality: tuple[Quality, Quality] = (50, 98)


@dataclass(frozen=True, config=_STRICT)
class Sampling:
    """How an epoch's pictures are drawn: every batch holds as many reals as fakes.

    A (generator, source) pair of n pictures is drawn with weight n ** `power`: 1 as they come, 0 all sources evenly.
    pictures: how many an epoch has, 0 for as many as the split. twins: the share of the fakes that are reconstructions,
    each in one batch with the real picture it was made from, under the same augmentation. mix: probability that a
    reconstruction is blended with its twin (Chen et al., "Dual Data Alignment", NeurIPS 2025); the blend stays a fake.
    mix_by: `pixels` averages the two, `frequencies` takes fine detail from the original, `both` either by chance.
    """

    power: Share = 0.5
    pictures: Annotated[int, Field(ge=0)] = 0
    twins: Share = 0.0
    mix: Share = 0.0
    mix_by: MixBy = "pixels"


@dataclass(frozen=True, config=_STRICT)
class Stage:
    """One stretch of training: `train_from` is `head`, `all`, or the first layer of the backbone that learns.

    `features` says how often the frozen layers run: `fresh` on every picture of every epoch, augmented anew; `cached`
    once, on pictures augmented once, so that a stage costs one pass however many epochs it has (for `head` only).
    `warm_up` is the share of the stage's steps in which the learning rate rises from 0 in a straight line.
    """

    name: str
    epochs: Count
    learning_rate: Rate
    train_from: str
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up: Share = 0.0
    features: Literal["fresh", "cached"] = "fresh"

    def __post_init__(self) -> None:
        if self.features == "cached" and self.train_from != "head":
            raise ValueError(f"cached features are for train_from = 'head', not {self.train_from!r}")


@dataclass(frozen=True, config=_STRICT)
class Fit:
    """What all stages share: batch size, class weights, early stopping, optimizer, the seed.

    keep: which epoch of the last stage becomes the detector: `auc` the one of the highest validation AUC, `loss` the
    one of the lowest validation loss, `last` the last; with [sampling] all validation sources count equally. patience:
    epochs without a better one. weight_decay: of AdamW (Loshchilov and Hutter 2019), 0 for Adam. average: decay a step
    of the moving average of weights that is validated and kept, 0 for none. label_smoothing: as in Szegedy et al. 2016.
    """

    batch_size: Count = 32
    class_weights: Literal["balanced", "none"] = "balanced"
    keep: Literal["auc", "loss", "last"] = "auc"
    patience: Count = 5
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


@dataclass(frozen=True, config=_STRICT)
class Quantize:
    """Calibration of the activation ranges, then fine-tuning with fake quantisation (0 epochs: calibration only).

    `depthwise` says whether depthwise weights have a scale a channel, or one a tensor as
    tensorflow-model-optimization gives them (export/quantize/depthwise.py has the difference).
    """

    calibration_batches: Count = 40
    calibration_decay: Annotated[float, Field(gt=0, lt=1)] = 0.85
    epochs: Annotated[int, Field(ge=0)] = 3
    learning_rate: Rate = 1e-5
    depthwise: Scales = "per-channel"


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """Everything that decides what a training run learns, apart from the pictures themselves.

    Without `file_processing` training pictures are taken through the view first and augmented at its size; without
    `sampling` every picture of the split is shown once an epoch.
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
            raise ValueError("with [sampling] a batch holds as many reals as fakes, so fit.batch_size has to be even")

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
        raise TrainError(f"{path}: no readable recipe there ({error.strerror}); name a .toml file.") from error
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
            raise TrainError(f"{key!r} is no key of a recipe: {section!r} has no keys of its own.")
    if isinstance(target, list):
        _entry(target, last, key)
        target[int(last)] = value
    else:
        target[last] = value


def _entry(entries: list[Any], number: str, key: str) -> Any:
    if not number.isdecimal() or int(number) >= len(entries):
        raise TrainError(f"{key!r} is no key of this recipe: its list has the entries 0 to {len(entries) - 1}.")
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
        return _ADAPTER.validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            raise TrainError(f"{where}: unknown key {key!r}; `fauxlens recipe keys` lists the known ones.") from error
        if first["type"] == "missing":
            raise TrainError(f"{where}: the key {key!r} is missing; `fauxlens recipe keys` lists them.") from error
        raise TrainError(f"{where}: {key} = {first['input']!r} will not do: {first['msg']}.") from error
