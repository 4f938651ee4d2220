"""A stage of a long call: its steps, its work and its speed."""

from collections.abc import Callable
from time import time
from typing import Any, TypeAlias

Snapshot: TypeAlias = Callable[[], dict[str, Any]]


class Stage:
    """A part of a call whose steps are counted. ``_progress.stage`` makes it.

    Parameters
    ----------
    name : str
    total : int or None
        Number of steps. None if nobody knows it.
    unit : str
        What the steps are, in the plural.
    work : float or None
        Work of all steps, from which the remaining time is estimated.
    n_tasks : int
        Number of tasks that callbacks see. With 0 they do not see the stage.
    first : int
        Number of steps that an earlier, interrupted call has made.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        unit: str,
        work: float | None,
        n_tasks: int,
        first: int = 0,
    ):
        self.name, self.total, self.unit = name, total, unit
        self.work, self.n_tasks, self.first = work, n_tasks, first
        self.n, self.done, self.start = first, float(first), time()
        self.calls: tuple[Any, ...] = ()

    def update(
        self,
        n: int = 1,
        work: float | None = None,
        *,
        estimator: Any = None,
        snapshot: Snapshot | None = None,
    ) -> bool:
        """Count n more steps; return whether a callback asks to stop.

        Parameters
        ----------
        n : int
        work : float or None
            Their work. None is n.
        estimator : estimator or None
            The one that makes the steps. None is the one that the callback belongs to.
        snapshot : callable or None
            Returns the attributes that ``estimator`` would have if it stopped here. It is
            called only if a callback asks for a fitted estimator.
        """
        if self.total == 0:  # nothing to count
            return False
        n_before, n_tasks = self.n, 0
        self.n += n
        self.done += n if work is None else work
        if self.total is not None:
            n_tasks = min(self.n, self.total) * self.n_tasks // self.total
            n_tasks -= n_before * self.n_tasks // self.total
        stops = [
            call.advance(self, n_tasks, estimator, snapshot) for call in self.calls
        ]
        return any(stops)

    def __str__(self) -> str:
        total = "" if self.total is None else f"/{self.total:,}"
        return f"{self.n:,}{total} {self.unit}"

    @property
    def speed(self) -> str:
        """Steps per second, or seconds per step."""
        seconds, n = time() - self.start, self.n - self.first
        if not n or seconds <= 0:
            return ""
        rate = n / seconds
        if rate < 1:
            return f"{1 / rate:.1f} s/{self.unit.removesuffix('s')}"
        return f"{rate:,.{int(rate < 10)}f} {self.unit}/s"


def steps_beside_plan(stages: list[Stage]) -> str:
    """Say how many steps there were, if they are fewer than planned or were not planned."""
    n, totals = sum(each.n for each in stages), [each.total for each in stages]
    planned = None if None in totals else sum(total or 0 for total in totals)
    if n == planned:
        return ""
    return f" ({n:,} {stages[0].unit})"
