"""How busy a machine is with other work while something is measured on it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from export.benchmark.latency import BenchmarkMachine, this_machine

BUSY = 0.5
"""Processors that others may use on average before a warning is due."""


@dataclass(frozen=True)
class Conditions:
    """The machine after a measurement that took `seconds`.

    own, others: processors that this process with its children, and that everything else used, on average;
    `others` is None where the system does not tell. A virtual machine's stolen time counts as used by others.
    """

    machine: BenchmarkMachine
    seconds: float
    own: float
    others: float | None

    @property
    def sentence(self) -> str:
        """For the foot of a table."""
        machine = self.machine
        others = "unknown" if self.others is None else f"{self.others:.2f}"
        return (
            f"Measured in {self.seconds:.0f} s on {machine.processors} processors {machine.processor}, load "
            f"{machine.load:.1f}: own work used {self.own:.2f} processors, other work {others}. A phone has others."
        )

    @property
    def warning(self) -> str | None:
        """One sentence where the machine was too busy to believe the milliseconds."""
        # The load of the last minute counts this process, too; it is all there is without /proc/stat.
        others = self.machine.load - self.own if self.others is None else self.others
        if others <= BUSY:
            return None
        return (
            f"Warning: other work used {others:.1f} of {self.machine.processors} processors meanwhile, so times are "
            "too long and ratios blurred; end it and measure again."
        )


class Watch:
    """Processor time from its making until `conditions`."""

    def __init__(self) -> None:
        self._start = time.monotonic(), _own_seconds(), _busy_seconds()

    def conditions(self) -> Conditions:
        """What was used since this watch was made."""
        started, own_before, all_before = self._start
        seconds = max(time.monotonic() - started, 1e-9)
        own, busy = _own_seconds() - own_before, _busy_seconds()
        others = None if busy is None or all_before is None else max(0.0, busy - all_before - own) / seconds
        return Conditions(this_machine(), seconds, own / seconds, others)


def _own_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _busy_seconds(stat: Path = Path("/proc/stat")) -> float | None:
    """Processor time that the whole machine has used since it started, None where there is no /proc/stat."""
    if not stat.exists():
        return None
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal, in ticks; guest time is within user.
    ticks = [int(value) for value in stat.read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
