"""What is made of one original: which files, of which size, by which autoencoder, and their rows in the manifest."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from train.common.errors import DataError
from train.data.reconstruct.autoencoder import Autoencoder
from train.data.reconstruct.originals import assigned
from train.data.reconstruct.regions import Region
from train.data.rows import eyes_of
from train.data.scan.measure import Refused, measure_file
from train.image.view import Eyes

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif"}
"""The formats that are written, and what their files end in."""


@dataclass(frozen=True)
class ReconstructionPlan:
    """What is made of one row of a manifest; paths are relative to the folder of the reconstructions.

    `size` is width and height in stored pixels after the reduction; `real` is None where the original itself is the
    twin, `mask` and `region` are None where the whole picture is reconstructed; `kind` is the autoencoder and the
    region.
    """

    row: dict[str, Any]
    autoencoder: Autoencoder
    region: Region | None
    size: tuple[int, int]
    fake: str
    real: str | None
    mask: str | None

    @property
    def files(self) -> tuple[str, ...]:
        """All that is to be made."""
        return tuple(name for name in (self.mask, self.real, self.fake) if name)

    @property
    def kind(self) -> str:
        """The autoencoder and the region, as in the source's name."""
        return reconstruction_kind(self.autoencoder.name, self.region)

    @property
    def eyes(self) -> Eyes | None:
        """The eyes of the meant face in the reduced, upright picture."""
        eyes = eyes_of(self.row)
        factor = max(self.size) / max(self.row["width"], self.row["height"])
        return None if eyes is None else Eyes(eyes.x * factor, eyes.y * factor, eyes.distance * factor)


def reconstruction_kind(autoencoder: str, region: Region | None) -> str:
    """Return what distinguishes reconstructions of one source: taesd, or taesd-eyes where only a region is replaced."""
    return autoencoder if region is None else f"{autoencoder}-{region}"


def plan_of(
    row: dict[str, Any], autoencoders: Sequence[Autoencoder], scale: int | None, region: Region | None
) -> ReconstructionPlan:
    """Plan what becomes of a real row; which autoencoder is decided by its content."""
    chosen = {one.name: one for one in autoencoders}[assigned(row["sha256"], [one.name for one in autoencoders])]
    size = reduced_size(row["width"], row["height"], scale)
    # Names come from people's folders, and may be "..".
    source = re.sub(r"[^A-Za-z0-9._-]+|^\.+", "_", row["source"])
    name = f"{source}/{row['sha256'][:24]}"
    # Of a format that is not written here there will be no file.
    suffix = SUFFIXES.get(row["format"], "")
    kind = reconstruction_kind(chosen.name, region)
    return ReconstructionPlan(
        row,
        chosen,
        region,
        size,
        fake=f"fake/{kind}/{name}{suffix}",
        real=None if size == (row["width"], row["height"]) else f"real/{name}{suffix}",
        mask=None if region is None else f"mask/{kind}/{name}.png",
    )


def reduced_size(width: int, height: int, scale: int | None) -> tuple[int, int]:
    """Return width and height with the longer side reduced to `scale` where it is longer, rounded half up."""
    longer = max(width, height)
    if scale is None or longer <= scale:
        return width, height
    return tuple(max(1, (2 * side * scale + longer) // (2 * longer)) for side in (width, height))  # type: ignore[return-value]


def manifest_rows(plan: ReconstructionPlan, folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the rows of the fake and, if it has one, of its reduced original; their files are there."""
    about = {
        "label": "fake",
        "generator": plan.autoencoder.name,
        "family": "reconstruction",
        "source": f"{plan.row['source']}/{plan.kind}",
    }
    eyes = _eyes(plan)
    fake = {**plan.row, **about, **eyes, **_measured(folder, plan.fake)}
    return (fake,) if plan.real is None else (fake, {**plan.row, **eyes, **_measured(folder, plan.real)})


def _eyes(plan: ReconstructionPlan) -> dict[str, float | None]:
    eyes = plan.eyes
    values = (None, None, None) if eyes is None else (eyes.x, eyes.y, eyes.distance)
    return dict(zip(("eye_x", "eye_y", "eye_distance"), values, strict=True))


def _measured(folder: Path, name: str) -> dict[str, Any]:
    found = measure_file(folder / name)
    if isinstance(found, Refused):
        raise DataError(f"{folder / name}{found.reason}")
    return {"path": name, **asdict(found)}
