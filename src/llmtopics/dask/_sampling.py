"""A whole fit: sweeps, checks of the likelihood, checkpoints, and lost workers."""

import json
import shutil
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client, Future
from distributed.comm import CommClosedError

from llmtopics._checks import warn_user
from llmtopics._progress import stage
from llmtopics._stage import Stage
from llmtopics._whole_files import read_json, write_whole
from llmtopics.dask import _shard as tasks
from llmtopics.dask._errors import LostWorker, check_connected, some_workers
from llmtopics.dask._memory import check_memory
from llmtopics.dask._sources import Source, between
from llmtopics.dask._team import Ranges, Team, in_order
from llmtopics.topics._count_model import EVERY, rise
from llmtopics.topics._gibbs.learned_priors import learn_prior, learn_word_prior
from llmtopics.topics._gibbs.likelihood import log_joint
from llmtopics.topics._gibbs.tokens import topic_type
from llmtopics.topics._gibbs.word_prior import WordPrior

_MOST_LOST = 10  # times that workers may be lost in a fit
_STATE = "state.json"


@dataclass
class Settings:
    """What a chain depends on beside the counts, and how it is run."""

    n_components: int
    seed: int
    learn_alpha: bool
    learn_beta: bool
    max_iter: int
    tol: float | None
    local_sweeps: int | None
    checkpoint_every: int


@dataclass
class State:
    """A chain after a sweep.

    copies : for each worker of that time its ranges of tokens, and futures of their topics
    path : file of the topics of all tokens, or None
    """

    n_sweeps: int
    alpha: np.ndarray
    beta: WordPrior
    trace: list[float] = field(default_factory=list)
    copies: list[tuple[Ranges, list[Future]]] = field(default_factory=list)
    path: str | None = None


