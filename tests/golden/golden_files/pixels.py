"""Pixels that Python and Kotlin compute alike, so that no picture has to be stored.

Pixel n (row by row from 0) of a seed is SplitMix64 (Steele, Lea, Flood 2014) of the counter seed x 2^32 + n + 1:

- "noise": red, green, blue are bits 16..23, 8..15 and 0..7;
- "edges": each of them is 0 or 255 by its lowest bit, which drives sums to both ends;
- "white": all 255, where rounding of the weights shows.
"""

import numpy as np

KINDS = ("noise", "edges", "white")


def pixels(kind: str, seed: int, width: int, height: int) -> np.ndarray:
    """Pixels uint8 [height, width, 3] of one of KINDS."""
    if kind == "white":
        return np.full((height, width, 3), 255, np.uint8)
    bits = splitmix(seed, np.arange(width * height, dtype=np.uint64)).astype("<u8")
    rgb = bits.view(np.uint8).reshape(height, width, 8)[..., 2::-1]
    return np.ascontiguousarray(rgb if kind == "noise" else 255 * (rgb & 1))


def splitmix(seed: int, numbers: np.ndarray) -> np.ndarray:
    """SplitMix64's output for counters uint64; arithmetic is modulo 2^64."""
    state = (numbers + np.uint64((seed << 32) + 1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
