"""How long work tells its caller how far it is: the type of every `on_progress`."""

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called with the pieces done and the pieces in all, both counts; 0 in all where nobody knows the total."""
