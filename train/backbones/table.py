"""The one table of backbones: what each is, how it is built, and every fact that the rest of the project needs of it.

Training, heatmaps, Grad-CAM, reports, float export and quantisation take their facts from here; no other module knows a
backbone by name. A backbone ends at its last feature map; `train.model` puts the head on it.
"""

from dataclasses import dataclass
from typing import Literal

from train.backbones.alexnet import build_alexnet
from train.backbones.applications import application
from train.backbones.facenet import WEIGHTS as FACENET_WEIGHTS
from train.backbones.facenet import build_facenet, whole_facenet
from train.backbones.spec import Build
from train.common.errors import TrainError

BackboneName = Literal[
    "mobilenet-v1",
    "mobilenet-v2",
    "mobilenet-v3-small",
    "mobilenet-v3-large",
    "efficientnet-b0",
    "efficientnet-b1",
    "xception",
    "inception-v3",
    "vgg19",
    "resnet50",
    "alexnet-like",
    "facenet",
]

Head = Literal["linear", "dense"]


@dataclass(frozen=True)
class InputScale:
    """What published weights want to see of a grey level v of red, green and blue: (v - mean) / deviation.

    bgr: their first convolution takes blue first.
    """

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    bgr: bool = False


@dataclass(frozen=True)
class Backbone:
    """One backbone.

    name: in recipes; title: for people. build: see `train.backbones.spec`. widths: those it has published weights for.
    smallest: the smallest side of a view, in pixels. features, first: the names of its last layer and of its first
    convolution. shown: layers that `explain` draws, from the outside in. weights: the word for its published weights,
    empty where it has none. scale: None where published weights take planes as `train.model.scale_pixels` gives them
    (which is within half a grey level of v / 127.5 - 1). head: `linear` on the mean of the last feature map, or
    `dense`: two layers of 512 between. non_negative: whether features are never below zero. in_one_piece: whether
    XNNPACK takes the whole graph. published_size: the side that its weights were trained at. whole: builds the network
    with an embedding of its own, where it has one. not_int8: why it cannot be quantised, in half a sentence; empty
    where it can.
    """

    name: BackboneName
    title: str
    build: Build
    smallest: int
    features: str
    first: str
    shown: tuple[str, ...]
    widths: tuple[float, ...] = (1.0,)
    weights: str = "imagenet"
    scale: InputScale | None = None
    head: Head = "linear"
    non_negative: bool = True
    in_one_piece: bool = True
    published_size: int = 224
    whole: Build | None = None
    not_int8: str = ""