class Sampling:
    """A fit on the workers of a client.

    Parameters
    ----------
    client : Client
    source : Source
    settings : Settings
    start : State
        At the beginning.
    folder : Path or None
        Where checkpoints are written and read; deleted after the fit.
    """

    def __init__(
        self,
        client: Client,
        source: Source,
        settings: Settings,
        start: State,
        folder: Path | None,
    ):
        self._client, self._source, self._settings = client, source, settings
        self._start, self._folder = start, folder
        self.state, self._last = start, settings.max_iter
        if folder is not None and (folder / _STATE).exists():
            self.state = self._read(folder)

    def run(self) -> np.ndarray:
        """Return expected counts of words in topics, (V, K); ``state`` is the last one."""
        n, begun = self._settings.max_iter, self.state.n_sweeps
        with stage("sweeps", n, "sweeps", each=True, first=begun) as counted:
            counts = self._with_workers(counted)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return counts

    def _with_workers(self, counted: Stage) -> np.ndarray:
        for _ in range(_MOST_LOST):
            try:
                return self._attempt(counted)
            except (LostWorker, CancelledError, CommClosedError, TimeoutError) as error:
                fault = error
            except Exception as error:
                # Dask's error does not say what to do
                check_connected(self._client, error)
                raise
        raise RuntimeError(
            f"Workers were lost {_MOST_LOST} times, last: {fault} Read the logs of the "
            "workers. Often their memory is too small: raise memory_limit."
        ) from fault

    def _attempt(self, counted: Stage) -> np.ndarray:
        """Continue from the last checkpoint that is still there."""
        settings, state = self._settings, self._found()
        about = some_workers(self._client)
        check_memory(about, self._source, settings.n_components)
        team = Team(
            self._client,
            self._source,
            {address: each["nthreads"] for address, each in sorted(about.items())},
            settings.n_components,
            settings.seed,
            state.beta,
        )
        team.open(self._topics_of(state), state.n_sweeps)
        self._sweeps(team, state, counted)
        return team.expected_counts(self.state.alpha, self.state.beta)

    def _sweeps(self, team: Team, state: State, counted: Stage) -> None:
        settings = self._settings
        learns = settings.learn_alpha or settings.learn_beta
        burn_in = settings.max_iter * 0.5 if learns else 0
        n, alpha, beta, trace = (
            state.n_sweeps,
            state.alpha,
            state.beta,
            [*state.trace],
        )
        while n < self._last:
            tol = settings.tol if n % EVERY == 0 else None
            if tol is not None and self.risen(trace) <= tol:
                break
            known = beta.values if settings.learn_beta else None
            n_new = 1
            if settings.local_sweeps is None:
                team.sweep(n, alpha, known)
            else:
                until_check = EVERY - n % EVERY
                n_new = min(settings.local_sweeps, until_check, self._last - n)
                team.sweeps_alone(n, n_new, alpha, known)
            n += n_new
            # sweeps that lost workers made are made again, and counted once
            if counted.update(max(0, n - counted.n)):
                self._last = n  # also if a worker is lost later
            if n % EVERY == 0:
                cells, divided = team.tallies()
                trace.append(log_joint(cells, (divided, alpha)))
                if settings.learn_alpha and n >= burn_in:
                    alpha = learn_prior(divided, alpha)
                if settings.learn_beta and n >= burn_in:
                    beta = learn_word_prior(cells)
            every = settings.checkpoint_every
            if n // every > (n - n_new) // every or n == self._last:
                self._save(team, State(n, alpha, beta, [*trace]))
        if self.state.n_sweeps != n:
            self._save(team, State(n, alpha, beta, trace))

    def risen(self, trace: list[float]) -> float:
        """Return how much the likelihood has risen since priors were learned."""
        learns = self._settings.learn_alpha or self._settings.learn_beta
        burn_in = int(self._settings.max_iter * 0.5) if learns else 0
        return rise(trace[burn_in // EVERY :])

    def _save(self, team: Team, state: State) -> None:
        copies = team.topics()
        state.copies = list(zip(team.token_ranges(), copies, strict=True))
        folder, before = self._folder, self.state.path
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            kind = np.dtype(topic_type(self._settings.n_components))
            path = folder / f"topics-{state.n_sweeps}.bin"
            with open(path, "wb") as file:
                file.truncate(int(self._source.starts[-1]) * kind.itemsize)
            state.path = str(path.resolve())
            team.write(state.path)
            beta = state.beta.values if self._settings.learn_beta else None
            about = {"n_sweeps": state.n_sweeps, "alpha": state.alpha.tolist()}
            about |= {"beta": beta, "trace": state.trace, "path": state.path}
            write_whole(folder / _STATE, json.dumps(about))
        self.state = state
        if before is not None and before != state.path:
            Path(before).unlink(missing_ok=True)

    def _read(self, folder: Path) -> State:
        about: dict[str, Any] = read_json(folder / _STATE)
        beta = self._start.beta
        if about["beta"] is not None:
            beta = WordPrior(about["beta"], beta.n_words)
        alpha, path = np.array(about["alpha"]), about["path"]
        return State(about["n_sweeps"], alpha, beta, about["trace"], path=path)

    def _found(self) -> State:
        """Return the last checkpoint whose topics are still there, or the beginning."""
        state = self.state
        if state.path is not None or state is self._start:
            return state
        if self._held(state) is None:
            warn_user(
                "The workers that held the last checkpoint are gone: DaskGibbsLDA starts "
                "again from the first sweep. Set checkpoint_dir to keep checkpoints in "
                "files."
            )
            self.state = self._start
        return self.state

    def _held(self, state: State) -> list[tuple[Ranges, Future]] | None:
        """Return the arrays of topics that workers still hold, None if one is lost."""
        check_connected(self._client)
        every = [future for _, futures in state.copies for future in futures]
        where = self._client.who_has(
            [each for each in every if each.status == "finished"]
        )
        held = []
        for ranges, futures in state.copies:
            there = [future for future in futures if where.get(future.key)]
            if not there:
                return None
            held.append((ranges, there[0]))
        return held

    def _topics_of(self, state: State):
        """Return a function that brings topics of ranges of tokens to a worker."""
        K, starts = self._settings.n_components, self._source.starts
        kind, n_tokens = topic_type(K), int(starts[-1])
        held = self._held(state) if state.copies else None

        def topics(client: Client, worker: str, ranges: Ranges) -> Future:
            where: Any = {"workers": [worker], "pure": False}
            if held is not None:
                pieces = in_order(held)
                found = [f for a, b in ranges for f in between(client, pieces, a, b)]
                return client.submit(tasks.joined, kind, *found, **where)
            if state.path is not None:
                return client.submit(
                    tasks.read_topics, state.path, kind, ranges, **where
                )
            given = n_tokens, K, self._settings.seed, ranges
            return client.submit(tasks.first_topics, *given, **where)

        return topics
