"""How work reports to its caller: the types of every `on_progress` and `log`."""

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with the pieces done and the pieces in all, both counts; 0 in all where nobody knows the total."""

LogCallback = Callable[[str], None]
"""Called with one line for a person on what is being done."""
