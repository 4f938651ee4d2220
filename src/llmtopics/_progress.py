"""Progress of long calls: one bar per call, and scikit-learn's callbacks.

``fit`` runs inside :func:`fitting`, other long calls inside :func:`reporting`. Loops count their
steps in a :func:`stage`. A call inside another call opens no bar: its stages belong to the
outer one. A stage inside a stage is only a note beside the bar, so that the estimate of the
remaining time is that of the whole work.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import time
from typing import Any
from weakref import WeakKeyDictionary

from tqdm import TqdmWarning

from llmtopics._stage import Snapshot, Stage, steps_beside_plan

try:
    from sklearn.callback import CallbackSupportMixin, ProgressBar, with_callbacks
except ImportError:  # scikit-learn 1.8
    ProgressBar = ()  # nothing is an instance of it

    def with_callbacks(method):
        return method

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Says that callbacks need a newer scikit-learn."""

        def set_callbacks(self, *callbacks):
            """Raise an ImportError: callbacks need scikit-learn 1.9."""
            raise ImportError(
                "set_callbacks needs scikit-learn 1.9 or newer: pip install -U scikit-learn."
            )


with warnings.catch_warnings():  # without ipywidgets, a notebook has bars of text
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

_DELAY = 1.0  # seconds: work that is over sooner shows no bar
_MOST_TASKS = 100  # of a stage, for callbacks: a task per text would fill the memory
_RUNNING = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
_ENDED = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"
_COUNTING = "{desc}: {elapsed}{postfix}"  # without a total


class _Call:
    """A call that reports its stages to a bar, to callbacks, to both or to nobody.

    Parameters
    ----------
    name : str
    shown : bool
        Whether it has a bar.
    covered : bool
        Whether calls inside it need no bar.
    estimator : estimator or None
    context : CallbackContext or None
        That of its callbacks.
    """

    def __init__(
        self, name: str, shown: bool, covered: bool, estimator: Any, context: Any
    ):
        self.name, self.shown, self.covered = name, shown, covered
        self.estimator, self.context = estimator, context
        self.start = time()
        self.stages: list[Stage] = []  # those that run, outermost first
        self.task: Any = None  # that of the outermost stage
        self.bar: Any = None
        self.on_bar: Stage | None = None
        self.finished: dict[str, list[Stage]] = {}  # by their names
        self.seconds: dict[str, float] = {}  # that they took

    def begin(self, stage: Stage, *, at_once: bool) -> None:
        self.stages.append(stage)
        if self.context is not None and stage.n_tasks and stage is self.stages[0]:
            self.task = self.context.subcontext(
                task_name=stage.name, max_subtasks=stage.n_tasks
            )
            self.task.call_on_fit_task_begin(estimator=self.estimator)
        self._show(at_once=at_once)

    def advance(
        self, stage: Stage, n_tasks: int, estimator: Any, snapshot: Snapshot | None
    ) -> bool:
        stop = False
        if self.task is not None and stage is self.stages[0]:
            owner = self.estimator if estimator is None else estimator
            for _ in range(n_tasks):
                step = self.task.subcontext(task_name=stage.unit.removesuffix("s"))
                step.call_on_fit_task_begin(estimator=owner)
                stop |= step.call_on_fit_task_end(
                    estimator=owner, reconstruction_attributes=snapshot
                )
        self._show()
        return stop

    def end(self, stage: Stage, *, failed: bool) -> None:
        if stage not in self.stages:
            return
        if stage is self.stages[0]:
            if self.task is not None and not failed:
                self.task.call_on_fit_task_end(estimator=self.estimator)
            self.task = None
            seconds = self.seconds.get(stage.name, 0.0)
            self.seconds[stage.name] = seconds + time() - stage.start
            self.finished.setdefault(stage.name, []).append(stage)
        self._show()
        self.stages.remove(stage)

    def _show(self, *, at_once: bool = False) -> None:
        """Draw the bar, if it is time for it."""
        if not self.shown or not self.stages:
            return
        stage, *inner = self.stages
        name = self.name if stage.name == self.name else f"{self.name}: {stage.name}"
        if self.bar is None:
            if not at_once and time() - self.start < _DELAY:
                return
            self.bar = tqdm(
                total=stage.work,
                desc=name,
                miniters=0,  # also inner stages change what it says
                smoothing=0,  # the remaining time is that at the mean speed of the stage
                dynamic_ncols=True,
                delay=1e-9,  # the first drawing is that of the update below
            )
        elif stage is not self.on_bar:
            self.bar.set_description_str(name, refresh=False)
            self.bar.set_postfix_str("", refresh=False)
            self.bar.reset(total=stage.work)
        if stage is not self.on_bar:
            self.on_bar = stage
            self.bar.total, self.bar.initial = stage.work, stage.first
            self.bar.bar_format = _COUNTING if stage.work is None else _RUNNING
            self.bar.start_t = self.bar.last_print_t = stage.start
        notes = [str(stage), stage.speed, *map(str, inner)]
        self.bar.set_postfix_str(", ".join(filter(None, notes)), refresh=False)
        done = stage.done if stage.work is None else min(stage.done, stage.work)
        self.bar.update(done - self.bar.n)
        if at_once:
            self.bar.refresh()

    def close(self, *, failed: bool) -> None:
        if self.bar is None:
            return
        bar = self.bar
        if not failed:
            bar.start_t = self.start
            if bar.total is not None:
                bar.bar_format, bar.n = _ENDED, bar.total
            bar.set_description_str(self.name, refresh=False)
            notes = [f"{name} {took:.0f} s" for name, took in self.seconds.items()]
            notes = [
                note + steps_beside_plan(self.finished[name])
                for note, name in zip(notes, self.seconds, strict=True)
            ]
            bar.set_postfix_str(", ".join(notes), refresh=False)
        bar.close()


