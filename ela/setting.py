"""What one Error Level Analysis is made with: JPEG quality, chroma sampling, gain."""

import re
from dataclasses import dataclass

from train.common.errors import ElaError

# Side of the smallest unit JPEG codes (ITU-T T.81, A.2): one 8x8 block, or 2x2 luma blocks beside one chroma block.
SAMPLINGS = {"420": 16, "444": 8}
OPTION = re.compile(r"(?P<sampling>420|444)|x(?P<gain>\d{1,9})|(?P<quality>\d{1,9})")
MAX_GAIN = 255


@dataclass(frozen=True)
class Ela:
    """The settings of an error level: |x - JPEG(x)| at `quality` (1..100, libjpeg's scale) and `sampling`
    ("420" or "444"), times the whole number `gain` (1..255), clipped to 255.

    The analysis is from Krawetz, "A Picture's Worth" (2007). The default gain is measured: of 150 face pictures at 224
    pixels and the default quality, 99 % of the levels are at most 9 and 0.06 % exceed 17, where x15 starts to clip.
    Raises ElaError for values outside these ranges.
    """

    quality: int = 90
    sampling: str = "420"
    gain: int = 15

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ElaError(f"ELA quality {self.quality} is out of range: give a whole number from 1 to 100.")
        if self.sampling not in SAMPLINGS:
            raise ElaError(f"ELA sampling {self.sampling!r} is not known: give 420 or 444.")
        if not 1 <= self.gain <= MAX_GAIN:
            raise ElaError(f"ELA gain x{self.gain} is out of range: give x1 to x{MAX_GAIN}.")

    @property
    def text(self) -> str:
        """The canonical text, e.g. `ela(90,420,x15)`; `parse_options` reads what stands in the brackets."""
        return f"ela({self.quality},{self.sampling},x{self.gain})"

    def check_size(self, size: int) -> None:
        """Raise ElaError for a view side (pixels) that JPEG would have to pad: no multiple of 16 (420) or 8 (444)."""
        unit = SAMPLINGS[self.sampling]
        if size < unit or size % unit:
            raise ElaError(f"A view of {size} pixels does not fit {self.text}: its side must be a multiple of {unit}.")


def parse_options(options: tuple[str, ...]) -> Ela:
    """Read options in any order, each at most once: `90` is the quality, `420` or `444` the sampling, `x15` the gain.

    Raises ElaError for an option of another form, a repeated one, or a value out of range.
    """
    found: dict[str, str] = {}
    for option in options:
        match = OPTION.fullmatch(option)
        if match is None:
            raise ElaError(f"ELA option {option!r} is not known: write e.g. ela(90,420,x15).")
        name = str(match.lastgroup)
        if name in found:
            raise ElaError(f"ELA option {option!r} gives the {name} twice: write it once, e.g. ela(90,420,x15).")
        found[name] = match[name]
    default = Ela()
    return Ela(
        quality=int(found.get("quality", default.quality)),
        sampling=found.get("sampling", default.sampling),
        gain=int(found.get("gain", default.gain)),
    )
