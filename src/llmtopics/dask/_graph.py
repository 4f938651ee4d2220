"""Many tasks in one message to the scheduler."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import dask
from dask.task_spec import Task, TaskRef
from distributed import Client, Future


class Graph:
    """Tasks that are sent together; each may need futures, and earlier tasks.

    The scheduler frees the results of a task when no other task needs them.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._where: dict[str, list[str]] = {}

    def add(
        self, workers: Sequence[str], function: Callable[..., Any], *given: Any
    ) -> TaskRef:
        """Add a call that runs on one of the workers; return its result to be."""
        key = f"{function.__name__}-{uuid4().hex}"
        known = [
            TaskRef(each.key) if isinstance(each, Future) else each for each in given
        ]
        self._tasks[key] = Task(key, function, *known)
        self._where[key] = list(workers)
        return TaskRef(key)

    def send(self, client: Client, wanted: list[TaskRef]) -> list[Future]:
        """Start all tasks; return the futures of some."""
        where = self._where
        with dask.annotate(workers=lambda key: where[key]):
            return client.get(self._tasks, [ref.key for ref in wanted], sync=False)
