"""Fractions as percentages for people: as many digits as tell something, a no-break space before the sign."""

from train.evaluate.metrics import Interval


def percent(value: float) -> str:
    """A fraction as per cent after a no-break space, with a decimal near 0 and 1: 0.005 -> '0.5 %'."""
    return f"{100 * value:.{_decimals(value)}f}\N{NO-BREAK SPACE}%"


def percent_with_interval(interval: Interval) -> str:
    """For instance '87 % (84 to 90 %)': the bounds with as many decimals as the value."""
    decimals = _decimals(interval.value)
    low, high = (f"{100 * bound:.{decimals}f}" for bound in (interval.low, interval.high))
    return f"{percent(interval.value)} ({low} to {high}\N{NO-BREAK SPACE}%)"


def _decimals(value: float) -> int:
    return 0 if 0.1 <= value <= 0.9 or round(value, 3) in (0.0, 1.0) else 1
