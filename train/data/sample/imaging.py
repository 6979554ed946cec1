"""Three ways a drawn portrait becomes a picture file: through a camera, a GAN-like and a diffusion-like decoder.

Each takes float32 [S, S, 3] RGB in 0..1 (sRGB-encoded, S a multiple of 8) and gives uint8 [S, S, 3]. What tells them
apart is what tells real generators apart in the literature, reduced to fixed kernels. They are stand-ins to see the
pipeline work: a detector of them knows nothing of any real camera or generator.
"""

import cv2
import numpy as np
from scipy import sparse

BLOCK = 8  # pixels of the picture to one cell of the latent plane, as in Stable Diffusion (Rombach et al. 2022)
GRID_PHASE = 4  # where a cell begins: off JPEG's own grid, as after any crop, so that the two stay apart
_LATENT_CHANNELS = 15
_LATENT_STEP = 0.035
_RIPPLE = 0.028
_GAN_SCALES = 3
# Two 4-tap kernels (one for each axis) whose even and odd taps do not weigh the same: what is learned by a transposed
# convolution never quite does, and a checkerboard stays (Odena et al. 2016). They are narrower than
# bilinear (1, 3, 3, 1)/4, so more of the replicas pass.
_ROWS_KERNEL = np.asarray((0.140, 0.850, 0.835, 0.175), np.float32)
_COLUMNS_KERNEL = np.asarray((0.172, 0.840, 0.850, 0.138), np.float32)


