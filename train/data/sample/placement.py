"""From head coordinates to canvas pixels, and the light that falls on the turned head.

Head coordinates: origin in the middle of the face, x right, y down, chin at y = 1, crown at y = -1.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .scene import Light, Pose, Scene

_DEPTH = 0.75  # half the depth of the head, in half heads


@dataclass(frozen=True)
class Placement:
    """Where a head lies on a square canvas of `side` pixels; `unit` is half a head in pixels."""

    pose: Pose
    side: int
    width: float

    @property
    def unit(self) -> float:
        """Half a head's height in pixels."""
        return self.pose.scale * self.side

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Place head coordinates (float [N, 2]) that turn only in the picture's plane: outlines."""
        cos, sin = np.cos(self.pose.tilt), np.sin(self.pose.tilt)
        turned = points @ np.array([[cos, sin], [-sin, cos]])
        return turned * self.unit + np.array([self.pose.x, self.pose.y]) * self.side

    def turned(self, points: np.ndarray) -> np.ndarray:
        """Place head coordinates (float [N, 2]) that lie on the face and move as the head turns: features."""
        return self.flat(self.slide(points))

    def slide(self, points: np.ndarray) -> np.ndarray:
        """Shift points on the face (float [N, 2]) by yaw and pitch over an ellipsoid, in head coordinates."""
        u, v = points[:, 0], points[:, 1]
        depth = _DEPTH * np.sqrt(np.clip(1.0 - 0.85 * (u / self.width) ** 2 - 0.75 * v**2, 0.04, 1.0))
        across = u * np.cos(self.pose.yaw) + depth * np.sin(self.pose.yaw)
        down = v * np.cos(self.pose.pitch) + depth * np.sin(self.pose.pitch)
        return np.column_stack([across, down])

    def grid(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Give head coordinates u, v (float32 [side/step, side/step] each) of every `step`-th pixel."""
        at = (np.arange(0, self.side, step, dtype=np.float32) + step / 2) / self.side
        x, y = np.meshgrid((at - self.pose.x) / self.pose.scale, (at - self.pose.y) / self.pose.scale)
        cos, sin = np.float32(np.cos(self.pose.tilt)), np.float32(np.sin(self.pose.tilt))
        return (x * cos + y * sin).astype(np.float32), (-x * sin + y * cos).astype(np.float32)


def light_on_head(scene: Scene, place: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Give the light on a face: tint to multiply with and gloss to add, float32 [H, W, 3] and [H, W].

    The head is a height field (an ellipsoid with Gaussian bumps for nose, cheeks, lips, chin, brow ridge and eye
    sockets); its normals are lit by one soft Lambert light with a wrapped edge and a Blinn highlight.
    """
    step = 3
    u, v = place.grid(step)
    face = scene.face
    height = _DEPTH * np.sqrt(np.clip(1.0 - (u / (1.08 * face.width)) ** 2 - 0.72 * (v / 1.06) ** 2, 0.01, 1.0))
    base = 0.06 + face.nose_length
    for x, y, wide, tall, rise in (
        (0.0, base * 0.45, 0.055, 0.16, 0.085),
        (0.0, base - 0.07, 0.080, 0.075, 0.125),
        (-face.nose_width * 0.72, base - 0.03, 0.055, 0.05, 0.05),
        (face.nose_width * 0.72, base - 0.03, 0.055, 0.05, 0.05),
        (-face.eye_gap, 0.02, 0.15, 0.10, -0.075),
        (face.eye_gap, 0.02, 0.15, 0.10, -0.075),
        (-face.eye_gap, -0.22, 0.20, 0.07, 0.035),
        (face.eye_gap, -0.22, 0.20, 0.07, 0.035),
        (-0.40, 0.34, 0.17, 0.15, 0.055),
        (0.40, 0.34, 0.17, 0.15, 0.055),
        (0.0, base + 0.19, 0.17, 0.055, 0.035),
        (0.0, base + 0.31, 0.14, 0.045, 0.045),
        (0.0, base + 0.385, 0.14, 0.03, -0.03),
        (0.0, 0.92, 0.16, 0.10, 0.07),
    ):
        cx, cy = place.slide(np.array([[x, y]]))[0]
        height += rise * np.exp(-0.5 * (((u - cx) / wide) ** 2 + ((v - cy) / tall) ** 2))
    return _light(height.astype(np.float32), step / place.unit, scene.light, place)


def _light(height: np.ndarray, pixel: float, light: Light, place: Placement) -> tuple[np.ndarray, np.ndarray]:
    soft = cv2.GaussianBlur(height, (0, 0), 0.03 / pixel)
    normal = np.dstack(
        [
            -cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / (8 * pixel)),
            -cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / (8 * pixel)),
            np.full_like(soft, 1.0),
        ]
    )
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    towards = np.asarray(light.direction, np.float32)
    lambert = normal @ towards
    wrapped = np.clip((lambert + 0.25) / 1.25, 0.0, 1.0)
    amount = (light.ambient + (1.0 - light.ambient) * wrapped)[..., None]
    tint = np.asarray(light.shadow, np.float32) * (1.0 - amount) + np.asarray(light.key, np.float32) * amount
    half = towards + np.asarray((0.0, 0.0, 1.0), np.float32)
    gloss = light.gloss * np.clip(normal @ (half / np.linalg.norm(half)), 0.0, 1.0) ** 28
    full = (place.side, place.side)
    return cv2.resize(tint, full, interpolation=cv2.INTER_LINEAR), cv2.resize(gloss, full)
