"""The table of backbones, and what is said where a recipe asks for what one cannot give."""

from typing import Any, get_args

import pytest

from train.backbones.table import BACKBONES, BackboneName, check_int8
from train.common.errors import TrainError
from train.model import check_network
from train.recipe import Model, parse_recipe

PLAIN: dict[str, Any] = {
    "title": "t",
    "data": {"view": "upright|square|resize(96)", "generators": ["*"]},
    "model": {},
    "stages": [{"name": "s", "epochs": 1, "learning_rate": 1e-3, "train_from": "all"}],
}


def test_every_name_of_recipes_is_in_the_table() -> None:
    assert tuple(BACKBONES) == get_args(BackboneName)


def test_an_unknown_backbone_is_one_sentence_with_the_known_ones() -> None:
    with pytest.raises(TrainError, match=r"model\.backbone = 'lenet'.*'mobilenet-v1'.*'facenet'") as caught:
        parse_recipe(PLAIN | {"model": {"backbone": "lenet", "width": 0.3}}, "r.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"width": 0.3}, "MobileNet V1 has published weights for the widths 0.25, 0.5, 0.75 and 1.0 only"),
        ({"backbone": "mobilenet-v3-small", "width": 0.5}, "MobileNet V3 small .* the widths 0.75 and 1.0 only"),
        ({"backbone": "resnet50", "width": 0.5}, "ResNet50 has published weights for the width 1.0 only"),
    ],
)
def test_a_width_without_weights_is_refused(model: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainError, match=words):
        parse_recipe(PLAIN | {"model": model}, "r.toml")


@pytest.mark.parametrize("name", BACKBONES)
def test_a_view_that_is_too_small_is_told_before_training(name: str) -> None:
    kind = BACKBONES[name]
    settings = Model(backbone=kind.name, weights="none")
    check_network(settings, kind.smallest)
    with pytest.raises(
        TrainError, match=f"at least {kind.smallest} pixels a side and the recipe's has 20: pass --size"
    ):
        check_network(settings, 20)


@pytest.mark.parametrize(
    ("backbone", "weights", "words"),
    [
        ("facenet", "imagenet", "no weights `imagenet` of FaceNet.* called `vggface2`"),
        ("alexnet-like", "imagenet", "it has no published weights.*: pass --weights with `none` or an .h5 file"),
        ("mobilenet-v2", "vggface2", "no weights `vggface2` of MobileNet V2"),
    ],
)
def test_weights_that_a_backbone_has_not(backbone: Any, weights: str, words: str) -> None:
    with pytest.raises(TrainError, match=words):
        check_network(Model(backbone=backbone, weights=weights), 224)


def test_a_head_that_speaks_for_fake_only_needs_features_above_zero() -> None:
    check_network(Model(backbone="mobilenet-v2", head="non-negative"), 96)
    for name in ("efficientnet-b0", "mobilenet-v3-small", "alexnet-like"):
        with pytest.raises(TrainError, match="'non-negative' needs features that are never negative"):
            check_network(Model(backbone=name, head="non-negative", weights="none"), 96)


def test_features_of_a_dense_head_are_not_cached() -> None:
    stage = PLAIN["stages"][0] | {"train_from": "head", "features": "cached"}
    with pytest.raises(TrainError, match="cannot be cached for alexnet-like"):
        parse_recipe(PLAIN | {"model": {"backbone": "alexnet-like"}, "stages": [stage]}, "r.toml")


def test_what_is_not_quantised_says_why_not() -> None:
    refused = []
    for name, kind in BACKBONES.items():
        if not kind.not_int8:
            check_int8(kind)
            continue
        refused.append(name)
        with pytest.raises(TrainError, match=r"is not quantised to int8 \(.+\): export its float variants"):
            check_int8(kind)
    assert refused == ["facenet"]
