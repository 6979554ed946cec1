"""What the residual front ends share: signed differences kept as uint8 around a middle of 128, with a gain."""

import re

from train.common.errors import ElaError

MIDDLE = 128  # train.model.scale_pixels maps it to 0, so that "no residual" is zero for the backbone
MAX_GAIN = 64
_GAIN = re.compile(r"x(\d{1,9})")


def parse_gain(name: str, options: tuple[str, ...], default: int) -> int:
    """Read the one option a residual front end takes, a whole gain x1 to x64; ElaError for anything else."""
    if not options:
        return default
    match = _GAIN.fullmatch(options[0])
    if match is None or len(options) > 1:
        raise ElaError(f"Front end {name} takes one option, a gain: write e.g. {name}(x{default}).")
    gain = int(match[1])
    if not 1 <= gain <= MAX_GAIN:
        raise ElaError(f"The gain x{gain} of {name} is out of range: give x1 to x{MAX_GAIN}.")
    return gain
