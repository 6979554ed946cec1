"""A reconstruction's twin is the real picture of its name or content, in its group and of its size."""

import polars as pl
import pytest

from train.common.errors import TrainError
from train.fit.twins import check_twins, find_twins

CONTENT = "ab" * 32


def _row(
    path: str, label: str, family: str, width: int = 256, sha256: str = "00" * 32, group: str = "g"
) -> dict[str, object]:
    return {
        "path": path,
        "sha256": sha256,
        "label": label,
        "family": family,
        "group": group,
        "width": width,
        "height": 256,
    }


def test_twins_by_content_and_by_name() -> None:
    name = CONTENT[:24]
    frame = pl.DataFrame(
        [
            _row(f"fake/taesd/a/{name}.jpg", "fake", "reconstruction"),
            _row("a/1.jpg", "real", "camera", sha256=CONTENT),
            _row("a/2.jpg", "real", "camera"),
            # Of the large original there is a reduced copy, which is the twin of its reconstruction.
            _row(f"fake/taef1/a/{name}.jpg", "fake", "reconstruction", width=128),
            _row(f"real/a/{name}.jpg", "real", "camera", width=128),
            _row(f"fake/taesd/a/{name}.png", "fake", "reconstruction", group="another"),
            _row(f"fakes/{name}.jpg", "fake", "gan"),
        ]
    )
    assert find_twins(frame).tolist() == [1, -1, -1, 4, -1, -1, -1]


def test_twins_that_are_not_there_are_told() -> None:
    with pytest.raises(TrainError, match="data reconstruct"):
        check_twins(pl.DataFrame([_row("a/1.jpg", "real", "camera"), _row("b/1.jpg", "fake", "gan")]))
