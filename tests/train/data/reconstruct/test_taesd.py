"""The TAESD family: the network equals an independent one in NumPy, the published weights reconstruct photographs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.train.data.reconstruct.torch_files import write_tensors
from train.common.errors import DataError
from train.data.reconstruct import taesd
from train.data.reconstruct.open_autoencoder import from_diffusers, open_autoencoders, open_taesd

Weights = dict[str, np.ndarray]


def random_weights(family: taesd.Family, part: str, seed: int) -> Weights:
    encoder = part == "encoder"
    layers = (taesd.encoder_layers if encoder else taesd.decoder_layers)(family)
    sides = (3, family.latent_channels) if encoder else (family.latent_channels, 3)
    rng = np.random.default_rng(seed)
    # Small enough that nothing saturates.
    return {
        name: (rng.normal(size=shape) * (0.04 if len(shape) == 4 else 0.1)).astype(np.float32)
        for name, shape in taesd.expected_shapes(layers, *sides).items()
    }


def convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, stride: int = 1) -> np.ndarray:
    """torch.nn.Conv2d with padding for 3 x 3: x is [C, H, W], weight [O, C, k, k]."""
    border = weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (border, border), (border, border)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    found = np.einsum("chwij,ocij->ohw", windows, weight.astype(np.float64))
    return found if bias is None else found + bias[:, None, None]


def block(x: np.ndarray, weights: Mapping[str, np.ndarray], place: int) -> np.ndarray:
    if f"{place}.pool.0.weight" in weights:
        wide = convolve(x, weights[f"{place}.pool.0.weight"], None)
        groups = wide.reshape(4, -1)
        groups = (groups - groups.mean(1, keepdims=True)) / np.sqrt(groups.var(1, keepdims=True) + 1e-5)
        wide = groups.reshape(wide.shape) * weights[f"{place}.pool.1.weight"][:, None, None]
        wide = np.maximum(wide + weights[f"{place}.pool.1.bias"][:, None, None], 0)
        x = x + convolve(wide, weights[f"{place}.pool.3.weight"], None)
    y = x
    for part in (0, 2, 4):
        y = convolve(y, weights[f"{place}.conv.{part}.weight"], weights[f"{place}.conv.{part}.bias"])
        y = np.maximum(y, 0) if part < 4 else y
    return np.maximum(y + x, 0)


def reference(pixels: np.ndarray, encoder: Weights, decoder: Weights) -> np.ndarray:
    """The published sequence, written out place by place: pixels [H, W, 3] in 0..1 to the same."""
    x = pixels.transpose(2, 0, 1).astype(np.float64)
    for place in range(15):
        if place in (2, 6, 10):
            x = convolve(x, encoder[f"{place}.weight"], None, stride=2)
        elif place in (0, 14):
            x = convolve(x, encoder[f"{place}.weight"], encoder[f"{place}.bias"])
        else:
            x = block(x, encoder, place)
    x = np.tanh(x / 3) * 3
    x = np.maximum(convolve(x, decoder["1.weight"], decoder["1.bias"]), 0)
    for place in range(3, 20):
        if place in (6, 11, 16):
            x = x.repeat(2, axis=1).repeat(2, axis=2)
        elif place in (7, 12, 17):
            x = convolve(x, decoder[f"{place}.weight"], None)
        elif place == 19:
            x = convolve(x, decoder["19.weight"], decoder["19.bias"])
        else:
            x = block(x, decoder, place)
    return x.transpose(1, 2, 0).clip(0, 1)


@pytest.mark.parametrize("name", ["taesd", "taef2"])
def test_network_equals_numpy(name: str) -> None:
    family = taesd.FAMILIES[name]
    encoder, decoder = random_weights(family, "encoder", 1), random_weights(family, "decoder", 2)
    decoder["19.bias"] += 0.5
    pixels = np.random.default_rng(3).random((16, 24, 3)).astype(np.float32)
    found = taesd.build_autoencoder(family, encoder, decoder)(pixels[None], 0.0, 7)[0]
    expected = reference(pixels, encoder, decoder)
    assert ((expected > 0) & (expected < 1)).mean() > 0.5
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("name", taesd.FAMILIES)
def test_published_weights_reconstruct(name: str, shared_faces: Path) -> None:
    weights = shared_faces.parent / "weights" / "tiny-autoencoders"
    photograph = np.asarray(Image.open(shared_faces / "ffhq-256" / "00001.jpg"))
    found = open_taesd(name, weights).reconstruct(photograph)
    assert found.shape == photograph.shape
    psnr = 10 * np.log10(255**2 / np.mean((found.astype(float) - photograph) ** 2))
    assert 26 < psnr < 33


def test_noise_in_the_latents_comes_from_the_picture_alone(shared_faces: Path) -> None:
    weights = shared_faces.parent / "weights" / "tiny-autoencoders"
    pictures = [np.asarray(Image.open(shared_faces / "ffhq-256" / f"0000{n}.jpg")) for n in (1, 2, 3, 4)]
    plain, noisy = open_taesd("taesd", weights), open_taesd("taesd", weights, latent_noise=0.5)
    assert noisy.name == "taesd-noise" and noisy.sha256 != plain.sha256
    changes = [float(np.abs(noisy.reconstruct(one).astype(float) - plain.reconstruct(one)).mean()) for one in pictures]
    assert max(changes) > 2 * min(changes) and max(changes) > 2
    again = open_taesd("taesd", weights, latent_noise=0.5)
    for one in reversed(pictures):
        np.testing.assert_array_equal(again.reconstruct(one), noisy.reconstruct(one))


@pytest.mark.parametrize("name", ["taesd", "taef2"])
def test_noise_changes_by_its_seed_and_in_proportion_to_its_strength(name: str) -> None:
    family = taesd.FAMILIES[name]
    encoder, decoder = random_weights(family, "encoder", 1), random_weights(family, "decoder", 2)
    run = taesd.build_autoencoder(family, encoder, decoder)
    pixels = np.random.default_rng(3).random((1, 16, 24, 3)).astype(np.float32)
    assert not np.array_equal(run(pixels, 0.1, 7), run(pixels, 0.1, 8))
    moved = [np.abs(run(pixels, noise, 7) - run(pixels, 0.0, 7)).mean() for noise in (0.01, 0.02)]
    assert moved[1] == pytest.approx(2 * moved[0], rel=0.2)


def written(folder: Path, name: str, family: taesd.Family) -> Path:
    for part, seed in (("encoder", 1), ("decoder", 2)):
        write_tensors(folder / f"{name}_{part}.pth", random_weights(family, part, seed))
    return folder


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has shape .* instead of .* another autoencoder"):
        open_taesd("taesd", written(tmp_path, "taesd", taesd.FAMILIES["taef1"]))
    with pytest.raises(DataError, match=r"has no weight '11\.pool"):
        open_taesd("taef2", written(tmp_path, "taef2", taesd.Family(32)))
    with pytest.raises(DataError, match="that the network does not have"):
        open_taesd("taesdxl", written(tmp_path, "taesdxl", taesd.Family(4, pooled=True)))
    bad = random_weights(taesd.FAMILIES["taesd"], "encoder", 1)
    bad["0.bias"][3] = np.nan
    write_tensors(tmp_path / "taesd_encoder.pth", bad)
    with pytest.raises(DataError, match="NaN or infinity"):
        open_taesd("taesd", tmp_path)


def test_names_are_checked(tmp_path: Path) -> None:
    for names, sentence in (
        ("vae", "Unknown autoencoder 'vae'"),
        (" , ", "No autoencoder is named"),
        ("taesd", r"has no taesd_encoder\.safetensors or \.pth"),
    ):
        with pytest.raises(DataError, match=sentence):
            open_autoencoders(names, tmp_path)


def test_diffusers_names_are_ours_one_place_lower_in_the_decoder() -> None:
    family = taesd.FAMILIES["taesd"]
    encoder, decoder = random_weights(family, "encoder", 1), random_weights(family, "decoder", 2)
    saved = {f"encoder.layers.{name}": value for name, value in encoder.items()}
    for name, value in decoder.items():
        place, _, rest = name.partition(".")
        saved[f"decoder.layers.{int(place) - 1}.{rest}"] = value
    assert from_diffusers(saved, "encoder").keys() == encoder.keys()
    assert from_diffusers(saved, "decoder").keys() == decoder.keys()
