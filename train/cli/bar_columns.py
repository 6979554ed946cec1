"""What stands in a progress bar: of what nobody knows, nothing."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def bar_columns(unit: Literal["pieces", "bytes"]) -> "tuple[ProgressColumn, ...]":
    """The label, the bar, how much is done of how much, the time that it took, and the time that is left.

    While nobody knows how much there is, what is done is shown alone, and nothing where nothing was counted yet.
    """
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Amount(ProgressColumn):
        """Done of all, or done alone."""

        column = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()

        def render(self, task: Task) -> Text:
            if task.total is None and unit == "pieces":
                return Text(f"{task.completed:,.0f}" if task.completed else "")
            return self.column.render(task) if task.completed or task.total is not None else Text("")

    class Left(ProgressColumn):
        """The time that is left, where the total is known."""

        column = TimeRemainingColumn()

        def render(self, task: Task) -> Text:
            return Text("") if task.total is None else Text.assemble("left ", self.column.render(task))

    return (TextColumn("{task.description}", markup=False), BarColumn(), Amount(), TimeElapsedColumn(), Left())
