"""Ranges of means: wide enough, as narrow as may be, in steps that divide the input's."""

import numpy as np
import pytest

from export.quantize.means import aligned


@pytest.mark.parametrize("step", [6 / 255, 0.031])
@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.3), (-0.2, 0.9), (-0.375, 0.01), (0.0, 5.9), (-3.0, 0.0), (0.0, 0.0)]
)
def test_the_range_includes_the_old_one_in_steps_that_divide(low: float, high: float, step: float) -> None:
    new_low, new_high = aligned(low, high, step)
    fine = (new_high - new_low) / 255
    assert new_low <= low + 1e-6 and new_high >= high - 1e-6
    assert step / fine == pytest.approx(round(step / fine))
    # Zero is one of the whole numbers.
    assert -new_low / fine == pytest.approx(round(-new_low / fine))


def test_no_finer_step_would_do() -> None:
    for low, high in np.random.default_rng(2).uniform(0.05, 1.0, (50, 2)):
        new_low, new_high = aligned(-low, high, 0.02)
        divisor = round(0.02 * 255 / (new_high - new_low))
        finer = 0.02 / (divisor + 1)
        assert np.ceil(low / finer - 1e-6) + np.ceil(high / finer - 1e-6) > 255


def test_a_range_wider_than_its_input_keeps_the_inputs_step() -> None:
    new_low, new_high = aligned(-1.0, 9.0, 6 / 255)
    assert (new_high - new_low) / 255 == pytest.approx(6 / 255)