_TORCH = InputScale((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and deviation of ImageNet, as EfficientNet's weights have them."""
_CAFFE = InputScale((123.68, 116.779, 103.939), (1.0, 1.0, 1.0), bgr=True)
"""keras.applications.imagenet_utils.preprocess_input, mode `caffe`."""

_ALL = (
    Backbone(
        name="mobilenet-v1",
        title="MobileNet V1",
        build=application("MobileNet", lambda width: {"alpha": width}, as_it_is=True),
        smallest=32,
        features="conv_pw_13_relu",
        first="conv1",
        # Outputs at a half, an eighth, a sixteenth and a thirty-second of the view's side.
        shown=("conv_pw_1_relu", "conv_pw_5_relu", "conv_pw_11_relu", "conv_pw_13_relu"),
        widths=(0.25, 0.5, 0.75, 1.0),
    ),
    Backbone(
        name="mobilenet-v2",
        title="MobileNet V2",
        build=application("MobileNetV2", lambda width: {"alpha": width}),
        smallest=32,
        features="out_relu",
        first="Conv1",
        shown=("expanded_conv_depthwise_relu", "block_5_add", "block_12_add", "out_relu"),
        widths=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
    ),
    Backbone(
        name="mobilenet-v3-small",
        title="MobileNet V3 small",
        build=application("MobileNetV3Small", lambda width: {"alpha": width, "include_preprocessing": False}),
        smallest=32,
        features="Conv_1_BatchNorm_hard_swish",
        first="Conv",
        shown=(
            "Conv_BatchNorm_hard_swish",
            "expanded_conv_2_Add",
            "expanded_conv_7_Add",
            "Conv_1_BatchNorm_hard_swish",
        ),
        widths=(0.75, 1.0),
        non_negative=False,
        # XNNPACK has no int8 hard swish.
        in_one_piece=False,
    ),
    Backbone(
        name="mobilenet-v3-large",
        title="MobileNet V3 large",
        build=application("MobileNetV3Large", lambda width: {"alpha": width, "include_preprocessing": False}),
        smallest=32,
        features="Conv_1_BatchNorm_hard_swish",
        first="Conv",
        shown=(
            "expanded_conv_Add",
            "expanded_conv_5_Add",
            "expanded_conv_11_Add",
            "Conv_1_BatchNorm_hard_swish",
        ),
        widths=(0.75, 1.0),
        non_negative=False,
        in_one_piece=False,
    ),
    Backbone(
        name="efficientnet-b0",
        title="EfficientNet-B0",
        build=application("EfficientNetB0"),
        smallest=32,
        features="top_activation",
        first="stem_conv",
        shown=("block1a_project_bn", "block3b_add", "block5c_add", "top_activation"),
        scale=_TORCH,
        non_negative=False,
    ),
    Backbone(
        name="efficientnet-b1",
        title="EfficientNet-B1",
        build=application("EfficientNetB1"),
        smallest=32,
        features="top_activation",
        first="stem_conv",
        shown=("block1b_add", "block3c_add", "block5d_add", "top_activation"),
        scale=_TORCH,
        non_negative=False,
        published_size=240,
    ),
    Backbone(
        name="xception",
        title="Xception",
        build=application("Xception"),
        smallest=71,
        features="block14_sepconv2_act",
        first="block1_conv1",
        shown=("block1_conv2_act", "add_1", "add_10", "block14_sepconv2_act"),
        published_size=299,
    ),
    Backbone(
        name="inception-v3",
        title="Inception V3",
        build=application("InceptionV3"),
        smallest=75,
        features="mixed10",
        first="conv2d",
        shown=("activation_2", "mixed2", "mixed7", "mixed10"),
        published_size=299,
    ),
    Backbone(
        name="vgg19",
        title="VGG19",
        build=application("VGG19"),
        smallest=32,
        features="block5_pool",
        first="block1_conv1",
        shown=("block1_conv2", "block3_conv4", "block4_conv4", "block5_pool"),
        scale=_CAFFE,
    ),
    Backbone(
        name="resnet50",
        title="ResNet50",
        build=application("ResNet50"),
        smallest=32,
        features="conv5_block3_out",
        first="conv1_conv",
        shown=("conv1_relu", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"),
        scale=_CAFFE,
    ),
    Backbone(
        name="alexnet-like",
        title="the AlexNet-like network",
        build=build_alexnet,
        smallest=48,
        features="pool_3",
        first="conv_1",
        shown=("pool_1", "pool_2", "conv_5", "pool_3"),
        weights="",
        head="dense",
        in_one_piece=False,
        published_size=128,
    ),
    Backbone(
        name="facenet",
        title="FaceNet's Inception-ResNet V1",
        build=build_facenet,
        smallest=75,
        features="Block8_6_Add",
        first="Conv2d_1a_3x3",
        shown=("Conv2d_2b_3x3_Activation", "Block35_5_Activation", "Block17_10_Activation", "Block8_6_Add"),
        weights=FACENET_WEIGHTS,
        non_negative=False,
        not_int8="nobody has compared its int8 arithmetic with Keras's, as was done for the others",
        published_size=160,
        whole=whole_facenet,
    ),
)

BACKBONES: dict[str, Backbone] = {one.name: one for one in _ALL}
"""Every backbone by its name, MobileNets first."""


def check_view_size(backbone: Backbone, size: int) -> None:
    """Raise TrainError where a view of `size` pixels a side is too small for a backbone."""
    if size < backbone.smallest:
        raise TrainError(
            f"{backbone.title} needs views of at least {backbone.smallest} pixels a side and the recipe's has {size}: "
            f"pass --size {backbone.smallest} or more."
        )


def check_int8(backbone: Backbone) -> None:
    """Raise TrainError where a backbone cannot be quantised, saying why and what can be had instead."""
    if backbone.not_int8:
        raise TrainError(
            f"{backbone.title} is not quantised to int8 ({backbone.not_int8}): export its float variants, or train "
            "mobilenet-v1."
        )