def camera(portrait: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Photograph: lens blur, RGGB mosaic, Poisson-Gaussian noise, demosaicing, white balance, sharpening, tone curve.

    Noise variance is `gain * signal + floor**2` in linear light (Foi et al. 2008); the missing colours are filled in
    bilinearly. sRGB encoding is IEC 61966-2-1.
    """
    height, width = portrait.shape[:2]
    scene = _to_linear(cv2.GaussianBlur(portrait, (0, 0), rng.uniform(0.45, 0.65)))
    balance = np.asarray((rng.uniform(0.55, 0.75), 1.0, rng.uniform(0.55, 0.75)), np.float32)
    exposed = scene * balance * np.float32(rng.uniform(0.85, 0.97))
    rows, columns = np.mgrid[0:height, 0:width]
    colour = (rows % 2) + (columns % 2)  # red 0, green 1, blue 2
    mosaic = np.take_along_axis(exposed, colour[..., None], axis=2)[..., 0]
    gain, floor = rng.uniform(0.0001, 0.0007), rng.uniform(0.001, 0.0035)
    mosaic = mosaic + rng.normal(size=mosaic.shape) * np.sqrt(gain * mosaic + floor**2)
    filled = _demosaic(mosaic.astype(np.float32), colour) / balance
    return _finish(_to_srgb(filled), rng)


def gan_like(portrait: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Generate coarse to fine: each x2 step inserts zeros and convolves with a fixed, slightly uneven kernel.

    Noise and detail enter at every scale, as in StyleGAN (Karras et al. 2019). The kernels let replicas of the coarse
    spectrum through: the grid of peaks that Zhang et al. 2019 (AutoGAN), Frank et al. 2020 and Durall et al. 2020
    describe for up-sampling generators.
    """
    levels = [_soften(portrait, rng)]
    for _ in range(_GAN_SCALES):
        levels.append(_shrink(levels[-1]))
    grown = levels[-1]
    for finer in levels[-2::-1]:
        # The finest detail of this scale is what a perfect up-sampling of the coarser picture lacks.
        even = cv2.resize(_shrink(finer), finer.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        detail = finer - even
        grown = _grow(grown) + detail
        grown = grown + _grain(rng, grown.shape, rng.uniform(0.001, 0.003))
    return _finish(grown, rng)


def diffusion_like(portrait: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Decode from a plane of quantised latents, one cell to 8x8 pixels, with a smooth overlapping basis.

    The decoder's gain differs a little over the positions within a cell, so the picture carries a weak pattern of
    period 8: the peaks at multiples of 1/8 cycle per pixel that Corvi et al. 2023 find in latent diffusion models.
    """
    side = portrait.shape[0]
    padded = cv2.copyMakeBorder(_soften(portrait, rng), *(BLOCK + GRID_PHASE,) * 4, cv2.BORDER_REFLECT_101)
    decoded = _through_latents(padded)
    texture = _grain(rng, decoded.shape, rng.uniform(0.0045, 0.010))
    tile = np.tile(_ripple(), tuple(n // BLOCK for n in decoded.shape[:2]))[..., None]
    decoded = decoded + texture + tile * _RIPPLE
    start = BLOCK + GRID_PHASE
    return _finish(decoded[start : start + side, start : start + side], rng)


def _to_linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_srgb(linear: np.ndarray) -> np.ndarray:
    light = np.clip(linear, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def _demosaic(mosaic: np.ndarray, colour: np.ndarray) -> np.ndarray:
    near = np.asarray(((1, 2, 1), (2, 4, 2), (1, 2, 1)), np.float32)
    planes = []
    for channel in range(3):
        known = (colour == channel).astype(np.float32)
        total = cv2.filter2D(mosaic * known, -1, near, borderType=cv2.BORDER_REFLECT_101)
        weight = cv2.filter2D(known, -1, near, borderType=cv2.BORDER_REFLECT_101)
        planes.append(np.where(known > 0, mosaic, total / weight))
    return np.dstack(planes)


def _soften(portrait: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # As soft as a photograph: sharpness must not be what tells the classes apart.
    return cv2.GaussianBlur(portrait, (0, 0), rng.uniform(0.55, 0.75))


def _shrink(fine: np.ndarray) -> np.ndarray:
    return cv2.resize(fine, (fine.shape[1] // 2, fine.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _grow(coarse: np.ndarray) -> np.ndarray:
    # Anchor 2: a coarse pixel lies over the middle of its four fine ones, as in _shrink; else every scale shifts.
    padded = cv2.copyMakeBorder(coarse, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    spread = np.zeros((padded.shape[0] * 2, padded.shape[1] * 2, 3), np.float32)
    spread[::2, ::2] = padded
    return cv2.sepFilter2D(spread, -1, _COLUMNS_KERNEL, _ROWS_KERNEL, anchor=(2, 2))[4:-4, 4:-4]


def _through_latents(padded: np.ndarray) -> np.ndarray:
    """Code a picture as a lapped cosine basis of 16x16 windows every 8 pixels, truncated and quantised, and decode.

    The basis is the modulated lapped transform (Malvar 1990) along both axes: perfect without truncation.
    """
    n = np.arange(2 * BLOCK)
    window = np.sin(np.pi / (2 * BLOCK) * (n + 0.5))
    k = np.arange(BLOCK)[:, None]
    basis = np.sqrt(2 / BLOCK) * window * np.cos(np.pi / BLOCK * (n + 0.5 + BLOCK / 2) * (k + 0.5))
    order = k + k.T
    kept = order <= np.sort(order.ravel())[_LATENT_CHANNELS - 1]
    cells = padded.shape[0] // BLOCK - 1
    # Sparse: each latent sees 16 rows and 16 columns only, and the sums do not depend on a BLAS and its threads.
    analysis = sparse.lil_array((cells * BLOCK, padded.shape[0]), dtype=np.float32)
    for cell in range(cells):
        analysis[cell * BLOCK : (cell + 1) * BLOCK, cell * BLOCK : (cell + 2) * BLOCK] = basis
    encode, decode = analysis.tocsr(), analysis.T.tocsr()
    mask = np.tile(kept, (cells, cells)).astype(np.float32)
    planes = []
    for channel in range(3):
        latents = (encode @ (encode @ padded[..., channel]).T).T * mask
        latents = np.round(latents / np.float32(_LATENT_STEP)) * np.float32(_LATENT_STEP)
        planes.append((decode @ (decode @ latents).T).T)
    return np.dstack(planes)


def _ripple() -> np.ndarray:
    """Give the decoder's gain over the 8x8 positions of a cell, mean 0 and peak 1, the same for every picture."""
    at = np.arange(BLOCK) + 0.5
    one = np.cos(2 * np.pi * at / BLOCK) + 0.6 * np.cos(4 * np.pi * at / BLOCK)
    tile = np.add.outer(one, one) + 0.8 * np.multiply.outer(one, one)
    tile -= tile.mean()
    return (tile / np.abs(tile).max()).astype(np.float32)


def _grain(rng: np.random.Generator, shape: tuple[int, ...], strength: float) -> np.ndarray:
    shared = rng.normal(size=(*shape[:2], 1)) * 0.8 + rng.normal(size=shape) * 0.6
    smooth = cv2.GaussianBlur(shared.astype(np.float32), (0, 0), 0.55)
    return smooth * np.float32(strength / smooth.std())


def _finish(encoded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # The same last step for all three: contrast and sharpness must not be what tells them apart.
    sharp = encoded + np.float32(rng.uniform(0.2, 0.5)) * (encoded - cv2.GaussianBlur(encoded, (0, 0), 1.0))
    bent = np.float32(rng.uniform(0.0, 0.25))
    curved = sharp + bent * (sharp * sharp * (3 - 2 * sharp) - sharp)
    return np.round(np.clip(curved, 0.0, 1.0) * 255.0).astype(np.uint8)
