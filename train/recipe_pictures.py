"""What a recipe says of the pictures of an epoch: which are drawn, and how they are augmented."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from train.recipe_types import STRICT, Quality, Share

MixBy = Literal["pixels", "frequencies", "both"]
Scale = Annotated[float, Field(ge=0.2, le=3)]
Area = Annotated[float, Field(gt=0, le=0.5)]
Strength = Annotated[float, Field(gt=0, le=2)]


@dataclass(frozen=True, config=STRICT)
class Augment:
    """Augmentation of training pictures at the view's size: for each kind a probability, then its strength.

    A probability of 0 switches a kind off; `crop = 1` keeps the whole picture. They are applied in this order:
    - rotate by up to `rotate_degrees` either way, stretch (one side against the other) and zoom by up to a factor of
      1 + `stretch_by`, 1 + `zoom_by` either way; the picture is mirrored beyond its edge;
    - crop: smallest share of the side to keep, with `crop_probability`; flip: left to right;
    - brightness, contrast, saturation: by up to a factor of 1 + `..._by` either way; channel_shift: every channel by
      a different amount of up to `channel_shift_by` grey levels;
    - rescale: down to a share between `rescale_to` and 1 and up again, at most `rescale_times` times; several
      simulate a picture that is shared on several sites;
    - sharpen (unsharp mask) of up to `sharpen_amount`; blur of up to `blur_sigma` pixels; noise of up to `noise_sigma`
      grey levels; jpeg at a quality between the two of `jpeg_quality`;
    - erase: a rectangle of a share between the two of `erase_area` is filled with noise (Zhong et al., AAAI 2020);
    - mixup: each picture of a batch, with its label, is blended with another, by a share drawn from
      Beta(`mixup_alpha`, `mixup_alpha`) (Zhang et al., ICLR 2018).
    """

    rotate: Share = 0.0
    rotate_degrees: Annotated[float, Field(gt=0, le=45)] = 10.0
    stretch: Share = 0.0
    stretch_by: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    zoom: Share = 0.0
    zoom_by: Annotated[float, Field(gt=0, le=1)] = 0.2
    crop: Annotated[float, Field(ge=0.3, le=1)] = 1.0
    crop_probability: Share = 1.0
    flip: Share = 0.5
    brightness: Share = 0.0
    brightness_by: Strength = 0.2
    contrast: Share = 0.0
    contrast_by: Strength = 0.2
    saturation: Share = 0.0
    saturation_by: Strength = 0.4
    channel_shift: Share = 0.0
    channel_shift_by: Annotated[float, Field(gt=0, le=128)] = 20.0
    rescale: Share = 0.0
    rescale_to: Annotated[float, Field(ge=0.2, le=1)] = 0.5
    rescale_times: Annotated[int, Field(ge=1, le=5)] = 1
    sharpen: Share = 0.0
    sharpen_amount: Annotated[float, Field(gt=0, le=3)] = 1.0
    blur: Share = 0.0
    blur_sigma: Annotated[float, Field(gt=0, le=5)] = 1.0
    noise: Share = 0.0
    noise_sigma: Annotated[float, Field(gt=0, le=50)] = 5.0
    jpeg: Share = 0.0
    jpeg_quality: tuple[Quality, Quality] = (60, 100)
    erase: Share = 0.0
    erase_area: tuple[Area, Area] = (0.02, 0.2)
    mixup: Share = 0.0
    mixup_alpha: Annotated[float, Field(gt=0, le=10)] = 0.2


@dataclass(frozen=True, config=STRICT)
class FileProcessing:
    """Processing of training pictures at their original size, before the view; the same for real and fake.

    The square that the view takes is kept with some margin, at most `side` pixels (larger ones are downscaled). zoom,
    shift: variation of the square's side and position, as shares of its side. Probabilities: border (up to a quarter
    of one side is replaced by its nearest pixels, as face(k) does beyond a picture's edge); flip; rescale (a random
    kernel to a random size between `rescale_to` shares, half of the time back again); sharpen (unsharp mask); blur;
    colour (brightness, contrast, gamma, saturation, white balance); grey; noise; jpeg (random quality and chroma
    subsampling); jpeg_twice (of those, a second save on another grid); native (of squares larger than the view: a
    crop of the view's size at native resolution instead of the downscaled square, to keep a generator's pixel-level
    traces). Largest values: sharpen_amount, blur_sigma in pixels, noise_sigma in grey levels.
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
    native: Share = 0.0


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """Sampling of an epoch's pictures; every batch has as many reals as fakes.

    A (generator, source) pair of n pictures is drawn with weight n ** `power`: 1 in proportion, 0 equal for all
    sources. pictures: number per epoch, 0 for as many as the split. twins: the share of the fakes that are
    reconstructions, each in one batch with its original, with the same augmentation. mix: probability that a
    reconstruction is blended with its original (Chen et al., "Dual Data Alignment", NeurIPS 2025); the blend stays a
    fake. mix_by: `pixels` averages the two, `frequencies` takes fine detail from the original, `both` either by
    chance.
    """

    power: Share = 0.5
    pictures: Annotated[int, Field(ge=0)] = 0
    twins: Share = 0.0
    mix: Share = 0.0
    mix_by: MixBy = "pixels"
