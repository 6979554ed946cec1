"""Open the autoencoders that a person names: the TAESD family by name, others as ONNX files by path."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from train.common.errors import DataError
from train.common.tf import limit_threads
from train.data.reconstruct import taesd
from train.data.reconstruct.autoencoder import NOISE, Autoencoder
from train.data.reconstruct.hub import PREFIX, fetch_weights
from train.data.reconstruct.onnx_file import open_onnx
from train.data.reconstruct.safetensors_file import read_safetensors_file
from train.data.reconstruct.tiles import in_tiles
from train.data.reconstruct.torch_file import read_torch_file

# Encoder and decoder in one file, as diffusers' AutoencoderTiny saves them: its decoder has no layer for the bounding
# of the latents, so its places are one lower.
COMBINED = "diffusion_pytorch_model.safetensors"
READERS = {".safetensors": read_safetensors_file, ".pth": read_torch_file}


def open_autoencoders(
    names: str, weights: Path | None, threads: int = 2, latent_noise: float = 0.0
) -> tuple[Autoencoder, ...]:
    """Open several, given as names of taesd.FAMILIES or paths of ONNX files, separated by commas.

    They run on `threads` threads; `latent_noise` as `open_taesd`. DataError as `open_taesd` and `open_onnx`, for one
    that is named twice, and for noise in the latents of an ONNX file, which are not seen from outside.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if latent_noise and (onnx := [one for one in wanted if one.lower().endswith(".onnx")]):
        raise DataError(
            f"{onnx[0]} gives no access to its latents, so no noise can be added: name {', '.join(taesd.FAMILIES)} "
            "only, "
            "or leave out `--latent-noise`."
        )
    opened = tuple(
        open_onnx(Path(one), threads)
        if one.lower().endswith(".onnx")
        else open_taesd(one, weights, threads, latent_noise)
        for one in wanted
    )
    found = [one.name for one in opened]
    if not found:
        raise DataError(f"No autoencoder is named: choose from {', '.join(taesd.FAMILIES)}, or name an ONNX file.")
    if twice := [name for place, name in enumerate(found) if name in found[:place]]:
        raise DataError(f"The autoencoder {twice[0]} is named twice: name it once.")
    return tuple(opened)


def resolved_names(names: str) -> str:
    """The same autoencoders, with the paths of ONNX files from the root, as another process needs them."""
    wanted = (one.strip() for one in names.split(","))
    return ",".join(str(Path(one).resolve()) if one.lower().endswith(".onnx") else one for one in wanted)


def resolved_weights(weights: Path | None) -> Path | None:
    """The same weights, a folder from the root and a repository as it is, as another process needs them."""
    return weights if weights is None or str(weights).startswith(PREFIX) else weights.resolve()


def open_taesd(name: str, weights: Path | None, threads: int = 2, latent_noise: float = 0.0) -> Autoencoder:
    """Open one of taesd.FAMILIES from a folder with NAME_encoder and NAME_decoder (.safetensors or .pth), or COMBINED.

    Without a folder its published files are fetched from Hugging Face, with "hf:OWNER/NAME" instead of one from that
    repository. With `latent_noise` L each picture's latents get
    normal noise of a standard deviation between 0 and L of their own, drawn by the picture's content, and the name ends
    in "-noise": a generator's latents are never those of an encoder. DataError for a name that is not known, files that
    are missing or damaged, and weights of another network.
    """
    if name not in taesd.FAMILIES:
        raise DataError(f"Unknown autoencoder {name!r}: choose from {', '.join(taesd.FAMILIES)}, or name an ONNX file.")
    family = taesd.FAMILIES[name]
    digest = hashlib.sha256()
    parts = []
    for part, layers, inputs, outputs in (
        ("encoder", taesd.encoder_layers(family), 3, family.latent_channels),
        ("decoder", taesd.decoder_layers(family), family.latent_channels, 3),
    ):
        path = _find(weights, name, part)
        read = READERS[path.suffix](path)
        if path.name == COMBINED:
            read = from_diffusers(read, part)
        taesd.check_weights(read, taesd.expected_shapes(layers, inputs, outputs), str(path))
        digest.update(path.read_bytes())
        parts.append(read)
    limit_threads(threads)
    run = taesd.build_autoencoder(family, *parts)
    if latent_noise:
        digest.update(f"latent noise {latent_noise!r}".encode())

    def reconstruct(pixels: np.ndarray) -> np.ndarray:
        strength, seed = _draw(pixels)
        return in_tiles(lambda tile: run(tile, latent_noise * strength, seed), pixels)

    return Autoencoder(f"{name}{NOISE}" if latent_noise else name, digest.hexdigest(), reconstruct)


def _draw(pixels: np.ndarray) -> tuple[float, int]:
    """Return a share, 0..1, and a seed, 0..2^31 - 1, by what the picture shows, whatever was drawn before."""
    digest = hashlib.sha256(pixels.tobytes()).digest()
    return int.from_bytes(digest[:4]) / (2**32 - 1), int.from_bytes(digest[4:8]) >> 1


def from_diffusers(weights: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Return the encoder's or decoder's weights of an AutoencoderTiny under the names that TAESD gives them."""
    shift = 1 if part == "decoder" else 0
    found = {}
    for name, value in weights.items():
        place, _, rest = name.removeprefix(f"{part}.layers.").partition(".")
        if name.startswith(f"{part}.layers.") and place.isdigit():
            found[f"{int(place) + shift}.{rest}"] = value
    return found


def _find(weights: Path | None, name: str, part: str) -> Path:
    if weights is None:
        weights = fetch_weights(name)
    elif str(weights).startswith(PREFIX):
        weights = fetch_weights(name, str(weights).removeprefix(PREFIX))
    elif not weights.is_dir():
        raise DataError(f"{weights} is not a folder: name the one that holds the weights, or {PREFIX}OWNER/NAME.")
    candidates: Sequence[str] = (*(f"{name}_{part}{suffix}" for suffix in READERS), COMBINED)
    for candidate in candidates:
        if (path := weights / candidate).is_file():
            return path
    raise DataError(f"{weights} has no {name}_{part}.safetensors or .pth: name the folder that holds the weights.")