# outermost first. Threads start without calls
_CALLS: ContextVar[tuple[_Call, ...]] = ContextVar("calls", default=())
if hasattr(os, "register_at_fork"):
    # the bar belongs to the parent process
    os.register_at_fork(after_in_child=lambda: _CALLS.set(()))


@contextmanager
def reporting(name: str, verbose: bool | int, estimator: Any = None) -> Iterator[None]:
    """Show a bar for the stages of the block, if ``verbose`` and if no bar is there.

    Parameters
    ----------
    name : str
        What the bar is called.
    verbose : bool or int
    estimator : estimator or None
        The estimator that is called, for :func:`is_first`.
    """
    with _running(_Call(name, *_shown(verbose), estimator, None)):
        yield


@contextmanager
def fitting(
    estimator: Any, n_stages: int | None = None, *, verbose: bool | int | None = None
) -> Iterator[None]:
    """Report the stages of a fit: to a bar if ``verbose``, and to the estimator's callbacks.

    It belongs around ``restored_on_error``, which would remove what callbacks set.

    Parameters
    ----------
    estimator : estimator
    n_stages : int or None
        The number of stages, if it is known.
    verbose : bool, int or None
        None is that of the estimator.
    """
    if verbose is None:
        verbose = getattr(estimator, "verbose", False)
    name, context = type(estimator).__name__, None
    callbacks = getattr(estimator, "_skl_callbacks", ())
    drawn = any(isinstance(each, ProgressBar) for each in callbacks)
    shown, covered = _shown(verbose and not drawn)
    _TOLD.pop(estimator, None)
    try:
        if callbacks:
            context = estimator._init_callback_context(max_subtasks=n_stages)
            context.call_on_fit_task_begin(estimator=estimator)
        with _running(_Call(name, shown, covered or drawn, estimator, context)):
            yield
        if context is not None:
            context.call_on_fit_task_end(estimator=estimator)
    finally:
        _tear_down(estimator)


# after its method, ``with_callbacks`` ends what ``_init_callback_context`` began
_tear_down = with_callbacks(lambda estimator: None)


def _shown(verbose: bool | int) -> tuple[bool, bool]:
    """Return whether a call has a bar, and whether calls inside it need none."""
    covered = any(call.covered for call in _CALLS.get())
    return bool(verbose) and not covered, bool(verbose) or covered


@contextmanager
def _running(call: _Call) -> Iterator[None]:
    token, failed = _CALLS.set((*_CALLS.get(), call)), True
    try:
        yield
        failed = False
    finally:
        _CALLS.reset(token)
        call.close(failed=failed)


@contextmanager
def stage(
    name: str,
    total: int | None,
    unit: str,
    *,
    work: float | None = None,
    each: bool = False,
    first: int = 0,
    slow: bool = False,
    hidden: bool = False,
) -> Iterator[Stage]:
    """Count the steps of a loop.

    Parameters
    ----------
    name : str
        What the loop does, such as "vectors".
    total : int or None
        Number of steps. None if nobody knows it.
    unit : str
        What the steps are, in the plural, such as "texts".
    work : float or None
        Work of all steps, if they differ. None is ``total``.
    each : bool
        Whether callbacks see a task per step. If not, they see at most a hundred.
    first : int
        Number of steps that an earlier, interrupted call has made.
    slow : bool
        Whether a bar appears before the first step, because that takes seconds.
    hidden : bool
        Whether callbacks do not see this stage.

    Yields
    ------
    stage : Stage
        Call its ``update`` after each step.
    """
    n_tasks = 0 if hidden or total is None else total
    if not each:
        n_tasks = min(n_tasks, _MOST_TASKS)
    made = Stage(name, total, unit, total if work is None else work, n_tasks, first)
    if total == 0:
        yield made
        return
    made.calls, failed = _CALLS.get(), True
    for call in made.calls:
        call.begin(made, at_once=slow)
    try:
        yield made
        failed = False
    finally:
        for call in made.calls:
            call.end(made, failed=failed)


class Counted(list):
    """Texts that are counted as steps of a stage when they are read one by one."""

    def __init__(self, texts: list[str], stage: Stage):
        super().__init__(texts)
        self.stage = stage

    def __iter__(self):
        for text in super().__iter__():
            yield text
            self.stage.update()


def aside() -> Any:
    """Return a context manager in which logged lines do not break a bar."""
    return tqdm.external_write_mode()


_TOLD: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class _Process:
    """Stands for this process."""


_PROCESS = _Process()


def is_first(estimator: Any, fact: str, *, of_process: bool = False) -> bool:
    """Return whether a fact has not been told yet, and remember that it was told.

    What an estimator says of its texts is said once per fit or estimator, not once per batch.
    Inside other calls, it is said once per outermost call.

    Parameters
    ----------
    estimator : estimator
    fact : str
    of_process : bool
        Whether once per process is enough, as in the workers of a grid search.
    """
    calls = _CALLS.get()
    owner = estimator
    if of_process:
        owner = _PROCESS
    elif calls:
        owner = calls[0] if calls[0].estimator is None else calls[0].estimator
    told = _TOLD.setdefault(owner, set())
    if fact in told:
        return False
    told.add(fact)
    return True
