"""A drawn portrait from a scene: simple, soft-lit, made of curves, and antialiased by supersampling.

These are stand-ins to see the pipeline work, not faces to learn from.
"""

import cv2
import numpy as np

from .features import draw_ears, draw_face
from .hair import draw_hair_before, draw_hair_behind
from .placement import Placement
from .scene import Scene
from .setting import draw_backdrop, draw_shoulders

SUPERSAMPLING = 3


def draw_portrait(scene: Scene, size: int) -> np.ndarray:
    """Draw a scene: float32 [size, size, 3] RGB in 0..1, sRGB-encoded; equal scenes give equal arrays."""
    rng = np.random.default_rng(scene.texture_seed)
    side = size * SUPERSAMPLING
    place = Placement(pose=scene.pose, side=side, width=scene.face.width)
    # Out of focus anyway: drawn at half the resolution for a quarter of the time.
    backdrop = draw_backdrop(scene, side // 2, rng)
    canvas = cv2.resize(backdrop, (side, side), interpolation=cv2.INTER_LINEAR)
    draw_hair_behind(canvas, scene, place, rng)
    draw_shoulders(canvas, scene, place, rng)
    draw_ears(canvas, scene, place)
    draw_face(canvas, scene, place, rng)
    draw_hair_before(canvas, scene, place, rng)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0.0, 1.0)
